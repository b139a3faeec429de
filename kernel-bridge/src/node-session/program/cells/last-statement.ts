/** What the last statement of a cell is, when the cell is to run on the cluster: a map over inputs, or anything else. */
import type ts from "typescript";
import type { TypeScript } from "../typescript.ts";
import type { Edit } from "./pieces.ts";
import { SESSION } from "./session-names.ts";

/** How the results of a map become the value of the expression. */
export interface MapShape {
  /** `xs.map(f)`, or `Array.from(xs, f)`. */
  readonly from: "map" | "from";
  /** What stands around it: `Promise.all(...)`, `Promise.allSettled(...)`. */
  readonly around: "none" | "all" | "allSettled";
  /** Whether that is awaited; else the value is a promise. */
  readonly isAwaited: boolean;
  /** `xs?.map(f)` */
  readonly isOptional: boolean;
}

export type LastPlan =
  | { readonly kind: "call" }
  | {
      readonly kind: "map";
      readonly shape: MapShape;
      /** What is called for each input. */
      readonly fn: ts.Expression;
      /** Makes of the map a call of the session. */
      readonly edits: (file: ts.SourceFile) => Edit[];
      /** The same without inputs and function, which a job that was started before has already. */
      readonly attachEdits: (file: ts.SourceFile) => Edit[];
    };

/** The map, and how much of the expression around it goes with it. */
interface FoundMap {
  readonly core: ts.Expression;
  readonly receiver: ts.Expression;
  readonly fn: ts.Expression;
  readonly shape: MapShape;
}

export function planLast(ts: TypeScript, statement: ts.Statement): LastPlan {
  const expression = valueOf(ts, statement);
  const found = expression === undefined ? undefined : findMap(ts, expression);
  if (found === undefined) return { kind: "call" };
  const { core, receiver, fn, shape } = found;
  const settle = shape.around !== "none" && !shape.isAwaited;
  const open = settle ? `Promise.resolve(await ${SESSION}.map(` : `(await ${SESSION}.map(`;
  const close = `, ${JSON.stringify(shape)}))`;
  return {
    kind: "map",
    shape,
    fn,
    edits: (file) => [
      { start: core.getStart(file), end: receiver.getStart(file), text: `${open}(` },
      { start: receiver.end, end: fn.getStart(file), text: "), " },
      { start: fn.end, end: core.end, text: close },
    ],
    attachEdits: (file) => [{ start: core.getStart(file), end: core.end, text: `${open}null, null${close}` }],
  };
}

/** The expression whose value the statement shows or binds. */
function valueOf(ts: TypeScript, statement: ts.Statement): ts.Expression | undefined {
  if (ts.isVariableStatement(statement)) {
    const { declarations } = statement.declarationList;
    return declarations.length === 1 ? declarations[0]?.initializer : undefined;
  }
  if (ts.isExportAssignment(statement)) return statement.expression;
  if (!ts.isExpressionStatement(statement)) return undefined;
  const inner = bare(ts, statement.expression);
  const isAssignment = ts.isBinaryExpression(inner) && inner.operatorToken.kind === ts.SyntaxKind.EqualsToken;
  return isAssignment ? inner.right : statement.expression;
}

/** Looks through parentheses and what only the type checker sees, and through `await`. */
function findMap(ts: TypeScript, expression: ts.Expression): FoundMap | undefined {
  const inner = bare(ts, expression);
  if (!ts.isAwaitExpression(inner)) return readMap(ts, inner, inner, false);
  const awaited = bare(ts, inner.expression);
  // Parentheses may stand between the two: then the await stays where it is, and waits for what is there already.
  return readMap(ts, awaited, awaited === inner.expression ? inner : awaited, true);
}

function readMap(ts: TypeScript, node: ts.Expression, core: ts.Expression, isAwaited: boolean): FoundMap | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  const around = promiseMethod(ts, node);
  const [argument] = node.arguments;
  if (around === undefined) return readCall(ts, node, core, { around: "none", isAwaited });
  if (node.arguments.length !== 1 || argument === undefined) return undefined;
  const inner = bare(ts, argument);
  return ts.isCallExpression(inner) ? readCall(ts, inner, core, { around, isAwaited }) : undefined;
}

function readCall(ts: TypeScript, call: ts.CallExpression, core: ts.Expression, { around, isAwaited }: Pick<MapShape, "around" | "isAwaited">): FoundMap | undefined {
  const { expression: callee } = call;
  if (!ts.isPropertyAccessExpression(callee) || call.arguments.some((argument) => ts.isSpreadElement(argument))) return undefined;
  const [first, second] = call.arguments;
  const shape = { around, isAwaited, isOptional: (call.flags & ts.NodeFlags.OptionalChain) !== 0 };
  if (isGlobalCall(ts, callee, "Array", "from") && call.arguments.length === 2 && first !== undefined && second !== undefined) {
    return { core, receiver: first, fn: second, shape: { ...shape, from: "from" } };
  }
  const isMap = callee.name.text === "map" && call.arguments.length === 1 && callee.expression.kind !== ts.SyntaxKind.SuperKeyword;
  // Asking for a map of a nullish value must fail as it does here, so an optional call stays one whole.
  if (!isMap || first === undefined || call.questionDotToken !== undefined) return undefined;
  return { core, receiver: callee.expression, fn: first, shape: { ...shape, from: "map" } };
}

function promiseMethod(ts: TypeScript, call: ts.CallExpression): "all" | "allSettled" | undefined {
  if (isGlobalCall(ts, call.expression, "Promise", "all")) return "all";
  return isGlobalCall(ts, call.expression, "Promise", "allSettled") ? "allSettled" : undefined;
}

function isGlobalCall(ts: TypeScript, callee: ts.Expression, object: string, method: string): boolean {
  return ts.isPropertyAccessExpression(callee) && callee.questionDotToken === undefined && ts.isIdentifier(callee.expression) && callee.expression.text === object && callee.name.text === method;
}

function bare(ts: TypeScript, node: ts.Expression): ts.Expression {
  const isWrapper =
    ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isNonNullExpression(node) || ts.isTypeAssertionExpression(node);
  return isWrapper ? bare(ts, node.expression) : node;
}
