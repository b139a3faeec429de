/** What a loop goes over: `for (const x of xs)`, `for (let i = 0; i < n; i++)`, `xs.forEach((x) => …)`, and loops that only hold another one. */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import { bindingNames } from "../names.ts";
import { CarriesState } from "./carries-state.ts";
import { bare, everyNode, isBorder, isFunctionText } from "./nodes.ts";

type HeadLoop = ts.ForOfStatement | ts.ForInStatement | ts.ForStatement;

/** `xs.forEach(fn)` as a statement. */
export interface Each {
  readonly receiver: ts.Expression;
  readonly fn: ts.ArrowFunction | ts.FunctionExpression;
}

export interface LoopHead {
  /** From the outermost inwards; empty for `forEach`. */
  readonly loops: readonly HeadLoop[];
  readonly each: Each | undefined;
  /** What runs in each turn. */
  readonly body: ts.Statement | ts.ConciseBody;
  /** The variables that a turn begins with. */
  readonly targets: readonly string[];
  /** What is evaluated to go over it. */
  readonly parts: readonly ts.Node[];
}

/** Whether the statement is a loop that has turns. */
export function isTurning(ts: TypeScript, node: ts.Node): node is HeadLoop | ts.ExpressionStatement {
  return ts.isForOfStatement(node) || ts.isForInStatement(node) || ts.isForStatement(node) || eachOf(ts, node) !== undefined;
}

/** @param isWork whether evaluating something is work for a cluster: then it stays in the turn. @throws CarriesState */
export function readHead(ts: TypeScript, node: HeadLoop | ts.ExpressionStatement, isWork: (part: ts.Node) => boolean): LoopHead {
  const each = eachOf(ts, node);
  if (each !== undefined) return headOfEach(ts, each);
  const loops: HeadLoop[] = [];
  for (let at: HeadLoop | undefined = node as HeadLoop; at !== undefined; at = innerLoop(ts, at, isWork)) loops.push(at);
  const last = loops.at(-1) as HeadLoop;
  const targets = new Set(loops.flatMap((loop) => targetsOf(ts, loop)));
  return { loops, each: undefined, body: last.statement, targets: [...targets], parts: loops.flatMap((loop) => partsOf(ts, loop)) };
}

function eachOf(ts: TypeScript, node: ts.Node): Each | undefined {
  const call = ts.isExpressionStatement(node) ? bare(ts, node.expression) : undefined;
  if (call === undefined || !ts.isCallExpression(call) || !ts.isPropertyAccessExpression(call.expression) || call.expression.name.text !== "forEach") return undefined;
  const [fn] = call.arguments;
  const isPlain = call.arguments.length === 1 && (call.flags & ts.NodeFlags.OptionalChain) === 0 && call === (node as ts.ExpressionStatement).expression;
  return isPlain && fn !== undefined && isFunctionText(ts, fn) ? { receiver: call.expression.expression, fn } : undefined;
}

function headOfEach(ts: TypeScript, each: Each): LoopHead {
  const { fn, receiver } = each;
  if (fn.modifiers !== undefined) throw new CarriesState("nobody waits for its calls");
  if (fn.asteriskToken !== undefined || fn.parameters.length > 2 || fn.parameters.some(({ dotDotDotToken }) => dotDotDotToken !== undefined)) throw new CarriesState("its function looks at the whole array");
  return { loops: [], each, body: fn.body, targets: fn.parameters.flatMap(({ name }) => bindingNames(ts, name)), parts: [receiver, ...fn.parameters] };
}

/** `for (a of as) for (b of bs) …` goes over pairs, where the inner head is cheap to evaluate. */
function innerLoop(ts: TypeScript, { statement }: HeadLoop, isWork: (part: ts.Node) => boolean): HeadLoop | undefined {
  const only = ts.isBlock(statement) ? (statement.statements.length === 1 ? statement.statements[0] : undefined) : statement;
  if (only === undefined || !(ts.isForOfStatement(only) || ts.isForInStatement(only) || ts.isForStatement(only))) return undefined;
  return partsOf(ts, only).some(isWork) || (ts.isForOfStatement(only) && only.awaitModifier !== undefined) ? undefined : only;
}

function targetsOf(ts: TypeScript, loop: HeadLoop): string[] {
  const { initializer } = loop;
  if (initializer === undefined || !ts.isVariableDeclarationList(initializer) || (initializer.flags & ts.NodeFlags.BlockScoped) === 0) throw new CarriesState("its variable lives on after it");
  const names = initializer.declarations.flatMap(({ name }) => bindingNames(ts, name));
  if (ts.isForStatement(loop) && assigns(ts, loop.statement, new Set(names))) throw new CarriesState(`it changes \`${names.join("`, `")}\`, which it counts with`);
  return names;
}

function assigns(ts: TypeScript, body: ts.Node, names: ReadonlySet<string>): boolean {
  return everyNode(ts, [body]).some((node) => {
    const target = ts.isBinaryExpression(node) && node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment && node.operatorToken.kind <= ts.SyntaxKind.LastAssignment ? node.left : ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node) ? node.operand : undefined;
    return target !== undefined && ts.isIdentifier(target) && names.has(target.text);
  });
}

function partsOf(ts: TypeScript, loop: HeadLoop): ts.Node[] {
  if (!ts.isForStatement(loop)) return [loop.initializer, loop.expression];
  return [loop.initializer, loop.condition, loop.incrementor].filter((part) => part !== undefined);
}

/** Statements by which a turn goes on to the next one. @throws CarriesState for other ways out of it. */
export function endsOfTurn(ts: TypeScript, { body, each }: LoopHead): ts.Node[] {
  const ends: ts.Node[] = [];
  const visit = (node: ts.Node, isInLoop: boolean, isInSwitch: boolean): void => {
    if (isBorder(ts, node)) return;
    if ((ts.isBreakStatement(node) || ts.isContinueStatement(node)) && node.label !== undefined) throw new CarriesState(`it goes to \`${node.label.text}\``);
    if (ts.isBreakStatement(node) && !isInLoop && !isInSwitch) throw new CarriesState("it may end early, by `break`");
    if (ts.isContinueStatement(node) && !isInLoop) ends.push(node);
    if (ts.isReturnStatement(node) && each !== undefined) {
      if (node.expression !== undefined) throw new CarriesState("its function gives values to nobody");
      ends.push(node);
    }
    if (ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.BlockScoped) === 0) throw new CarriesState("it declares a `var`, which lives on after it");
    const inLoop = isInLoop || ts.isIterationStatement(node, false);
    const inSwitch = isInSwitch || ts.isSwitchStatement(node);
    ts.forEachChild(node, (child) => visit(child, inLoop, inSwitch));
  };
  visit(body, false, false);
  return ends;
}
