/** Values that a file does not name: an expression that is evaluated at its top level, or one that stands somewhere in it. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type * as ESTree from "estree";
import type { Variable } from "eslint-scope";
import { isTopLevel, referencesIn } from "./analysis.ts";
import type { Capture } from "./types.ts";
import { EntryScope } from "./entry.ts";
import { CaptureError } from "./errors.ts";
import { compileScript, neededStatements, statementPieces } from "./from-source.ts";
import type { Script } from "./script.ts";
import { scriptParts } from "./script-parts.ts";
import { ancestorsAt, contains, type Node } from "./syntax.ts";
import { RESERVED, type Piece } from "./template.ts";

/** A call of this name stands around the expression while the file is compiled, so that it is found again afterwards. */
const MARK = `${RESERVED}marked`;
const VALUE = `${RESERVED}value`;

/** Offsets into the text of a file, without its byte order mark. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * An expression that may use everything at the top level of the file. As with a function of a script, only what it needs
 * is sent. Nothing is run here. Throws CaptureError.
 */
export async function captureExpression(file: string, expression: string, name = "expression"): Promise<Capture> {
  const text = readText(file);
  return captureMarked(file, `${text}\n;${MARK}(\n${expression}\n);`, name);
}

/**
 * The function expression at that place of the file. It may use everything at the top level of the file, and nothing of
 * the functions around it: their variables have values only while they run. Throws CaptureError.
 */
export async function captureRange(file: string, { start, end }: TextRange, name = "selection"): Promise<Capture> {
  const text = readText(file);
  return captureMarked(file, `${text.slice(0, start)}${MARK}(${text.slice(start, end)})${text.slice(end)}`, name);
}

async function captureMarked(file: string, text: string, name: string): Promise<Capture> {
  const path = resolve(file);
  const script = await compileScript(path, text);
  const expression = markedExpression(script, path, name);
  const scope = new EntryScope();
  const kept = neededStatements(script, script.analysis.root as ESTree.Program & Node, topLevelUses(script, expression, name));
  const pieces: Piece[] = kept.flatMap((statement) => statementPieces(script, statement, scope.context));
  pieces.push({ text: `\nconst ${VALUE} = (` }, ...statementPieces(script, expression, scope.context), { text: `);\nexport default async () => ${VALUE};\n` });
  return { name, values: new Uint8Array(), entry: scope.finish(pieces), origin: dirname(path), parts: scriptParts(script, path, kept, statementOf(script, expression)) };
}

function markedExpression(script: Script, path: string, name: string): Node {
  const mark = script.analysis.references.find(({ identifier }) => identifier.name === MARK);
  const place = mark === undefined ? [] : ancestorsAt(script.analysis.root, (mark.identifier as unknown as Node).start);
  const call = place.at(-2);
  const [expression, ...more] = call?.type === "CallExpression" ? (call.arguments as unknown as Node[]) : [];
  if (expression !== undefined && more.length === 0 && expression.type !== ("SpreadElement" as string)) return expression;
  throw new CaptureError({ path: [name], location: path, what: "it is not one expression", cure: "Give a single expression, such as `[1, 2, 3]` or `(x) => x * 2`." });
}

/** The statement that holds the mark alone: one that the user wrote is left out like others. */
function statementOf(script: Script, expression: Node): Node | undefined {
  const [, statement, call] = ancestorsAt(script.analysis.root, expression.start);
  return statement?.type === "ExpressionStatement" && call?.type === "CallExpression" && (call.callee as { name?: string }).name === MARK ? statement : undefined;
}

/** The variables of the file's top level that the expression uses. */
function topLevelUses(script: Script, expression: Node, name: string): Variable[] {
  const used = new Set<Variable>();
  for (const { resolved, identifier } of referencesIn(script.analysis, expression)) {
    if (resolved === null) continue;
    if (isTopLevel(resolved)) used.add(resolved);
    else if (!resolved.defs.every((definition) => contains(expression, definition.name as unknown as Node))) throw localVariable(name, identifier.name);
  }
  return [...used];
}

function localVariable(name: string, variable: string): CaptureError {
  return new CaptureError({
    path: [name, variable],
    what: `"${variable}" belongs to a function around it and has a value only while that function runs`,
    cure: `Make "${variable}" part of the input, or declare it at the top level of the file.`,
  });
}

function readText(file: string): string {
  return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
}
