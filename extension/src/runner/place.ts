/** Where in the user's own files an error came from. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isAbsolute, resolve } from "node:path";
import type { Place } from "./messages.ts";

/** An error may be its own cause. */
const MAX_CAUSES = 10;
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

/** The place that an error is about: of a compiler's, the one that it names; of one that code has thrown, that line. */
export function placeOfProblem(error: unknown): Place | null {
  for (let at = error, depth = 0; at instanceof Error && depth < MAX_CAUSES; at = at.cause, depth++) {
    const place = compilerPlace(at);
    if (place !== null) return place;
  }
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  return code === "BURLA_LOAD" && cause instanceof Error ? placeOf(cause.stack ?? "") : null;
}

/** esbuild counts columns from 0, and paths from the working directory. */
function compilerPlace(error: Error): Place | null {
  const location = (error as { errors?: { location?: { file: string; line: number; column: number } | null }[] }).errors?.[0]?.location;
  if (location == null) return null;
  const file = location.file.startsWith("file:") ? pathOf(location.file) : resolve(location.file);
  return file !== null && existsSync(file) ? { file, line: location.line, column: location.column + 1 } : null;
}

function pathOf(text: string): string | null {
  if (!text.startsWith("file:")) return isAbsolute(text) ? text : null;
  try {
    return fileURLToPath(text);
  } catch {
    return null;
  }
}
