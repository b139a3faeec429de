import { types } from "node:util";
import type * as ESTree from "estree";
import { isMethodText, privateMembersOf } from "./free-names.ts";
import { ClassTexts } from "./class-texts.ts";
import type { FunctionReader } from "./functions.ts";
import type { HeapContexts } from "./heap-contexts.ts";
import { hasUsualFunctionPrototype, integrityOf, isBasicPrototype, isGeneratorBase, isKnownKind, prototypeOwner } from "./kinds.ts";
import { isFunctionOwn, isMadeByText, propsOf, type Skip } from "./own-properties.ts";
import { stepTo, type Path } from "./path.ts";
import type { SharedVariables } from "./shared-variables.ts";
import { isClassNode, type FunctionNode } from "./syntax.ts";
import type { Template } from "./template.ts";
import { isNotebook, isWeakCollection } from "./weak-collections.ts";
import type { Draft, Hold, ShapeOf, Vertex } from "./vertex.ts";

export interface FunctionDraftsOptions {
  functions: FunctionReader;
  shared: SharedVariables;
  contexts: HeapContexts;
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
  readonly #contexts: HeapContexts;
  readonly #classTexts: ClassTexts;
  /** The classes that were met, by their prototypes: these may have lost what says so. */
  readonly #classPrototypes = new Map<object, object>();
  readonly #hold: Hold;
  readonly #shapeOf: ShapeOf;
  readonly #notebooks: Set<object>;
  readonly #homeOf: (method: object) => object | undefined;

  constructor({ functions, shared, contexts, hold, shapeOf, notebooks, homeOf }: FunctionDraftsOptions) {
    this.#functions = functions;
    this.#shared = shared;
    this.#contexts = contexts;
    this.#classTexts = new ClassTexts(functions, contexts);
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
      return { kind: "bound", slots: [shape.target, shape.boundThis, ...shape.boundArgs], ...propsOf(fn, isFunctionOwn), ...this.#protoOfBound(fn, shape.target), ...withIntegrity(fn) };
    }
    if (shape.kind === "made") return { kind: "call", slots: [shape.maker, ...shape.args] };
    const { template, variables } = shape;
    variables.forEach((variable, index) => {
      this.#shared.add(fn, variable, index + 2, template);
      if (isWeakCollection(variable.value) && isNotebook(template.script, variable.variable)) this.#notebooks.add(variable.value);
    });
    const outerThis = template.syntax.usesOuterThis ? this.#contexts.thisOf(fn, template, path) : undefined;
    const outerArguments = variables.find(({ name }) => name === "arguments")?.value as ArrayLike<unknown> | undefined;
    if (outerArguments !== undefined) throw this.#functions.refuse({ what: "it uses the arguments of the function around it", cure: "Name them: (...args) => ..." }, path);
    const { node } = template.site;
    const names = isClassNode(node) ? this.#classTexts.of(fn, template, path).names : [];
    const base = this.#baseOf(fn, template, path);
    this.#notePrototype(fn, template, vertex);
    return {
      kind: "function",
      data: { template: template.index, early: isClassNode(node), names: names.length },
      slots: [base, outerThis, ...variables.map(({ value }) => value), ...names],
      ...this.#ownProps(fn, template, path),
      ...(this.#hasUsualBase(fn, template, base) ? {} : { proto: Object.getPrototypeOf(fn) as unknown }),
      ...withIntegrity(fn),
      ...this.#staticPrivates(fn, template),
    };
  }

  #protoOfBound(fn: object, target: unknown): Partial<Draft> {
    const proto: unknown = Object.getPrototypeOf(fn);
    return proto === Object.getPrototypeOf(target) ? {} : { proto };
  }

  /** The function whose `prototype` the object is and was from the start. */
  ownerOf(prototype: object): object | undefined {
    if (types.isProxy(prototype)) return undefined;
    return this.#classPrototypes.get(prototype) ?? (isKnownKind(prototype) ? undefined : prototypeOwner(prototype));
  }

