/** The names that statements declare or assign. */
import type ts from "typescript";
import type { TypeScript } from "../typescript.ts";

/** The names of a binding: `{ a, b: [c] }` gives `a` and `c`. */
export function bindingNames(ts: TypeScript, name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? bindingNames(ts, element.name) : []));
}

/** The names that the top level assigns without declaring them, those in functions left out: `total += 1`. */
export function assignedNames(ts: TypeScript, statements: readonly ts.Statement[]): string[] {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return;
    if (ts.isBinaryExpression(node) && isAssignment(ts, node.operatorToken.kind)) addTargets(ts, node.left, names);
    if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && isStep(ts, node.operator)) addTargets(ts, node.operand, names);
    if ((ts.isForInStatement(node) || ts.isForOfStatement(node)) && !ts.isVariableDeclarationList(node.initializer)) addTargets(ts, node.initializer, names);
    ts.forEachChild(node, visit);
  };
  for (const statement of statements) visit(statement);
  return [...names];
}

export function isAssignment(ts: TypeScript, kind: ts.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

export function isStep(ts: TypeScript, operator: ts.SyntaxKind): boolean {
  return operator === ts.SyntaxKind.PlusPlusToken || operator === ts.SyntaxKind.MinusMinusToken;
}

/** What an assignment gives a value to: `a` and `b.c` of `[a, { x: b.c }]`. */
export function assignmentTargets(ts: TypeScript, target: ts.Node): ts.Node[] {
  if (ts.isArrayLiteralExpression(target)) return target.elements.flatMap((element) => assignmentTargets(ts, element));
  if (ts.isSpreadElement(target) || ts.isSpreadAssignment(target) || ts.isParenthesizedExpression(target)) return assignmentTargets(ts, target.expression);
  if (ts.isObjectLiteralExpression(target)) return target.properties.flatMap((property) => (ts.isShorthandPropertyAssignment(property) ? [property.name] : ts.isPropertyAssignment(property) ? assignmentTargets(ts, property.initializer) : assignmentTargets(ts, property)));
  return ts.isBinaryExpression(target) ? assignmentTargets(ts, target.left) : [target];
}

function addTargets(ts: TypeScript, target: ts.Node, names: Set<string>): void {
  if (ts.isIdentifier(target)) names.add(target.text);
  else if (ts.isParenthesizedExpression(target) || ts.isAsExpression(target) || ts.isNonNullExpression(target) || ts.isSpreadElement(target)) addTargets(ts, target.expression, names);
  else if (ts.isArrayLiteralExpression(target)) for (const element of target.elements) addTargets(ts, element, names);
  else if (ts.isBinaryExpression(target)) addTargets(ts, target.left, names);
  else if (ts.isObjectLiteralExpression(target)) for (const property of target.properties) addProperty(ts, property, names);
}

function addProperty(ts: TypeScript, property: ts.ObjectLiteralElementLike, names: Set<string>): void {
  if (ts.isShorthandPropertyAssignment(property)) names.add(property.name.text);
  else if (ts.isPropertyAssignment(property)) addTargets(ts, property.initializer, names);
  else if (ts.isSpreadAssignment(property)) addTargets(ts, property.expression, names);
}

/** Whether the name is used as a value somewhere, not only as a type. */
export function isUsedAsValue(ts: TypeScript, file: ts.SourceFile, name: string): boolean {
  let found = false;
  const visit = (node: ts.Node): void => {
    if (found || ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    if (ts.isIdentifier(node) && node.text === name) found = true;
    else ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
