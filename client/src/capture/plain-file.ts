import { readFileSync } from "node:fs";
import { fileOf, Script } from "./script.ts";

/** A script as a stack names it, and one function of it. */
export interface SeenScript {
  id: string;
  url: string;
  isModule: boolean;
  /** The function's text, and a place within it: line and column, both from 0. */
  text: string;
  line: number;
  column: number;
}

/** Files that V8 is given as they are, unless a loader changes them. */
const PLAIN = /\.[cm]?js$/;
const SOURCE_MAP_COMMENT = /\/\/[#@] sourceMappingURL=(\S+)\s*$/;

/**
 * The script, read from its file, if V8 runs that file as it is: then the function's text stands in the file where V8
 * says that the function is. Undefined where a loader or an editor has changed it.
 */
export function readPlainFile({ id, url, isModule, text, line, column }: SeenScript): Script | undefined {
  const file = fileOf(url);
  if (file === undefined || !PLAIN.test(file)) return undefined;
  let source: string;
  try {
    source = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  const script = new Script({ id, url, source, isModule, sourceMapUrl: SOURCE_MAP_COMMENT.exec(source)?.[1] ?? "", isFromFile: true });
  return standsThere(script, text, script.offsetOf(line, column)) ? script : undefined;
}

/** Whether the function's text stands in the script around the place where V8 says that the function is. */
export function standsThere({ source }: Script, text: string, offset: number): boolean {
  const found = source.lastIndexOf(text, offset);
  return found >= 0 && found + text.length > offset;
}
