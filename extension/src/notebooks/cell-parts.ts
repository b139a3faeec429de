/** A cell's text -> the parts around one of its statements. Pure. */
import { parseFile } from "../functions/outline.ts";
import { pythonStarts } from "../functions/python-lines.ts";
import type { KernelKind } from "./controller.ts";

/**
 * What stands before the statement of a line, the statement, and what follows it: without parts that are empty.
 * @param line counts from 1.
 */
export function partsAround(text: string, kind: KernelKind, line: number): string[] {
  const lines = text.split("\n");
  const at = Math.min(Math.max(1, line), lines.length) - 1;
  const { first, end } = kind === "python" ? pythonStatement(lines, at) : scriptStatement(text, lines, at);
  const start = withComments(lines, first, kind === "python" ? PYTHON_COMMENT : SCRIPT_COMMENT);
  const parts = [lines.slice(0, start), lines.slice(start, end), lines.slice(end)];
  return parts.map((part) => trimmed(part).join("\n")).filter((part) => part !== "");
}

const PYTHON_COMMENT = /^[#@]/;
const SCRIPT_COMMENT = /^(\/\/|\/\*|\*)/;

/** Lines, the last one excluded. */
interface Lines {
  readonly first: number;
  readonly end: number;
}

/** A statement of the top level begins at a line that is not indented, and is not the rest of the one before. */
function pythonStatement(lines: readonly string[], at: number): Lines {
  const starts = pythonStarts(lines);
  const first = starts.findLast((start) => start <= at) ?? 0;
  const next = starts.find((start) => start > at);
  return { first, end: next === undefined ? lines.length : withComments(lines, next, PYTHON_COMMENT) };
}

function scriptStatement(text: string, lines: readonly string[], at: number): Lines {
  const lineOf = (offset: number) => text.slice(0, offset).split("\n").length - 1;
  for (let node = parseFile(text, "typescript").topNode.firstChild; node !== null; node = node.nextSibling) {
    const [first, last] = [lineOf(node.from), lineOf(node.to)];
    if (!node.name.endsWith("Comment") && first <= at && at <= last) return { first, end: last + 1 };
  }
  return { first: 0, end: lines.length };
}

/** Comments and decorators right above belong to it. */
function withComments(lines: readonly string[], first: number, comment: RegExp): number {
  let start = first;
  while (start > 0 && comment.test((lines[start - 1] ?? "").trim())) start--;
  return start;
}

function trimmed(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== "");
  const last = lines.findLastIndex((line) => line.trim() !== "");
  return first < 0 ? [] : lines.slice(first, last + 1);
}
