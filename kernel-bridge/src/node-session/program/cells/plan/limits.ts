/** How many calls at once the user allows: `const limit = pLimit(4)`, `xs.map((x) => limit(() => f(x)))`. */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import type { Meaning } from "./meaning.ts";
import { bare, isFunctionText } from "./nodes.ts";

/** The number, as the text of an expression. Undefined for a function that is under no limit. */
export function limitOf(ts: TypeScript, fn: ts.Expression, meaning: Meaning): string | undefined {
  const node = bare(ts, fn);
  const body = isFunctionText(ts, node) ? onlyValue(ts, node.body) : undefined;
  const call = body === undefined ? undefined : bare(ts, ts.isAwaitExpression(body) ? body.expression : body);
  if (call === undefined || !ts.isCallExpression(call) || !ts.isIdentifier(call.expression)) return undefined;
  const { text: name } = call.expression;
  const made = meaning.initializerOf(name);
  if (made !== undefined) return isMaker(ts, made, meaning) ? made.arguments[0]?.getText() : undefined;
  const value = meaning.valueOf(name);
  return typeof value === "function" && "activeCount" in value && "pendingCount" in value ? `${name}.concurrency` : undefined;
}

function isMaker(ts: TypeScript, node: ts.Node, meaning: Meaning): node is ts.CallExpression {
  if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return false;
  const imported = meaning.importOf(node.expression.text);
  return imported?.specifier === "p-limit" && imported.exported === "default" && node.arguments[0] !== undefined && ts.isNumericLiteral(node.arguments[0]);
}

function onlyValue(ts: TypeScript, body: ts.ConciseBody): ts.Expression | undefined {
  if (!ts.isBlock(body)) return body;
  const [only] = body.statements;
  return body.statements.length === 1 && only !== undefined && ts.isReturnStatement(only) ? only.expression : undefined;
}
