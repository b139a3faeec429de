/** Whether the function of a map changes variables of the cells: that means the same only where all its calls run in one place. */
import type ts from "typescript";
import type { TypeScript } from "../typescript.ts";
import { bindingNames, isAssignment, isStep } from "./names.ts";

/** A variable of the cells, not one of the function's own. */
export type IsShared = (name: string, as: "variable" | "container") => boolean;

/** Methods by which arrays, maps and sets are changed. */
const CHANGING = new Set(["push", "pop", "shift", "unshift", "splice", "sort", "reverse", "fill", "copyWithin", "set", "add", "delete", "clear"]);

/** Looks at functions that stand in the expression itself. */
export function changesShared(ts: TypeScript, expression: ts.Expression, isShared: IsShared): boolean {
  if (!ts.isArrowFunction(expression) && !ts.isFunctionExpression(expression)) return false;
  const own = ownNames(ts, expression);
  const hits = (target: ts.Node, as: "variable" | "container"): boolean => {
    const root = rootOf(ts, target);
    return root !== undefined && !own.has(root) && isShared(root, as);
  };
  const visit = (node: ts.Node): boolean => {
    if (ts.isBinaryExpression(node) && isAssignment(ts, node.operatorToken.kind) && hits(node.left, "variable")) return true;
    if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && isStep(ts, node.operator) && hits(node.operand, "variable")) return true;
    if (ts.isDeleteExpression(node) && hits(node.expression, "variable")) return true;
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && CHANGING.has(node.expression.name.text) && hits(node.expression.expression, "container")) return true;
    return ts.forEachChild(node, visit) ?? false;
  };
  return visit(expression.body);
}

/** `rows` of `rows[0].list`. */
function rootOf(ts: TypeScript, target: ts.Node): string | undefined {
  if (ts.isIdentifier(target)) return target.text;
  const isStepInto = ts.isPropertyAccessExpression(target) || ts.isElementAccessExpression(target) || ts.isNonNullExpression(target) || ts.isParenthesizedExpression(target) || ts.isAsExpression(target);
  return isStepInto ? rootOf(ts, target.expression) : undefined;
}

function ownNames(ts: TypeScript, fn: ts.Node): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isParameter(node) || ts.isVariableDeclaration(node)) for (const name of bindingNames(ts, node.name)) names.add(name);
    if ((ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) && node.name !== undefined) names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(fn);
  return names;
}
