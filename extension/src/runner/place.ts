/** Where in the user's own files an error came from. */
import { fileURLToPath } from "node:url";
import { isAbsolute } from "node:path";
import type { Place } from "./messages.ts";

const FRAME = /^\s+at (?:.*? \()?((?:file:\/\/|\/|[A-Za-z]:[\\/]).*?):(\d+):(\d+)\)?$/;

/** The first line of a stack that is neither Node's nor a package's; null when there is none. */
export function placeOf(stack: string): Place | null {
  for (const line of stack.split("\n")) {
    const [, path = "", lineNumber, column] = FRAME.exec(line) ?? [];
    if (path === "" || /[\\/]node_modules[\\/]/.test(path)) continue;
    const file = pathOf(path);
    if (file !== null) return { file, line: Number(lineNumber), column: Number(column) };
  }
  return null;
}

function pathOf(text: string): string | null {
  if (!text.startsWith("file:")) return isAbsolute(text) ? text : null;
  try {
    return fileURLToPath(text);
  } catch {
    return null;
  }
}
