/** Whether an element is work for a cluster. One that only reads, compares or counts costs less here than on its way. */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import type { Meaning } from "./meaning.ts";
import { bare, isFunctionText, isLoop, ownNames, rootOf } from "./nodes.ts";

const CHEAP_FUNCTIONS = new Set([
  ...["Array", "BigInt", "Boolean", "Date", "Error", "Number", "Object", "RegExp", "String", "Symbol", "isFinite", "isNaN", "parseFloat", "parseInt"],
  ...["decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent", "structuredClone", "display", "require"],
]);
const CHEAP_NAMESPACES = new Set(["Array", "Atomics", "BigInt", "Boolean", "Date", "Math", "Number", "Object", "Promise", "Reflect", "String", "console", "performance", "process"]);
const CHEAP_CLASSES = new Set(["Array", "Boolean", "Date", "Map", "Number", "Object", "RangeError", "RegExp", "Set", "String", "TypeError", "Error", "URL", "URLSearchParams", "WeakMap", "WeakSet"]);
/** Of texts, numbers, arrays, maps, sets, dates, patterns, promises. */
const KINDS = [String, Number, Boolean, BigInt, Array, Map, Set, Date, RegExp, Object, Uint8Array, Object.getPrototypeOf(Uint8Array) as { prototype: object }, Promise, Function];
const CHEAP_METHODS = new Set(KINDS.flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype)).filter((name) => !["constructor", "apply", "call", "bind"].includes(name)));

export class Worth {
  readonly #ts: TypeScript;
  readonly #meaning: Meaning;
  readonly #without: ReadonlySet<ts.Node>;

  /** @param without what is not looked at. */
  constructor(ts: TypeScript, meaning: Meaning, without: ReadonlySet<ts.Node> = new Set()) {
    this.#ts = ts;
    this.#meaning = meaning;
    this.#without = without;
  }

  /** Whether calling it is. */
  ofFunction(fn: ts.Expression): boolean {
    const node = bare(this.#ts, fn);
    return isFunctionText(this.#ts, node) ? this.ofCode([...node.parameters, node.body]) : this.#ofCallee(node, new Set());
  }

  /** Whether running it for each input is. */
  ofCode(parts: readonly ts.Node[]): boolean {
    const own = ownNames(this.#ts, ...parts);
    return parts.some((part) => this.#ofNode(part, own, true));
  }

  /** Whether a statement of the cell computes something: a loop alone need not. */
  ofStatement(statement: ts.Node): boolean {
    return this.#ofNode(statement, new Set(), false);
  }

  #ofNode(node: ts.Node, own: ReadonlySet<string>, countsLoops: boolean): boolean {
    const ts = this.#ts;
    if (this.#without.has(node) || ts.isTypeNode(node)) return false;
    if (ts.isFunctionDeclaration(node) || ts.isClassLike(node)) return false;
    if (!countsLoops && isFunctionText(ts, node) && !ts.isCallExpression(node.parent)) return false;
    if (ts.isAwaitExpression(node) || (countsLoops && isLoop(ts, node))) return true;
    if (ts.isTaggedTemplateExpression(node)) return this.#ofCallee(node.tag, own);
    if (ts.isCallExpression(node)) {
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword || this.#ofCallee(bare(ts, node.expression), own) || this.#countsUp(node, countsLoops)) return true;
      return node.arguments.some((argument) => this.#ofNode(argument, own, countsLoops) || this.#isOwnFunction(argument, own)) || this.#ofNode(node.expression, own, countsLoops);
    }
    if (ts.isNewExpression(node) && this.#ofConstructor(node.expression, own)) return true;
    return ts.forEachChild(node, (child) => this.#ofNode(child, own, countsLoops)) ?? false;
  }

  #ofCallee(callee: ts.Expression, own: ReadonlySet<string>): boolean {
    const ts = this.#ts;
    if (isFunctionText(ts, callee)) return this.#ofNode(callee.body, own, true);
    if (ts.isIdentifier(callee)) return own.has(callee.text) || !(this.#meaning.isGlobal(callee.text) && CHEAP_FUNCTIONS.has(callee.text));
    if (!ts.isPropertyAccessExpression(callee)) return true;
    const { expression: object, name } = callee;
    if (ts.isIdentifier(object) && !own.has(object.text) && this.#meaning.isGlobal(object.text)) return !CHEAP_NAMESPACES.has(object.text) && !object.text.endsWith("Array");
    if (!CHEAP_METHODS.has(name.text)) return true;
    const root = rootOf(ts, object);
    // `model.at(x)`: a method of the user's own has a cheap name by chance.
    return root !== undefined && !own.has(root) && this.#meaning.valueOf(root) !== undefined && this.#meaning.methods(name.text, root).length > 0;
  }

  #ofConstructor(callee: ts.Expression, own: ReadonlySet<string>): boolean {
    const ts = this.#ts;
    if (!ts.isIdentifier(callee) || own.has(callee.text)) return true;
    if (this.#meaning.isGlobal(callee.text)) return !CHEAP_CLASSES.has(callee.text) && !callee.text.endsWith("Array");
    const made = this.#meaning.classNamed(callee.text)?.members.find((member) => ts.isConstructorDeclaration(member));
    return made === undefined ? this.#meaning.classNamed(callee.text) === undefined : made.body !== undefined && this.ofCode([...made.parameters, made.body]);
  }

  /** `Array.from({ length: n }, …)` within an element is a loop. */
  #countsUp(call: ts.CallExpression, countsLoops: boolean): boolean {
    const { expression: callee, arguments: given } = call;
    return countsLoops && this.#ts.isPropertyAccessExpression(callee) && callee.name.text === "from" && given.length === 2 && given[0] !== undefined && this.#ts.isObjectLiteralExpression(given[0]);
  }

  #isOwnFunction(node: ts.Expression, own: ReadonlySet<string>): boolean {
    return this.#ts.isIdentifier(node) && !own.has(node.text) && this.#meaning.functionNamed(node.text) !== undefined;
  }
}