  /** Whether the text gives the function its prototype: that of its base class, or the usual one of such a function. */
  #hasUsualBase(fn: object, { site: { node } }: Template, base: unknown): boolean {
    // Where the text extends something, and what it extends by now no class can, it is made as if it extended `Object`.
    if (isClassNode(node) && node.superClass != null && !isNullLiteral(node.superClass)) return base !== undefined;
    return hasUsualFunctionPrototype(fn, node);
  }

  #ownProps(fn: object, template: Template, path: Path): Partial<Draft> {
    const { node } = template.site;
    const classText = isClassNode(node) ? this.#classTexts.of(fn, template, path) : undefined;
    const gone = ["name", "length"].filter((key) => !Object.hasOwn(fn, key));
    const skip: Skip = (key, descriptor) => {
      if (isMadeByText(template, key, descriptor)) return true;
      if (key === "prototype" && makesPrototype(template)) return this.#isOwnPrototype(fn, descriptor, template);
      return classText?.isStaticMade(key, descriptor) ?? false;
    };
    return propsOf(fn, skip, [...gone, ...(classText?.goneStatic ?? [])]);
  }

  /** Whether a function's `prototype` is the object that it was made with. */
  #isOwnPrototype(fn: object, { value, writable }: PropertyDescriptor, { site: { node } }: Template): boolean | "flags" {
    if (isClassNode(node)) return true;
    const isOwn = typeof value === "object" && value !== null && (types.isGeneratorFunction(fn) ? isBareGeneratorPrototype(value as object, node) : this.ownerOf(value as object) === fn);
    return isOwn && writable === false ? "flags" : isOwn;
  }

  #staticPrivates(fn: object, { site: { node } }: Template): Partial<Draft> {
    const names = isClassNode(node) ? privateMembersOf(node).staticFields : [];
    if (names.length === 0) return {};
    const members = this.#functions.privateMembers(fn);
    return { privates: [{ owner: fn, names, values: names.map((name) => members.find((member) => member.name === name)?.value) }] };
  }

  /** A prototype with something that the text does not put there is captured along with its function. */
  #notePrototype(fn: object, template: Template, vertex: Vertex): void {
    const prototype: unknown = Object.getOwnPropertyDescriptor(fn, "prototype")?.value;
    if (typeof prototype !== "object" || prototype === null || !makesPrototype(template)) return;
    const isClass = isClassNode(template.site.node);
    if (isClass) this.#classPrototypes.set(prototype, fn);
    else if (types.isGeneratorFunction(fn) || this.ownerOf(prototype) !== fn) return;
    const { props, proto, integrity } = this.#prototypeParts(prototype, fn, template, vertex.path);
    if (props !== undefined || proto !== undefined || integrity !== undefined) this.#hold(prototype, vertex, stepTo(vertex.path, "prototype"));
  }

  #baseOf(fn: object, template: Template, path: Path): unknown {
    const { node } = template.site;
    if (isClassNode(node)) return this.#heritageOf(fn, node, path);
    if (!template.syntax.usesSuper) return undefined;
    const home = this.#homeOf(fn);
    if (home === undefined || node.type === "ArrowFunctionExpression") {
      throw this.#functions.refuse({ what: "it uses super without the object that it belongs to", cure: "Send (input) => object.method(input) instead." }, path);
    }
    return Object.getPrototypeOf(home);
  }

  /** What the class can extend where it is made; undefined where it extends nothing, or by now something that no class can. */
  #heritageOf(fn: object, node: ESTree.Class, path: Path): unknown {
    if (node.superClass == null || isNullLiteral(node.superClass)) return undefined;
    const base: unknown = Object.getPrototypeOf(fn);
    if (typeof base !== "function" || !isConstructor(base)) return undefined;
    return this.#shapeOf(base, path)?.kind === "bound" ? undefined : base;
  }

  /** The `prototype` of a function that is captured too. */
  prototypeDraft(prototype: object, owner: object): Draft {
    const path: Path = { step: (owner as { name: string }).name, from: undefined };
    const shape = this.#shapeOf(owner, path);
    const parts = shape?.kind === "closure" ? this.#prototypeParts(prototype, owner, shape.template, path) : {};
    return { kind: "prototype", slots: [owner], ...parts };
  }

  /** What a function's `prototype` has beyond what its text makes. */
  #prototypeParts(prototype: object, owner: object, template: Template, path: Path): Partial<Draft> {
    const { node } = template.site;
    const classText = isClassNode(node) ? this.#classTexts.of(owner, template, path) : undefined;
    const isConstructorMade = ({ value, enumerable, configurable, writable }: PropertyDescriptor): boolean =>
      value === owner && enumerable === false && configurable === true && writable === true;
    const skip: Skip = (key, descriptor) => (key === "constructor" ? isConstructorMade(descriptor) : (classText?.isMade(key, descriptor) ?? false));
    const proto: unknown = Object.getPrototypeOf(prototype);
    return {
      ...propsOf(prototype, skip, classText?.gone),
      ...(this.#textGivesPrototype(owner, node, proto, path) ? {} : { proto }),
      ...withIntegrity(prototype),
    };
  }

  /** Whether an object that the text makes as `prototype` has this one by itself. */
  #textGivesPrototype(owner: object, node: FunctionNode, proto: unknown, path: Path): boolean {
    const heritage = isClassNode(node) ? node.superClass : undefined;
    if (heritage == null) return isBasicPrototype(proto as object | null);
    if (isNullLiteral(heritage)) return proto === null;
    const base = this.#heritageOf(owner, node as ESTree.Class, path) as { prototype: unknown } | undefined;
    if (base === undefined || base.prototype !== proto) return false;
    const shape = this.#shapeOf(base, path);
    return shape?.kind === "code" || (shape?.kind === "closure" && (isClassNode(shape.template.site.node) || this.ownerOf(proto as object) === base));
  }
}

/** Whether a function made from the text has a `prototype`. */
function makesPrototype({ site }: Template): boolean {
  const { node } = site;
  if (isClassNode(node) || (node as ESTree.Function).generator === true) return true;
  return node.type !== "ArrowFunctionExpression" && (node as ESTree.Function).async !== true && !isMethodText(site);
}

/** Whether the object is as that of any generator function: it holds nothing, and inherits what generators can. */
function isBareGeneratorPrototype(prototype: object, node: FunctionNode): boolean {
  return Reflect.ownKeys(prototype).length === 0 && Object.isExtensible(prototype) && isGeneratorBase(Object.getPrototypeOf(prototype) as object | null, (node as ESTree.Function).async === true);
}

function isNullLiteral(node: ESTree.Node): boolean {
  return node.type === "Literal" && node.value === null && !("regex" in node) && !("bigint" in node);
}

/** Whether a class can extend the function. */
function isConstructor(fn: unknown): boolean {
  try {
    // Looks at the function as the target of `new`, and calls nothing of it.
    Reflect.construct(Object, [], fn as () => void);
    return true;
  } catch {
    return false;
  }
}

function withIntegrity(value: object): Pick<Draft, "integrity"> {
  const integrity = integrityOf(value);
  return integrity === 0 ? {} : { integrity };
}
