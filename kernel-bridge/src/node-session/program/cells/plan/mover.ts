/** What of an expression that collects a turn can evaluate by itself, wherever it runs; the rest is done here, in order. */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import { isAssignment, isStep } from "../names.ts";
import { CarriesState } from "./carries-state.ts";
import type { Meaning } from "./meaning.ts";
import { bare, everyNode, isShort, isShortAssignment, mentioned } from "./nodes.ts";

/** Looks at what was put there, which are done here, too. */
const LOOKS = new Set(["get", "has"]);

/** A value that a turn makes. */
export interface Moved {
  readonly node: ts.Expression;
  readonly isSpread: boolean;
}

/** Takes out of an expression what a turn can evaluate: all that does not look at what earlier turns have put there. */
export class Mover {
  readonly #ts: TypeScript;
  readonly #meaning: Meaning;
  readonly #roots: ReadonlySet<string>;
  readonly #moved: Moved[];

  constructor(ts: TypeScript, meaning: Meaning, roots: ReadonlySet<string>, moved: Moved[]) {
    this.#ts = ts;
    this.#meaning = meaning;
    this.#roots = roots;
    this.#moved = moved;
  }

  /** @param isMaybe whether it is done only sometimes. */
  collecting(node: ts.Expression, isMaybe: boolean): void {
    const ts = this.#ts;
    if (ts.isBinaryExpression(node)) {
      this.path(node.left, isMaybe);
      this.value(node.right, isMaybe || isShortAssignment(ts, node.operatorToken.kind));
    } else if (ts.isCallExpression(node)) {
      this.path((node.expression as ts.PropertyAccessExpression).expression, isMaybe);
      for (const argument of node.arguments) this.argument(argument, isMaybe);
    } else {
      this.path((node as ts.PostfixUnaryExpression).operand, isMaybe);
    }
  }

  argument(node: ts.Expression, isMaybe: boolean): void {
    if (this.#ts.isSpreadElement(node)) this.#spread(node, isMaybe);
    else this.value(node, isMaybe);
  }

  /** What is put into: `groups[key(x)]`. */
  path(node: ts.Expression, isMaybe: boolean): void {
    const ts = this.#ts;
    const inner = bare(ts, node);
    if (ts.isIdentifier(inner)) return;
    if (ts.isPropertyAccessExpression(inner)) return this.path(inner.expression, isMaybe);
    if (ts.isElementAccessExpression(inner)) {
      this.path(inner.expression, isMaybe);
      return this.value(inner.argumentExpression, isMaybe);
    }
    if (ts.isCallExpression(inner)) {
      this.path((inner.expression as ts.PropertyAccessExpression).expression, isMaybe);
      return inner.arguments.forEach((argument) => this.argument(argument, isMaybe));
    }
    if (ts.isBinaryExpression(inner)) {
      this.path(inner.left, isMaybe);
      return this.value(inner.right, true);
    }
    throw new CarriesState(`\`${node.getText()}\` is more than a name`);
  }

  /** @param isMaybe whether it is evaluated only sometimes: then it may not be work. */
  value(node: ts.Expression, isMaybe: boolean): void {
    const ts = this.#ts;
    if (isConstant(ts, node)) return;
    const root = mentioned(ts, node, this.#roots);
    if (root === undefined) {
      if (isMaybe && everyNode(ts, [node]).some((part) => ts.isCallExpression(part) || ts.isAwaitExpression(part) || ts.isNewExpression(part))) throw new CarriesState(`\`${node.getText()}\` depends on what earlier turns have left`);
      this.#moved.push({ node, isSpread: false });
      return;
    }
    if (!this.#within(bare(ts, node), isMaybe)) throw new CarriesState(`it looks at \`${root}\`, which earlier turns have changed`);
  }

  /** An expression whose own part is cheap, and is done here. */
  #within(node: ts.Expression, isMaybe: boolean): boolean {
    const ts = this.#ts;
    const every = (...parts: readonly ts.Expression[]): boolean => {
      for (const part of parts) this.value(part, isMaybe);
      return true;
    };
    if (ts.isIdentifier(node)) return true;
    if (ts.isPropertyAccessExpression(node)) return every(node.expression);
    if (ts.isElementAccessExpression(node)) return every(node.expression, node.argumentExpression);
    if (ts.isPrefixUnaryExpression(node) && !isStep(ts, node.operator)) return every(node.operand);
    if (ts.isBinaryExpression(node) && !isAssignment(ts, node.operatorToken.kind)) {
      this.value(node.left, isMaybe);
      this.value(node.right, isMaybe || isShort(ts, node.operatorToken.kind));
      return true;
    }
    if (ts.isArrayLiteralExpression(node)) {
      for (const element of node.elements) this.argument(element, isMaybe);
      return true;
    }
    return ts.isCallExpression(node) && this.#look(node, isMaybe);
  }

  /** `byKey.get(k)`, `Math.max(best, …)`. */
  #look({ expression: callee, questionDotToken, arguments: given }: ts.CallExpression, isMaybe: boolean): boolean {
    const ts = this.#ts;
    if (questionDotToken !== undefined || !ts.isPropertyAccessExpression(callee)) return false;
    const isMath = ts.isIdentifier(callee.expression) && callee.expression.text === "Math" && this.#meaning.isGlobal("Math");
    if (!isMath && !LOOKS.has(callee.name.text)) return false;
    if (!isMath) this.value(callee.expression, isMaybe);
    for (const argument of given) this.argument(argument, isMaybe);
    return true;
  }

  #spread(node: ts.SpreadElement, isMaybe: boolean): void {
    if (mentioned(this.#ts, node, this.#roots) !== undefined) return this.value(node.expression, isMaybe);
    const before = this.#moved.length;
    this.value(node.expression, isMaybe);
    // What is written out stays; else the turn makes a list of it.
    if (this.#moved.length > before) this.#moved[before] = { node: node.expression, isSpread: true };
  }
}

/** What is the same wherever it is written: `0`, `[]`, `new Set()`. */
function isConstant(ts: TypeScript, node: ts.Expression): boolean {
  const inner = bare(ts, node);
  if (ts.isArrayLiteralExpression(inner)) return inner.elements.length === 0;
  if (ts.isObjectLiteralExpression(inner)) return inner.properties.length === 0;
  if (ts.isNewExpression(inner)) return ts.isIdentifier(inner.expression) && ["Map", "Set", "Array"].includes(inner.expression.text) && (inner.arguments?.length ?? 0) === 0;
  const { TrueKeyword, FalseKeyword, NullKeyword } = ts.SyntaxKind;
  return ts.isStringLiteralLike(inner) || ts.isNumericLiteral(inner) || [TrueKeyword, FalseKeyword, NullKeyword].includes(inner.kind as typeof TrueKeyword);
}
