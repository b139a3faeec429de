/**
 * What a piece of code does besides giving a value: code that changes variables of the cells means the same only where all
 * of it runs in one place. Read from the text of the cell and of the user's own functions that it calls.
 */
import type ts from "typescript";
import type { TypeScript } from "../../typescript.ts";
import { assignmentTargets, bindingNames, isAssignment, isStep } from "../names.ts";
import type { Meaning } from "./meaning.ts";
import { bare, everyNode, isFunctionText, ownNames, rootOf, type FunctionNode } from "./nodes.ts";

/** Methods by which arrays, maps, sets, iterators and the like are changed. */
const CHANGING = new Set(["push", "pop", "shift", "unshift", "splice", "sort", "reverse", "fill", "copyWithin", "set", "add", "delete", "clear", "append", "next"]);
/** Functions of `Object` and `Reflect` that change their first argument. */
const CHANGING_FIRST = new Set(["assign", "defineProperty", "defineProperties", "set", "deleteProperty", "setPrototypeOf", "freeze"]);
/** How deep calls are followed. */
const MAX_DEPTH = 6;

interface Effects {
  /** Names that are none of its own and that it changes, with the words for it. */
  readonly changed: Map<string, string>;
  /** Parameters within which it changes something; `this` too. */
  readonly parameters: Set<string>;
}

/** A piece of code: what its names are. */
interface Code {
  readonly nodes: readonly ts.Node[];
  readonly own: ReadonlySet<string>;
  readonly parameters: ReadonlySet<string>;
  /** Names for what is within something else: `const first = rows[0]`. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Place from which on a parameter is another value. */
  readonly rebound: ReadonlyMap<string, number>;
}

export class EffectReader {
  readonly #ts: TypeScript;
  readonly #meaning: Meaning;
  readonly #known = new Map<ts.Node, Effects>();
  #depth = 0;

  constructor(ts: TypeScript, meaning: Meaning) {
    this.#ts = ts;
    this.#meaning = meaning;
  }

