/** Files as inputs: their paths, or what is in them. */
import { createReadStream, existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import { messageOf } from "@burla/protocol";
import { UsageError } from "../failure.ts";

export type ReadMode = "text" | "json" | "buffer";

/** Whether the text is a pattern such as `docs/*.md`, and no name of a file. */
export function isPattern(text: string): boolean {
  return isDynamicPattern(text);
}

/**
 * Paths as the patterns give them, relative ones to the working directory; those of one pattern sorted by name.
 * @throws UsageError for a name that is no file, or a pattern that no file fits.
 */
export async function findFiles(patterns: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const pattern of patterns) {
    found.push(...(existsSync(pattern) || !isPattern(pattern) ? [checkFile(pattern)] : await expand(pattern)));
  }
  return found;
}

function checkFile(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new UsageError(`there is no file ${path}`);
  if (found.isDirectory()) throw new UsageError(`${path} is a folder`, `Its files are '${join(path, "**/*")}'.`);
  return path;
}

async function expand(pattern: string): Promise<string[]> {
  const paths = await glob(pattern, { expandDirectories: false, onlyFiles: true, absolute: isAbsolute(pattern) });
  if (paths.length === 0) throw new UsageError(`no file fits ${pattern}`, "Patterns know *, **, ?, [ab] and {a,b}; names that begin with a dot must be written out.");
  return paths.sort();
}

/** What is in each file, read when it is asked for. @throws UsageError that names the file. */
export async function* readFiles(paths: readonly string[], mode: ReadMode): AsyncGenerator<unknown> {
  for (const path of paths) {
    const content = await readFile(path).catch((cause: unknown) => {
      throw new UsageError(`${path} cannot be read: ${messageOf(cause)}`);
    });
    yield mode === "buffer" ? content : mode === "text" ? content.toString("utf8") : parse(content.toString("utf8"), path);
  }
}

/** The file's bytes. @throws UsageError when it cannot be read, while it is iterated. */
export async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw new UsageError(`${path} cannot be read: ${messageOf(cause)}`);
  }
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw new UsageError(`${path} is not JSON: ${messageOf(cause)}`);
  }
}
