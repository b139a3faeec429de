/** Small questions to a syntax tree. */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import { bindingNames } from "../names.ts";

export type FunctionNode = ts.FunctionExpression | ts.ArrowFunction | ts.FunctionDeclaration | ts.MethodDeclaration;

/** The expression within parentheses and what only the type checker sees. */
export function bare(ts: TypeScript, node: ts.Expression): ts.Expression {
  const isWrapper =
    ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isNonNullExpression(node) || ts.isTypeAssertionExpression(node);
  return isWrapper ? bare(ts, node.expression) : node;
}

/** `rows` of `rows[0].list`, `this` of `this.list`; undefined for what is made on the spot. */
export function rootOf(ts: TypeScript, node: ts.Node): string | undefined {
  if (ts.isIdentifier(node)) return node.text;
  if (node.kind === ts.SyntaxKind.ThisKeyword) return "this";
  const isStepInto = ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node);
  if (isStepInto) return rootOf(ts, node.expression);
  const inner = bare(ts, node as ts.Expression);
  return inner === node ? undefined : rootOf(ts, inner);
}

/** A function or class that stands in the way: what is within it does not run where it stands. */
export function isBorder(ts: TypeScript, node: ts.Node): boolean {
  return ts.isFunctionLike(node) || ts.isClassLike(node) || ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
}

export function isFunctionText(ts: TypeScript, node: ts.Node): node is ts.ArrowFunction | ts.FunctionExpression {
  return ts.isArrowFunction(node) || ts.isFunctionExpression(node);
}

export function isAsyncText(ts: TypeScript, node: FunctionNode): boolean {
  return node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AsyncKeyword) ?? false;
}

export function isLoop(ts: TypeScript, node: ts.Node): node is ts.IterationStatement {
  return ts.isIterationStatement(node, false);
}

/** Names that a piece of code declares by itself, those of functions within it too. */
export function ownNames(ts: TypeScript, ...parts: readonly ts.Node[]): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isParameter(node) || ts.isVariableDeclaration(node)) for (const name of bindingNames(ts, node.name)) names.add(name);
    if ((ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isFunctionExpression(node)) && node.name !== undefined) names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  parts.forEach(visit);
  return names;
}

/** Whether one of the names is used somewhere as a variable. */
export function mentioned(ts: TypeScript, node: ts.Node, names: ReadonlySet<string>): string | undefined {
  if (ts.isIdentifier(node)) return names.has(node.text) && !isLabel(ts, node) ? node.text : undefined;
  if (ts.isTypeNode(node)) return undefined;
  return ts.forEachChild(node, (child) => mentioned(ts, child, names));
}

/** The name of a property or parameter of a literal, not a variable. */
function isLabel(ts: TypeScript, node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  return (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent) || ts.isPropertyDeclaration(parent)) && parent.name === node;
}

/** All nodes of a piece of code, those of functions within it too. */
export function everyNode(ts: TypeScript, parts: readonly ts.Node[]): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTypeNode(node)) return;
    found.push(node);
    ts.forEachChild(node, visit);
  };
  parts.forEach(visit);
  return found;
}

/** The right side is evaluated only sometimes: `&&`, `||`, `??`. */
export function isShort(ts: TypeScript, kind: ts.SyntaxKind): boolean {
  return kind === ts.SyntaxKind.AmpersandAmpersandToken || kind === ts.SyntaxKind.BarBarToken || kind === ts.SyntaxKind.QuestionQuestionToken;
}

/** The same for `&&=`, `||=`, `??=`. */
export function isShortAssignment(ts: TypeScript, kind: ts.SyntaxKind): boolean {
  return kind === ts.SyntaxKind.AmpersandAmpersandEqualsToken || kind === ts.SyntaxKind.BarBarEqualsToken || kind === ts.SyntaxKind.QuestionQuestionEqualsToken;
}
