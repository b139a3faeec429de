/**
 * What becomes of a cell that is to run on the cluster: each statement that is a map runs there, the others run here; a cell
 * without one is one call.
 */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import type { Edit } from "../pieces.ts";
import { MapFinder, type Refused } from "./finder.ts";
import type { Meaning } from "./meaning.ts";
import { isBorder } from "./nodes.ts";

/** A statement of the cell, for people. */
export interface PlannedStep {
  readonly line: number;
  readonly text: string;
  readonly where: "here" | "map" | "call";
}

export interface CellPlan {
  readonly how: "map" | "call";
  /** Empty for a cell of one statement. */
  readonly steps: readonly PlannedStep[];
  /** Of a call: why it is one, and the line that keeps it from being a map, where one does. */
  readonly note: string;
  readonly noteLine: number | null;
  /** Whether the n-th job is that of the n-th map: each of them runs once, whatever the cell does. */
  readonly isStraight: boolean;
  /** Expressions that become loops, and have no value any more. */
  readonly loops: ReadonlySet<ts.Node>;
  /** Makes of the maps calls of the session. @param attachStep the map whose job was begun before; null for none. */
  readonly edits: (attachStep: number | null) => Edit[];
}

const MAX_TEXT = 80;

/** @param body the statements that run, in order. */
export function planCell(ts: TypeScript, file: ts.SourceFile, body: readonly ts.Statement[], meaning: Meaning): CellPlan {
  const finder = new MapFinder(ts, file, meaning);
  let found = finder.find(body, false);
  // What is no work for a cluster goes there when it is all that the cell has.
  if (found.taken.length === 0 && found.weak.size > 0 && !finder.isWork(body, found.weak)) found = finder.find(body, true);
  const { taken, refused } = found;
  const how = taken.length > 0 ? "map" : "call";
  const steps = stepsOf(ts, file, (statement) => (how === "call" ? callPlace(ts, statement) : taken.some(({ node }) => isWithin(node, statement)) ? "map" : "here"));
  const isStraight = taken.every((one) => one.isStraight);
  // Of two that begin at one place the outer one comes first: it runs last.
  const edits = (attachStep: number | null) => taken.toReversed().flatMap((one, index) => (isStraight && taken.length - 1 - index === attachStep ? one.attachEdits : one.edits));
  const loops = new Set(taken.map(({ node }) => node).filter((node) => ts.isExpressionStatement(node)));
  return { how, steps, isStraight, loops, edits, ...(how === "call" ? noteOf(refused, body.length) : { note: "", noteLine: null }) };
}

function isWithin(node: ts.Node, statement: ts.Node): boolean {
  return node.pos >= statement.pos && node.end <= statement.end;
}

function callPlace(ts: TypeScript, statement: ts.Statement): "here" | "call" {
  return ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement) || isBorder(ts, statement) ? "here" : "call";
}

function stepsOf(ts: TypeScript, file: ts.SourceFile, where: (statement: ts.Statement) => PlannedStep["where"]): PlannedStep[] {
  const statements = file.statements.filter((statement) => !ts.isEmptyStatement(statement) && !ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement));
  if (statements.length < 2) return [];
  return statements.map((statement) => ({ line: lineOf(file, statement), text: headOf(statement.getText(file)), where: where(statement) }));
}

function headOf(text: string): string {
  const [first = ""] = text.split(/\r?\n/, 1);
  return first.length <= MAX_TEXT ? first : `${first.slice(0, MAX_TEXT - 1)}…`;
}

function noteOf(refused: readonly Refused[], statements: number): Pick<CellPlan, "note" | "noteLine"> {
  const [first] = [...refused].sort((a, b) => a.line - b.line);
  if (first !== undefined) return { note: `One call: line ${first.line} is no map, since ${first.reason}.`, noteLine: first.line };
  return { note: statements > 1 ? "One call: no statement of it calls a function for each of many inputs." : "One call.", noteLine: null };
}

function lineOf(file: ts.SourceFile, node: ts.Node): number {
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}
