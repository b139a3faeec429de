/** Whether what a function gives comes back from a worker as it is: a copy has no class, and a function has none. */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import type { Meaning } from "./meaning.ts";
import { bare, isBorder, isFunctionText, type FunctionNode } from "./nodes.ts";

/** Of the language, what a copy is the same as. */
const COPIED = new Set(["Array", "ArrayBuffer", "BigInt64Array", "BigUint64Array", "Boolean", "DataView", "Date", "Error", "EvalError", "Float32Array", "Float64Array", "Int16Array", "Int32Array", "Int8Array", "Map", "Number", "Object", "RangeError", "RegExp", "Set", "String", "SyntaxError", "TypeError", "Uint16Array", "Uint32Array", "Uint8Array", "Uint8ClampedArray"]);
/** How deep calls are followed. */
const MAX_DEPTH = 4;

export class ResultReader {
  readonly #ts: TypeScript;
  readonly #meaning: Meaning;

  constructor(ts: TypeScript, meaning: Meaning) {
    this.#ts = ts;
    this.#meaning = meaning;
  }

  /** Why what it gives has to stay where it is. Undefined when nothing is known against it. */
  whyOfFunction(fn: ts.Expression): string | undefined {
    const node = bare(this.#ts, fn);
    const text = isFunctionText(this.#ts, node) ? node : this.#ts.isIdentifier(node) ? this.#meaning.functionNamed(node.text) : undefined;
    if (this.#ts.isIdentifier(node) && node.text === "fetch" && this.#meaning.isGlobal("fetch")) return RESPONSES;
    return text === undefined ? undefined : this.#ofFunction(text, MAX_DEPTH);
  }

  whyOfValues(values: readonly ts.Expression[]): string | undefined {
    return this.#first(values, MAX_DEPTH);
  }

  #ofFunction(fn: FunctionNode, depth: number): string | undefined {
    return depth === 0 ? undefined : this.#first(returnsOf(this.#ts, fn), depth - 1);
  }

  #first(values: readonly (ts.Node | undefined)[], depth: number): string | undefined {
    for (const value of values) {
      const reason = value === undefined ? undefined : this.#of(value, depth);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  #of(value: ts.Node, depth: number): string | undefined {
    const ts = this.#ts;
    const node = bare(ts, value as ts.Expression);
    if (isFunctionText(ts, node) || ts.isClassExpression(node) || ts.isMethodDeclaration(node) || ts.isAccessor(node)) return "it gives functions";
    if (ts.isAwaitExpression(node) || ts.isSpreadElement(node) || ts.isSpreadAssignment(node)) return this.#of(node.expression, depth);
    if (ts.isConditionalExpression(node)) return this.#first([node.whenTrue, node.whenFalse], depth);
    if (ts.isBinaryExpression(node)) return this.#first([node.left, node.right], depth);
    if (ts.isArrayLiteralExpression(node)) return this.#first(node.elements, depth);
    if (ts.isObjectLiteralExpression(node)) return this.#first(node.properties.map((property) => (ts.isPropertyAssignment(property) ? property.initializer : ts.isShorthandPropertyAssignment(property) ? property.name : property)), depth);
    if (ts.isIdentifier(node)) return this.#ofName(node, depth);
    if (ts.isNewExpression(node)) return this.#ofNew(node, depth);
    return ts.isCallExpression(node) ? this.#ofCall(node, depth) : undefined;
  }

  #ofNew({ expression, arguments: given }: ts.NewExpression, depth: number): string | undefined {
    if (!this.#ts.isIdentifier(expression) || expression.text === "Promise") return undefined;
    if (this.#meaning.isGlobal(expression.text) && COPIED.has(expression.text)) return this.#first(given ?? [], depth);
    return `it gives objects of the class \`${expression.text}\`, which copies of them have lost`;
  }

  /** A variable of the function itself, or one of the cells. */
  #ofName(node: ts.Identifier, depth: number): string | undefined {
    const ts = this.#ts;
    if (depth === 0) return undefined;
    const declared = declarationIn(ts, node);
    if (declared !== undefined) return declared.initializer === undefined ? undefined : this.#of(declared.initializer, depth - 1);
    const isParameter = ts.findAncestor(node, (at) => ts.isFunctionLike(at) && at.parameters.some(({ name }) => ts.isIdentifier(name) && name.text === node.text)) !== undefined;
    return !isParameter && this.#meaning.functionNamed(node.text) !== undefined ? "it gives functions" : undefined;
  }

  #ofCall({ expression, arguments: given }: ts.CallExpression, depth: number): string | undefined {
    const ts = this.#ts;
    const callee = bare(ts, expression);
    if (ts.isIdentifier(callee)) {
      if (callee.text === "fetch" && this.#meaning.isGlobal("fetch")) return RESPONSES;
      const fn = this.#meaning.functionNamed(callee.text);
      return fn === undefined ? undefined : this.#ofFunction(fn, depth);
    }
    if (!ts.isPropertyAccessExpression(callee)) return undefined;
    const { name: { text: method }, expression: object } = callee;
    const [first] = given;
    if (["then", "map", "flatMap"].includes(method)) return first !== undefined && isFunctionText(ts, first) ? this.#ofFunction(first, depth) : undefined;
    if (["catch", "finally", "filter", "slice", "sort", "reverse"].includes(method)) return this.#of(object, depth);
    if (ts.isIdentifier(object) && object.text === "Promise") return this.#first(given, depth);
    return this.#ofMethod(method, object, depth);
  }

  #ofMethod(name: string, object: ts.Expression, depth: number): string | undefined {
    const { ThisKeyword } = this.#ts.SyntaxKind;
    if (depth === 0) return undefined;
    const root = this.#ts.isIdentifier(object) ? object.text : undefined;
    for (const method of this.#meaning.methods(name, root)) {
      const returned = returnsOf(this.#ts, method);
      const reason = returned.some(({ kind }) => kind === ThisKeyword) ? this.#of(object, depth - 1) : this.#first(returned, depth - 1);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }
}

const RESPONSES = "it gives responses, which cannot be sent";

/** What it may give. */
function returnsOf(ts: TypeScript, { body }: FunctionNode): ts.Expression[] {
  if (body === undefined) return [];
  if (!ts.isBlock(body)) return [body];
  const found: ts.Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (isBorder(ts, node)) return;
    if (ts.isReturnStatement(node) && node.expression !== undefined) found.push(node.expression);
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(body, visit);
  return found;
}

/** Where the name is declared within the function around it. */
function declarationIn(ts: TypeScript, name: ts.Identifier): ts.VariableDeclaration | undefined {
  const around = ts.findAncestor(name, (node) => ts.isFunctionLike(node) || ts.isIterationStatement(node, false));
  let found: ts.VariableDeclaration | undefined;
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.name.text === name.text) found ??= node;
    else ts.forEachChild(node, visit);
  };
  if (around !== undefined) ts.forEachChild(around, visit);
  return found;
}