  /** Why all calls of the function have to be in one place. Undefined when each may be anywhere. */
  whyOfFunction(fn: ts.Expression): string | undefined {
    const node = bare(this.#ts, fn);
    if (isFunctionText(this.#ts, node)) return why(this.#ofFunction(node));
    if (this.#ts.isIdentifier(node)) return why(this.#ofCallee(node, node.text));
    if (this.#ts.isConditionalExpression(node)) return this.whyOfFunction(node.whenTrue) ?? this.whyOfFunction(node.whenFalse);
    if (this.#ts.isCallExpression(node)) return this.#whyOfMade(node);
    if (!this.#ts.isPropertyAccessExpression(node)) return undefined;
    // A method that is handed over has lost its object, and a bound function has it: either may change it.
    const root = rootOf(this.#ts, node);
    const methods = this.#meaning.methods(node.name.text, root);
    return methods.some((method) => this.#ofFunction(method).parameters.has("this")) ? `it changes \`${root ?? "its object"}\`` : undefined;
  }

  /** `model.score.bind(model)`, `memoize(f)`: what is made of functions. */
  #whyOfMade({ expression: callee, arguments: given }: ts.CallExpression): string | undefined {
    const ts = this.#ts;
    if (ts.isPropertyAccessExpression(callee)) return callee.name.text === "bind" ? this.whyOfFunction(callee.expression) : undefined;
    if (ts.isIdentifier(callee) && this.#keepsState(callee.text)) return `what \`${callee.text}\` makes remembers its calls`;
    return given.map((argument) => (ts.isIdentifier(argument) || isFunctionText(ts, argument) ? this.whyOfFunction(argument) : undefined)).find((reason) => reason !== undefined);
  }

  /** The same for code that runs for each input. @param leave what is done elsewhere: only its parts are looked at. */
  whyOfCode(parts: readonly ts.Node[], inputs: ReadonlySet<string>, leave: ReadonlySet<ts.Node>): string | undefined {
    return why(this.#ofCode(parts, inputs, leave));
  }

  #ofFunction(node: FunctionNode): Effects {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const effects: Effects = { changed: new Map(), parameters: new Set() };
    // A function that calls itself adds nothing to what its text says.
    this.#known.set(node, effects);
    if (this.#depth >= MAX_DEPTH || node.body === undefined) return effects;
    this.#depth++;
    const found = this.#ofCode([...node.parameters, node.body], parameterNames(this.#ts, node), new Set(), node.name);
    this.#depth--;
    for (const [name, words] of found.changed) effects.changed.set(name, words);
    for (const name of found.parameters) effects.parameters.add(name);
    return effects;
  }

  #ofCode(parts: readonly ts.Node[], parameters: ReadonlySet<string>, leave: ReadonlySet<ts.Node>, name?: ts.Node): Effects {
    const ts = this.#ts;
    const nodes = everyNode(ts, parts);
    const own = ownNames(ts, ...parts);
    if (name !== undefined && ts.isIdentifier(name)) own.add(name.text);
    const code: Code = { nodes, own, parameters: new Set([...parameters, "this"]), aliases: aliasesOf(ts, nodes), rebound: reboundOf(ts, nodes) };
    const effects: Effects = { changed: new Map(), parameters: new Set() };
    for (const node of nodes) {
      if (leave.has(node)) continue;
      this.#noteChange(node, code, effects);
      if (ts.isCallExpression(node)) this.#noteCall(node, code, effects);
    }
    return effects;
  }

  #noteChange(node: ts.Node, code: Code, effects: Effects): void {
    const ts = this.#ts;
    if (ts.isBinaryExpression(node) && isAssignment(ts, node.operatorToken.kind)) for (const target of assignmentTargets(ts, node.left)) this.#noteTarget(target, code, effects);
    if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && isStep(ts, node.operator)) this.#noteTarget(node.operand, code, effects);
    if (ts.isDeleteExpression(node)) this.#noteTarget(node.expression, code, effects);
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return;
    const { expression: object, name } = node.expression;
    const root = this.#rootOf(object, code);
    if (ts.isIdentifier(object) && (object.text === "Object" || object.text === "Reflect") && CHANGING_FIRST.has(name.text)) {
      const first = node.arguments[0] === undefined ? undefined : this.#rootOf(node.arguments[0], code);
      if (first !== undefined) this.#note(first, node, code, effects);
    } else if (root !== undefined && CHANGING.has(name.text) && (isOwn(root, code) || this.#meaning.mayBeContainer(root))) {
      this.#note(root, node, code, effects);
    }
  }

  #noteTarget(target: ts.Node, code: Code, effects: Effects): void {
    const inner = bare(this.#ts, target as ts.Expression);
    if (this.#ts.isIdentifier(inner)) {
      if (!isOwn(inner.text, code)) addNew(effects.changed, inner.text, `assigns \`${inner.text}\``);
      return;
    }
    const root = this.#rootOf(inner, code);
    if (root !== undefined) this.#note(root, inner, code, effects);
  }

  #note(root: string, at: ts.Node, code: Code, effects: Effects): void {
    if (code.parameters.has(root)) {
      if ((code.rebound.get(root) ?? Infinity) > at.pos) effects.parameters.add(root);
    } else if (!code.own.has(root)) {
      addNew(effects.changed, root, `changes \`${root}\``);
    }
  }

  #noteCall(call: ts.CallExpression, code: Code, effects: Effects): void {
    const ts = this.#ts;
    const callee = bare(ts, call.expression);
    // A function that is handed on is called by whoever gets it.
    for (const argument of call.arguments) if (ts.isIdentifier(argument) && !isOwn(argument.text, code)) this.#addCalled(this.#ofCallee(argument, argument.text), argument.text, effects);
    if (ts.isIdentifier(callee)) {
      if (isOwn(callee.text, code)) return;
      if (callee.text === "input" && this.#meaning.isGlobal("input")) return;
      const inner = this.#ofCallee(callee, callee.text);
      this.#addCalled(inner, callee.text, effects);
      this.#noteArguments(inner, this.#meaning.functionNamed(callee.text), call, code, effects);
    } else if (ts.isPropertyAccessExpression(callee)) {
      const root = this.#rootOf(callee.expression, code);
      const known = root !== undefined && !isOwn(root, code) && ts.isIdentifier(callee.expression) ? root : undefined;
      for (const method of this.#meaning.methods(callee.name.text, known)) {
        const inner = this.#ofFunction(method);
        this.#addCalled(inner, callee.getText(), effects);
        if (root !== undefined && inner.parameters.has("this")) this.#note(root, call, code, effects);
        this.#noteArguments(inner, method, call, code, effects);
      }
    }
  }

  #addCalled({ changed }: Effects, callee: string, effects: Effects): void {
    for (const [name, words] of changed) addNew(effects.changed, name, words.includes("which") ? words : `calls \`${callee}\`, which ${words}`);
  }

  #noteArguments(inner: Effects, node: FunctionNode | undefined, call: ts.CallExpression, code: Code, effects: Effects): void {
    node?.parameters.forEach((parameter, index) => {
      const argument = call.arguments[index];
      const root = argument === undefined ? undefined : this.#rootOf(argument, code);
      if (root !== undefined && bindingNames(this.#ts, parameter.name).some((name) => inner.parameters.has(name))) this.#note(root, call, code, effects);
    });
  }

  #ofCallee(at: ts.Node, name: string): Effects {
    const fn = this.#meaning.functionNamed(name);
    if (fn !== undefined) {
      const inner = this.#ofFunction(fn);
      return { changed: inner.changed, parameters: inner.parameters };
    }
    const changed = new Map<string, string>();
    const initializer = this.#meaning.initializerOf(name);
    const maker = initializer !== undefined && this.#ts.isCallExpression(initializer) && this.#ts.isIdentifier(initializer.expression) ? initializer.expression.text : undefined;
    if (maker !== undefined && at !== initializer && this.#keepsState(maker)) changed.set(name, `takes what \`${name}\` gives in turn`);
    return { changed, parameters: new Set() };
  }

  /** `function rng(seed) { return () => (seed = …) }`: what it makes remembers its calls. */
  #keepsState(maker: string): boolean {
    const fn = this.#meaning.functionNamed(maker);
    if (fn === undefined) return /seed|random|rng/i.test(maker);
    if (fn.body === undefined) return false;
    return everyNode(this.#ts, [fn.body]).some((node) => (isFunctionText(this.#ts, node) || this.#ts.isFunctionDeclaration(node) || this.#ts.isMethodDeclaration(node)) && this.#ofFunction(node).changed.size > 0);
  }

  #rootOf(node: ts.Node, { aliases }: Code): string | undefined {
    let root = rootOf(this.#ts, node);
    for (const seen = new Set<string>(); root !== undefined && aliases.has(root) && !seen.has(root); root = aliases.get(root)) seen.add(root);
    return root;
  }
}

function why({ changed, parameters }: Effects): string | undefined {
  for (const words of changed.values()) return `it ${words}`;
  for (const name of parameters) return name === "this" ? "it changes `this`" : `it changes its input \`${name}\``;
  return undefined;
}

function isOwn(name: string, { own, parameters }: Code): boolean {
  return own.has(name) || parameters.has(name);
}

function addNew(map: Map<string, string>, key: string, value: string): void {
  if (!map.has(key)) map.set(key, value);
}

function parameterNames(ts: TypeScript, { parameters }: FunctionNode): Set<string> {
  return new Set(parameters.flatMap(({ name }) => bindingNames(ts, name)));
}

function aliasesOf(ts: TypeScript, nodes: readonly ts.Node[]): Map<string, string> {
  const aliases = new Map<string, string>();
  const alias = (name: ts.BindingName, value: ts.Node | undefined): void => {
    const root = value === undefined ? undefined : partRoot(ts, value);
    if (root !== undefined) for (const one of bindingNames(ts, name)) if (one !== root) aliases.set(one, root);
  };
  for (const node of nodes) {
    if (ts.isVariableDeclaration(node)) alias(node.name, node.initializer);
    if (ts.isForOfStatement(node) && ts.isVariableDeclarationList(node.initializer)) for (const { name } of node.initializer.declarations) alias(name, node.expression);
    // `rows.forEach((row) => …)`: what it is called with is within `rows`.
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      for (const argument of node.arguments) {
        const first = isFunctionText(ts, argument) ? argument.parameters[0] : undefined;
        if (first !== undefined) alias(first.name, node.expression.expression);
      }
    }
  }
  return aliases;
}

/** Of what is taken out of something: `row.items`, `row.items ?? other`; not of what is made from it. */
function partRoot(ts: TypeScript, value: ts.Node): string | undefined {
  const inner = bare(ts, value as ts.Expression);
  if (ts.isConditionalExpression(inner)) return partRoot(ts, inner.whenTrue) ?? partRoot(ts, inner.whenFalse);
  const { BarBarToken, QuestionQuestionToken } = ts.SyntaxKind;
  if (ts.isBinaryExpression(inner) && [BarBarToken, QuestionQuestionToken].includes(inner.operatorToken.kind as typeof BarBarToken)) return partRoot(ts, inner.left) ?? partRoot(ts, inner.right);
  return rootOf(ts, inner);
}

function reboundOf(ts: TypeScript, nodes: readonly ts.Node[]): Map<string, number> {
  const rebound = new Map<string, number>();
  for (const node of nodes) {
    if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.EqualsToken || !ts.isIdentifier(node.left)) continue;
    rebound.set(node.left.text, Math.min(rebound.get(node.left.text) ?? Infinity, node.end));
  }
  return rebound;
}
