/**
 * Statements at the top level of a cell, so that what they declare lives on: a declaration becomes an assignment to a
 * property of the global object, where later cells, and the client's capture, find it. A later cell may declare it anew,
 * and functions see the newest.
 */
import type ts from "typescript";
import type { TypeScript } from "../typescript.ts";
import { cut, type Edit, type Piece } from "./pieces.ts";

export interface StatementContext {
  readonly ts: TypeScript;
  readonly file: ts.SourceFile;
  readonly edits: readonly Edit[];
}

/** The text of a node with the cell's edits. */
export function piecesOf({ file, edits }: StatementContext, node: ts.Node): Piece[] {
  return cut(file.text, node.getStart(file), node.end, edits);
}

/** `const a = 1, { b } = c` -> `(a = 1, { b } = c)`. */
export function variablePieces(context: StatementContext, statement: ts.VariableStatement): Piece[] {
  const { file } = context;
  const pieces: Piece[] = [{ text: ";(", at: statement.getStart(file) }];
  statement.declarationList.declarations.forEach((declaration, index) => {
    if (index > 0) pieces.push({ text: ", " });
    pieces.push(...piecesOf(context, declaration.name), { text: " = " });
    if (declaration.initializer === undefined) pieces.push({ text: "undefined" });
    else pieces.push(...piecesOf(context, declaration.initializer));
  });
  return [...pieces, { text: ");\n" }];
}

/** `async function f() {}` -> `f = async function () {}`: without a name of its own, so that `f` in it is the newest. */
export function functionPieces({ file, edits }: StatementContext, node: ts.FunctionDeclaration & { name: ts.Identifier }): Piece[] {
  const isAsync = /\basync\b/.test(modifiersText(file, node));
  const head = `;${node.name.text} = ${isAsync ? "async " : ""}function${node.asteriskToken === undefined ? "" : "*"} `;
  return [{ text: head, at: node.getStart(file) }, ...cut(file.text, node.name.end, node.end, edits), { text: ";\n" }];
}

/** `class A {}` -> `(A = class A {})`: with its name, which its own body needs before there is a variable. */
export function classPieces(context: StatementContext, node: ts.ClassDeclaration & { name: ts.Identifier }): Piece[] {
  const start = node.getStart(context.file);
  return [{ text: `;(${node.name.text} = `, at: start }, ...withoutModifiers(context, node), { text: ");\n" }];
}

/** A declaration without `export`, `declare`, `abstract`, `default`, and decorators kept. */
export function withoutModifiers({ ts, file, edits }: StatementContext, node: ts.ClassDeclaration | ts.FunctionDeclaration | ts.EnumDeclaration | ts.ModuleDeclaration | ts.VariableStatement): Piece[] {
  const kept = node.modifiers?.filter((modifier) => modifier.kind === ts.SyntaxKind.AsyncKeyword || ts.isDecorator(modifier)) ?? [];
  const keptText = kept.map((modifier) => `${modifier.getText(file)} `).join("");
  const after = node.modifiers === undefined ? node.getStart(file) : node.modifiers.end;
  return [...(keptText === "" ? [] : [{ text: keptText, at: node.getStart(file) }]), ...cut(file.text, after, node.end, edits)];
}

function modifiersText(file: ts.SourceFile, { modifiers }: ts.FunctionDeclaration): string {
  return modifiers === undefined ? "" : file.text.slice(modifiers.pos, modifiers.end);
}
