/** What of a script's top level is sent and what is not, for people. */
import type * as ESTree from "estree";
import type { Script } from "./script.ts";
import { originalPosition } from "./source-maps.ts";
import type { Node } from "./syntax.ts";

/** One statement of the script. */
export interface StatementLine {
  /** In the user's file, from 1. */
  readonly line: number;
  /** How it begins. */
  readonly text: string;
}

/** The statements of a script's top level, each in one of the two lists. */
export interface ScriptParts {
  readonly file: string;
  readonly sent: StatementLine[];
  readonly leftOut: StatementLine[];
}

const MAX_TEXT_LENGTH = 80;

/** @param kept statements that are sent; `marked` is a statement of our own that nobody wrote. */
export function scriptParts(script: Script, file: string, kept: readonly Node[], marked?: Node): ScriptParts {
  const sent = new Set(kept);
  const body = (script.analysis.root as ESTree.Program & Node).body as unknown as Node[];
  const lines = (wanted: boolean) =>
    body.filter((statement) => statement !== marked && statement.type !== "EmptyStatement" && sent.has(statement) === wanted).map((statement) => lineOf(script, statement));
  return { file, sent: lines(true), leftOut: lines(false) };
}

function lineOf(script: Script, { start, end }: Node): StatementLine {
  const [text = ""] = script.source.slice(start, end).split("\n");
  const { line } = originalPosition(script, start);
  return { line, text: text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH - 1)}…` : text };
}
