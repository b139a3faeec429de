/** The text of a cell -> its syntax tree, or the error that a user can read. */
import type ts from "typescript";
import type { TypeScript } from "../typescript.ts";
import { frameOf } from "./code-frame.ts";

/** What stands in the place of a stack: the line, and a caret below the column. */
export class CellSyntaxError extends SyntaxError {
  constructor(message: string, source: string, label: string, at: { line: number; column: number }) {
    super(message);
    this.name = "SyntaxError";
    this.stack = `${label}:${at.line}:${at.column}\n${frameOf(source, at.line, at.column)}\nSyntaxError: ${message}`;
  }
}

export interface ParseOptions {
  readonly label: string;
  readonly language: "typescript" | "javascript";
}

/** @throws CellSyntaxError */
export function parseCell(ts: TypeScript, text: string, options: ParseOptions): ts.SourceFile {
  const file = read(ts, text, options);
  const [diagnostic] = diagnosticsOf(file);
  if (diagnostic === undefined) return file;
  const asExpression = looksLikeObject(text) ? read(ts, `(${text})`, options) : undefined;
  if (asExpression !== undefined && diagnosticsOf(asExpression).length === 0) return asExpression;
  throw syntaxError(ts, file, diagnostic, options.label);
}

/** `{ a: 1, b: 2 }` alone in a cell is meant as an object; also `{ a: 1 }`, which would be a block with a label. */
export function objectText(ts: TypeScript, file: ts.SourceFile, options: ParseOptions): ts.SourceFile {
  const [only] = file.statements;
  if (file.statements.length !== 1 || only === undefined || !ts.isBlock(only) || !looksLikeObject(file.text)) return file;
  const [first] = only.statements;
  const isMeantAsBlock = only.statements.length !== 1 || first === undefined || !ts.isLabeledStatement(first) || !ts.isExpressionStatement(first.statement);
  if (isMeantAsBlock) return file;
  const asExpression = read(ts, `(${file.text.trim()})`, options);
  return diagnosticsOf(asExpression).length === 0 ? asExpression : file;
}

function looksLikeObject(text: string): boolean {
  return /^\s*\{[^]*\}\s*$/.test(text);
}

function read(ts: TypeScript, text: string, { label, language }: ParseOptions): ts.SourceFile {
  const kind = language === "typescript" ? ts.ScriptKind.TS : ts.ScriptKind.JS;
  const options: ts.CreateSourceFileOptions = { languageVersion: ts.ScriptTarget.Latest, setExternalModuleIndicator: markAsModule };
  return ts.createSourceFile(`${label}.${language === "typescript" ? "mts" : "mjs"}`, text, options, true, kind);
}

/** In a module, `await (x)` awaits; elsewhere it may be a call. */
function markAsModule(file: ts.SourceFile): void {
  (file as unknown as { externalModuleIndicator: boolean }).externalModuleIndicator = true;
}

/** Not in TypeScript's types, and the one way to the errors of a parse alone. */
function diagnosticsOf(file: ts.SourceFile): readonly ts.DiagnosticWithLocation[] {
  return (file as unknown as { parseDiagnostics: readonly ts.DiagnosticWithLocation[] }).parseDiagnostics;
}

function syntaxError(ts: TypeScript, file: ts.SourceFile, { start, messageText }: ts.DiagnosticWithLocation, label: string): CellSyntaxError {
  const { line, character } = file.getLineAndCharacterOfPosition(start);
  return new CellSyntaxError(ts.flattenDiagnosticMessageText(messageText, "\n"), file.text, label, { line: line + 1, column: character + 1 });
}
