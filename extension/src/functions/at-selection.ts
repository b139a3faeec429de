/** Which function a selection means. */
import type { SyntaxNode } from "@lezer/common";
import type { FunctionRef } from "../runner/messages.ts";
import { isFunction, outlineOf, parseFile, type LanguageId, type Range } from "./outline.ts";

export interface MeantFunction {
  readonly ref: FunctionRef;
  /** What a person calls it. */
  readonly label: string;
}

/**
 * A selected function expression; else the function of the top level around the cursor; else the outermost function
 * expression around it, such as the argument of a call. Null when there is none.
 */
export function functionAt(text: string, language: LanguageId, selection: Range): MeantFunction | null {
  const { start, end } = trim(text, selection);
  const root = parseFile(text, language).topNode;
  const selected = start < end ? outermost(root, (node) => node.from === start && node.to === end) : null;
  if (selected !== null && !isTopLevel(selected)) return asRange(selected, text);
  const named = outlineOf(text, language).functions.find((found) => found.start <= start && start <= found.end);
  if (named !== undefined) return { ref: { kind: "named", name: named.name }, label: named.label };
  const around = outermost(root, (node) => node.from <= start && end <= node.to);
  return around === null ? null : asRange(around, text);
}

/** The first function that fits, from the outside in. */
function outermost(root: SyntaxNode, fits: (node: SyntaxNode) => boolean): SyntaxNode | null {
  let found: SyntaxNode | null = null;
  root.tree?.iterate({
    enter: ({ node }) => {
      if (found === null && isFunction(node) && node.getChild("Star") === null && fits(node)) found = node;
      return found === null;
    },
  });
  return found;
}

function isTopLevel(node: SyntaxNode): boolean {
  return node.name === "FunctionDeclaration" && (node.matchContext(["Script"]) || node.matchContext(["Script", "ExportDeclaration"]));
}

function asRange({ from, to }: SyntaxNode, text: string): MeantFunction {
  const line = text.slice(0, from).split("\n").length;
  const label = `function in line ${line}`;
  return { ref: { kind: "range", start: from, end: to, label }, label };
}

/** Without white space at both ends, and without a semicolon or comma after it. */
function trim(text: string, { start, end }: Range): Range {
  const selected = text.slice(start, end);
  const head = selected.length - selected.trimStart().length;
  const tail = selected.length - selected.replace(/[\s;,]+$/, "").length;
  return head + tail >= selected.length ? { start, end: start } : { start: start + head, end: end - tail };
}
