/** Finds the user's own line in the stack of an error. */
import { fileURLToPath } from "node:url";

export interface Frame {
  readonly file: string;
  /** From 1, as editors count. */
  readonly line: number;
  readonly column: number;
}

/** `at name (place:12:9)` or `at place:12:9`. */
const FRAME = /^\s*at (?:.*?\()?(?:async )?((?:file:\/\/)?.+?):(\d+):(\d+)\)?$/;
const NOT_OF_THE_USER = /^node:|[\\/]node_modules[\\/]|^<anonymous>$/;

/** The topmost frame in a file that is the user's. */
export function userFrame(stack: string): Frame | null {
  for (const text of stack.split("\n")) {
    const match = FRAME.exec(text);
    const [, place, line, column] = match ?? [];
    if (place === undefined || NOT_OF_THE_USER.test(place)) continue;
    const file = pathOf(place);
    if (file !== null) return { file, line: Number(line), column: Number(column) };
  }
  return null;
}

function pathOf(place: string): string | null {
  if (!place.startsWith("file://")) return /^([\\/]|[A-Za-z]:[\\/])/.test(place) ? place : null;
  try {
    return fileURLToPath(place);
  } catch {
    return null;
  }
}
