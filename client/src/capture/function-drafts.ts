import { types } from "node:util";
import type * as ESTree from "estree";
import { privateMembersOf } from "./free-names.ts";
import type { FunctionReader } from "./functions.ts";
import type { OuterThis } from "./heap-contexts.ts";
import { isFunctionOwn, propsOf, skipOfFunction, skipOfPrototype } from "./own-properties.ts";
import { stepTo, type Path } from "./path.ts";
import type { SharedVariables } from "./shared-variables.ts";
import { isClassNode } from "./syntax.ts";
import type { Template } from "./template.ts";
import { isNotebook, isWeakCollection } from "./weak-collections.ts";
import type { Draft, Hold, ShapeOf, Vertex } from "./vertex.ts";

export interface FunctionDraftsOptions {
  functions: FunctionReader;
  shared: SharedVariables;
  outerThis: OuterThis;
  hold: Hold;
  shapeOf: ShapeOf;
  /** Takes the weak collections whose objects may take their notes along. */
  notebooks: Set<object>;
  /** The object that a method was found in, for `super`. */
  homeOf: (method: object) => object | undefined;
}

/** Drafts of functions and classes, and of their prototypes. */
export class FunctionDrafts {
  readonly #functions: FunctionReader;
  readonly #shared: SharedVariables;
  readonly #outerThis: OuterThis;
  readonly #hold: Hold;
  readonly #shapeOf: ShapeOf;
  readonly #notebooks: Set<object>;
  readonly #homeOf: (method: object) => object | undefined;

  constructor({ functions, shared, outerThis, hold, shapeOf, notebooks, homeOf }: FunctionDraftsOptions) {
    this.#functions = functions;
    this.#shared = shared;
    this.#outerThis = outerThis;
    this.#hold = hold;
    this.#shapeOf = shapeOf;
    this.#notebooks = notebooks;
    this.#homeOf = homeOf;
  }

  /** How the function travels; notes it on its vertex. Throws CaptureError. */
  draft(fn: object, vertex: Vertex): Draft {
    const { path } = vertex;
    const shape = this.#functions.read(fn, path);
    vertex.fn = shape;
    if (shape.kind === "code") return { kind: "code", ref: shape.ref, slots: [] };
    if (shape.kind === "bound") {
      return { kind: "bound", slots: [shape.target, shape.boundThis, ...shape.boundArgs], ...propsOf(fn, isFunctionOwn) };
    }
    if (shape.kind === "made") return { kind: "call", slots: [shape.maker, ...shape.args] };
    const { template, variables } = shape;
    variables.forEach((variable, index) => {
      this.#shared.add(fn, variable, index + 2, template);
      if (isWeakCollection(variable.value) && isNotebook(template.script, variable.variable)) this.#notebooks.add(variable.value);
    });
    const outerThis = template.syntax.usesOuterThis ? this.#outerThis(fn, template, path) : undefined;
    const outerArguments = variables.find(({ name }) => name === "arguments")?.value as ArrayLike<unknown> | undefined;
    if (outerArguments !== undefined) throw this.#functions.refuse({ what: "it uses the arguments of the function around it", cure: "Name them: (...args) => ..." }, path);
    const skip = skipOfFunction(template);
    return {
      kind: "function",
      data: { template: template.index, early: isClassNode(template.site.node) },
      slots: [this.#baseOf(fn, template, path), outerThis, ...variables.map(({ value }) => value)],
      ...this.#withPrototype(fn, template, propsOf(fn, skip), vertex),
      ...this.#staticPrivates(fn, template),
    };
  }

  #staticPrivates(fn: object, { site: { node } }: Template): Partial<Draft> {
    const names = isClassNode(node) ? privateMembersOf(node).staticFields : [];
    if (names.length === 0) return {};
    const members = this.#functions.privateMembers(fn);
    return { privates: [{ owner: fn, names, values: names.map((name) => members.find((member) => member.name === name)?.value) }] };
  }

  /** A prototype with something that the text does not put there is captured along with its function. */
  #withPrototype(fn: object, template: Template, extra: Partial<Draft>, vertex: Vertex): Partial<Draft> {
    const prototype = Object.getOwnPropertyDescriptor(fn, "prototype")?.value as unknown;
    if (typeof prototype !== "object" || prototype === null) return extra;
    const isGenerator = types.isGeneratorFunction(fn);
    const extras = propsOf(prototype, skipOfPrototype(template)).props !== undefined;
    const usual = isGenerator || isClassNode(template.site.node) || Object.getPrototypeOf(prototype) === Object.prototype;
    if (extras || !usual) this.#hold(prototype, vertex, stepTo(vertex.path, "prototype"));
    return extra;
  }

  #baseOf(fn: object, template: Template, path: Path): unknown {
    const { node } = template.site;
    if (isClassNode(node)) {
      const heritage = node.superClass as ESTree.Expression | null | undefined;
      return heritage == null ? undefined : Object.getPrototypeOf(fn);
    }
    if (!template.syntax.usesSuper) return undefined;
    const home = this.#homeOf(fn);
    if (home === undefined || node.type === "ArrowFunctionExpression") {
      throw this.#functions.refuse({ what: "it uses super without the object that it belongs to", cure: "Send (input) => object.method(input) instead." }, path);
    }
    return Object.getPrototypeOf(home);
  }

  /** The `prototype` of a function that is captured too. */
  prototypeDraft(prototype: object, owner: object): Draft {
    const draft: Draft = { kind: "prototype", slots: [owner] };
    const shape = this.#shapeOf(owner, { step: (owner as { name: string }).name, from: undefined });
    if (shape?.kind !== "closure") return draft;
    const base: unknown = Object.getPrototypeOf(prototype);
    if (!isClassNode(shape.template.site.node) && base !== Object.prototype) draft.slots.push(base);
    return { ...draft, ...propsOf(prototype, skipOfPrototype(shape.template)) };
  }
}
