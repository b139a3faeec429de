import { types } from "node:util";
import type * as ESTree from "estree";
import { isTopLevel } from "./analysis.ts";
import type { CodeRef } from "./code-refs.ts";
import { CaptureError } from "./errors.ts";
import type { ClosedOver, FunctionReader, FunctionShape } from "./functions.ts";
import { privateMembersOf } from "./free-names.ts";
import { FLAG, type NodeKind } from "./heap-format.ts";
import { wellKnownSymbol, type Natives } from "./natives.ts";
import { pathNames, stepTo, type Path } from "./path.ts";
import { nativeInstanceRefusal, rebuilt, refusal, type Refusal } from "./refusals.ts";
import type { SharedVariables } from "./shared-variables.ts";
import { isClassNode } from "./syntax.ts";
import type { Template } from "./template.ts";

/** Something that a function reaches and that is not a primitive: an object, a function, a symbol, a shared variable. */
export interface Vertex {
  value: object | symbol;
  path: Path;
  /** Whether a structured clone would lose something of it, or of something that it holds. */
  special: boolean;
  holders: Vertex[];
  draft: Draft | undefined;
  /** How the function travels, for functions. */
  fn: FunctionShape | undefined;
}

/** A heap node whose slots still are the values themselves. */
export interface Draft {
  kind: NodeKind;
  data?: unknown;
  slots: unknown[];
  props?: { flags: number[]; slots: unknown[] };
  integrity?: number;
  /** Private fields for each class that has some, base class first. */
  privates?: { owner: object; names: string[]; values: unknown[] }[];
  /** For the kind `code`. */
  ref?: CodeRef;
}

/** Finds the `this` that an arrow function closed over. */
export type OuterThis = (fn: object, template: Template, path: Path) => unknown;

const REALM_PROTOTYPES: readonly unknown[] = [Object, Array, Map, Set, Date, RegExp, Error].map(({ prototype }) => prototype as unknown);

/**
 * Everything that a value reaches, walked without recursion, so that a long list does not exhaust the stack. Whatever
 * is plain data all the way down is only noted, and left to V8's structured clone.
 */
export class ValueGraph {
  readonly vertices = new Map<object | symbol, Vertex>();
  readonly #pending: Vertex[] = [];
  readonly #functions: FunctionReader;
  readonly #natives: Natives;
  readonly #outerThis: OuterThis;
  readonly #shared: SharedVariables;
  readonly #homes = new Map<object, object>();
  readonly #views = new Map<object, Vertex[]>();

  constructor(functions: FunctionReader, natives: Natives, outerThis: OuterThis, shared: SharedVariables) {
    this.#functions = functions;
    this.#natives = natives;
    this.#outerThis = outerThis;
    this.#shared = shared;
  }

  /** Walks everything that `root` reaches. Throws CaptureError. */
  addRoot(root: object, path: Path): Vertex {
    const vertex = this.#vertex(root, path);
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) this.#expand(next);
    for (const { fn, cell, slot } of this.#shared.cells()) {
      (this.vertices.get(fn)?.draft as Draft).slots[slot] = cell;
      const holder = this.#vertex(cell, path);
      holder.special = true;
      holder.draft = { kind: "cell", slots: [cell.v] };
      this.#hold(cell.v, holder, path);
    }
    this.#pending.length = 0;
    this.#keepSharedBuffers();
    this.#spread();
    return vertex;
  }

  /** The draft of a vertex that is special. */
  draftOf(vertex: Vertex): Draft {
    vertex.draft ??= this.#objectDraft(vertex.value as object, vertex);
    return vertex.draft;
  }

  #vertex(value: object | symbol, path: Path): Vertex {
    let vertex = this.vertices.get(value);
    if (vertex === undefined) {
      vertex = { value, path, special: false, holders: [], draft: undefined, fn: undefined };
      this.vertices.set(value, vertex);
      this.#pending.push(vertex);
    }
    return vertex;
  }

  #hold(value: unknown, holder: Vertex, path: Path): void {
    if (isReference(value)) this.#vertex(value, path).holders.push(holder);
  }

  #expand(vertex: Vertex): void {
    const { value, path } = vertex;
    if (typeof value === "object" && this.#expandPlain(value, vertex)) return;
    vertex.special = true;
    const draft = this.#draft(vertex);
    vertex.draft = draft;
    const names = vertex.fn?.kind === "closure" ? vertex.fn.variables.map(({ name }) => name) : [];
    draft.slots.forEach((slot, index) => {
      const name = draft.kind === "function" ? names[index - 2] : slotName(draft.kind, index);
      this.#hold(slot, vertex, name === undefined ? path : stepTo(path, name));
    });
    for (const { owner, names: fields, values } of draft.privates ?? []) {
      this.#hold(owner, vertex, path);
      values.forEach((field, index) => {
        this.#hold(field, vertex, stepTo(path, fields[index] as string));
      });
    }
    this.#holdProps(draft, value, vertex);
  }

  #holdProps({ props }: Draft, owner: object | symbol, vertex: Vertex): void {
    if (props === undefined) return;
    let at = 0;
    for (const flag of props.flags) {
      const key = props.slots[at++] as PropertyKey;
      const count = (flag & FLAG.accessor) === 0 ? 1 : 2;
      this.#hold(key, vertex, vertex.path);
      const step = stepTo(vertex.path, Array.isArray(owner) && typeof key === "string" && /^\d+$/.test(key) ? Number(key) : key);
      for (const end = at + count; at < end; at++) {
        const member = props.slots[at];
        if (typeof member === "function" && typeof owner !== "symbol" && !this.#homes.has(member)) this.#homes.set(member, owner);
        this.#hold(member, vertex, step);
      }
    }
  }

  /** Notes what a plain container holds. False if the value is more than plain data. */
  #expandPlain(value: object, vertex: Vertex): boolean {
    if (types.isProxy(value)) return false;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (!Object.isExtensible(value)) return false;
    if (Array.isArray(value)) {
      if (prototype !== Array.prototype || !hasPlainProps(value, 1)) return false;
      value.forEach((item, index) => {
        this.#holdLater(item, vertex, index);
      });
      if (Object.keys(value).length > value.length) this.#holdValues(value, vertex);
      return true;
    }
    if (prototype === Object.prototype && !types.isNativeError(value) && !isBoxed(value)) {
      if (types.isArgumentsObject(value) || this.#natives.find(value) !== undefined) return false;
      if (!hasPlainProps(value, 0) || this.#functions.moduleOf(value) !== undefined) return false;
      this.#holdValues(value, vertex);
      return true;
    }
    if (!hasPlainProps(value, 0) && !ArrayBuffer.isView(value)) return false;
    if (prototype === Map.prototype && types.isMap(value)) {
      for (const [key, item] of value) {
        this.#holdLater(key, vertex, "a key of the Map");
        this.#holdLater(item, vertex, typeof key === "string" || typeof key === "number" ? key : "a value of the Map");
      }
      return true;
    }
    if (prototype === Set.prototype && types.isSet(value)) {
      for (const item of value) this.#holdLater(item, vertex, "a member of the Set");
      return true;
    }
    return this.#isPlainLeaf(value, prototype, vertex);
  }

  #isPlainLeaf(value: object, prototype: unknown, vertex: Vertex): boolean {
    if (types.isDate(value)) return prototype === Date.prototype && Reflect.ownKeys(value).length === 0;
    if (types.isRegExp(value)) return prototype === RegExp.prototype && value.lastIndex === 0;
    if (isBoxed(value)) return !types.isSymbolObject(value) && Reflect.ownKeys(value).every((key) => typeof key === "string" && (key === "length" || /^\d+$/.test(key)));
    if (types.isArrayBuffer(value)) {
      this.#noteView(value, vertex);
      return prototype === ArrayBuffer.prototype;
    }
    if (ArrayBuffer.isView(value)) {
      if (types.isSharedArrayBuffer(value.buffer)) return false;
      if (!isPooled(value)) this.#noteView(value.buffer, vertex);
      return isBuiltinView(value, prototype);
    }
    return false;
  }

  #noteView(buffer: object, vertex: Vertex): void {
    const views = this.#views.get(buffer);
    if (views === undefined) this.#views.set(buffer, [vertex]);
    else views.push(vertex);
  }

  #holdValues(value: object, vertex: Vertex): void {
    for (const [key, item] of Object.entries(value)) this.#holdLater(item, vertex, key);
  }

  #holdLater(value: unknown, vertex: Vertex, key: PropertyKey): void {
    if (isReference(value) && !this.#isFlatRecord(value)) this.#hold(value, vertex, stepTo(vertex.path, key));
  }

  /** Whether the value is a plain object of primitives: by far the most in large data, and never in need of a vertex. */
  #isFlatRecord(value: object | symbol): boolean {
    if (typeof value !== "object" || types.isProxy(value) || Object.getPrototypeOf(value) !== Object.prototype) return false;
    if (!Object.isExtensible(value) || Object.getOwnPropertySymbols(value).length > 0) return false;
    for (const name of Object.getOwnPropertyNames(value)) {
      const descriptor = Object.getOwnPropertyDescriptor(value, name) as PropertyDescriptor;
      const isOrdinary = descriptor.enumerable === true && descriptor.writable === true && descriptor.configurable === true;
      if (!isOrdinary || isReference(descriptor.value)) return false;
    }
    return !types.isNativeError(value) && !isBoxed(value) && !types.isArgumentsObject(value) && this.#codeOf(value) === undefined;
  }

  #draft(vertex: Vertex): Draft {
    const { value, path } = vertex;
    if (typeof value === "symbol") return symbolDraft(value);
    if (typeof value === "function") return this.#functionDraft(value, vertex);
    const ref = this.#codeOf(value);
    if (ref !== undefined) return { kind: "code", ref, slots: [] };
    const refused = refusal(value);
    if (refused !== undefined) throw this.#refuse(refused, path);
    const owner = prototypeOwner(value);
    if (owner !== undefined) return this.#prototypeDraft(value, owner);
    const made = rebuilt(value);
    if (made !== undefined) return { kind: "construct", data: made.className, slots: made.args };
    return this.#objectDraft(value, vertex);
  }

  #codeOf(value: object): CodeRef | undefined {
    const native = this.#natives.find(value) ?? this.#natives.findInModules(value);
    if (native !== undefined) return native;
    if (types.isModuleNamespaceObject(value)) return this.#functions.namespaceOf(value as Record<string, unknown>);
    return this.#functions.moduleOf(value);
  }

  #functionDraft(fn: object, vertex: Vertex): Draft {
    const { path } = vertex;
    const shape = this.#functions.read(fn, path);
    vertex.fn = shape;
    if (shape.kind === "code") return { kind: "code", ref: shape.ref, slots: [] };
    if (shape.kind === "bound") {
      return { kind: "bound", slots: [shape.target, shape.boundThis, ...shape.boundArgs], ...propsOf(fn, isFunctionOwn) };
    }
    const { template, variables } = shape;
    variables.forEach((variable, index) => {
      this.#shared.add(fn, variable, index + 2, template);
    });
    const outerThis = template.syntax.usesOuterThis ? this.#outerThis(fn, template, path) : undefined;
    const outerArguments = variables.find(({ name }) => name === "arguments")?.value as ArrayLike<unknown> | undefined;
    if (outerArguments !== undefined) throw this.#refuse({ what: "it uses the arguments of the function around it", cure: "Name them: (...args) => ..." }, path);
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

  /** The private fields of an instance, for each class in its chain that declares any. */
  #privatesOf(value: object, path: Path): Partial<Draft> {
    const classes: { owner: object; fields: string[] }[] = [];
    for (let at = Object.getPrototypeOf(value) as object | null; at !== null; at = Object.getPrototypeOf(at) as object | null) {
      const owner = prototypeOwner(at);
      const node = owner === undefined ? undefined : this.#functions.classOf(owner);
      if (owner === undefined || node === undefined) continue;
      const { fields, marksInstances } = privateMembersOf(node);
      if (!marksInstances) continue;
      if (this.#shapeOf(owner, path)?.kind !== "closure") {
        const { name } = owner as { name: string };
        throw this.#refuse({ what: `it is an instance of ${name}, an imported class with private (#) members, which cannot be read back into that class`, cure: `Create the ${name} inside the function, or send what its constructor needs.` }, path);
      }
      classes.unshift({ owner, fields });
    }
    if (classes.length === 0) return {};
    const members = this.#functions.privateMembers(value);
    const take = (name: string): unknown => {
      const index = members.findIndex((member) => member.name === name);
      return index < 0 ? undefined : members.splice(index, 1)[0]?.value;
    };
    return { privates: classes.map(({ owner, fields }) => ({ owner, names: fields, values: fields.map(take) })) };
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
    const home = this.#homes.get(fn);
    if (home === undefined || node.type === "ArrowFunctionExpression") {
      throw this.#refuse({ what: "it uses super without the object that it belongs to", cure: "Send (input) => object.method(input) instead." }, path);
    }
    return Object.getPrototypeOf(home);
  }

  #prototypeDraft(prototype: object, owner: object): Draft {
    const draft: Draft = { kind: "prototype", slots: [owner] };
    const shape = this.#shapeOf(owner, { step: (owner as { name: string }).name, from: undefined });
    if (shape?.kind !== "closure") return draft;
    const base: unknown = Object.getPrototypeOf(prototype);
    if (!isClassNode(shape.template.site.node) && base !== Object.prototype) draft.slots.push(base);
    return { ...draft, ...propsOf(prototype, skipOfPrototype(shape.template)) };
  }

  #shapeOf(fn: object, path: Path): FunctionShape | undefined {
    return this.vertices.get(fn)?.fn ?? this.#functions.read(fn, path);
  }

  #objectDraft(value: object, vertex: Vertex): Draft {
    const { path } = vertex;
    const prototype = this.#prototypeOf(value, path);
    const integrity = integrityOf(value);
    const common = { ...(integrity > 0 ? { integrity } : {}), ...(prototype === undefined ? {} : this.#privatesOf(value, path)) };
    const own = (skip: Skip = () => false): Partial<Draft> => ({ ...common, ...propsOf(value, skip) });
    if (Array.isArray(value)) return { kind: "array", data: value.length, slots: [prototype], ...own((key) => key === "length") };
    if (types.isMap(value)) return { kind: "map", slots: [prototype, ...[...value].flat(1)], ...own() };
    if (types.isSet(value)) return { kind: "set", slots: [prototype, ...value], ...own() };
    if (types.isDate(value)) return { kind: "date", data: value.getTime(), slots: [prototype], ...own() };
    if (types.isRegExp(value)) {
      return { kind: "regexp", data: { source: value.source, flags: value.flags }, slots: [prototype], ...own() };
    }
    if (types.isNativeError(value)) {
      const stack: unknown = value.stack;
      return { kind: "error", data: { stack: typeof stack === "string" ? stack : undefined }, slots: [prototype], ...own((key) => key === "stack") };
    }
    if (isBoxed(value)) return { kind: "boxed", slots: [prototype, (value as { valueOf(): unknown }).valueOf()], ...own((key) => key === "length" || (typeof key === "string" && /^\d+$/.test(key))) };
    if (ArrayBuffer.isView(value)) return viewDraft(value, prototype);
    if (types.isArgumentsObject(value)) return this.#objectDraft([...(value as unknown as ArrayLike<unknown> & Iterable<unknown>)], vertex);
    return { kind: "object", slots: [prototype], ...own() };
  }

  /**
   * The prototype, undefined if it is the usual one of that kind of value. Refuses where it shows that the value keeps
   * state which cannot be copied.
   */
  #prototypeOf(value: object, path: Path): object | null | undefined {
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (hasUsualPrototype(value, prototype) || foreignPrototype(prototype)) return undefined;
    for (let at = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null) {
      const owner = prototypeOwner(at);
      if (owner === undefined || !this.#hidesState(owner, value)) continue;
      throw this.#refuse(nativeInstanceRefusal((owner as { name: string }).name), path);
    }
    return prototype;
  }

  /** Whether objects of this class keep state where JavaScript cannot see it. */
  #hidesState(owner: object, value: object): boolean {
    if (owner === Object) return false;
    const isNative = /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(owner));
    const ref = this.#natives.find(owner) ?? this.#natives.findInModules(owner);
    if (ref === undefined) return isNative || this.#functions.isInternal(owner);
    if (isNative) return !(owner as { prototype: object } & { name: string }).prototype || !isKnownKind(value);
    const name = (owner as { name: string }).name;
    return name !== "EventEmitter" && !(types.isNativeError(value) || ArrayBuffer.isView(value));
  }

  #refuse({ what, cure }: Refusal, path: Path): CaptureError {
    return new CaptureError({ path: pathNames(path), what, cure, location: this.#functions.rootLocation });
  }

  #keepSharedBuffers(): void {
    for (const [buffer, views] of this.#views) {
      if (views.length < 2) continue;
      for (const vertex of views) if (vertex.value !== buffer) vertex.special = true;
    }
  }

  /** What holds something special is special itself. */
  #spread(): void {
    const pending = [...this.vertices.values()].filter(({ special }) => special);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const holder of next.holders) {
        if (holder.special) continue;
        holder.special = true;
        pending.push(holder);
      }
    }
  }
}

type Skip = (key: PropertyKey, descriptor: PropertyDescriptor) => boolean;

function slotName(kind: NodeKind, index: number): string | undefined {
  if (kind === "bound") return ["the bound function", "its this"][index] ?? `argument ${index - 2}`;
  if (kind === "map" || kind === "set") return index === 0 ? undefined : "a member";
  return undefined;
}

function isReference(value: unknown): value is object | symbol {
  return typeof value === "object" ? value !== null : typeof value === "function" || typeof value === "symbol";
}

function isBoxed(value: object): boolean {
  return types.isBoxedPrimitive(value);
}

function isPooled(view: ArrayBufferView): boolean {
  return Buffer.isBuffer(view) && view.buffer.byteLength === Buffer.poolSize && view.byteLength < Buffer.poolSize;
}

function isBuiltinView(view: ArrayBufferView, prototype: unknown): boolean {
  if (prototype === Buffer.prototype) return true;
  const name = view instanceof DataView ? "DataView" : Object.prototype.toString.call(view).slice(8, -1);
  return (globalThis as unknown as Record<string, { prototype: unknown }>)[name]?.prototype === prototype;
}

/** Whether the object is of a built-in kind that a node of its own restores. */
function isKnownKind(value: object): boolean {
  return (
    Array.isArray(value) || types.isMap(value) || types.isSet(value) || types.isDate(value) || types.isRegExp(value) ||
    types.isNativeError(value) || isBoxed(value) || ArrayBuffer.isView(value) || types.isArrayBuffer(value)
  );
}

/** Whether all own properties are ordinary data properties that a structured clone keeps. `hidden` of them may not be enumerable. */
function hasPlainProps(value: object, hidden: number): boolean {
  if (Object.getOwnPropertySymbols(value).length > 0) return false;
  const names = Object.getOwnPropertyNames(value);
  if (Object.keys(value).length + hidden !== names.length) return false;
  if (Array.isArray(value) && names.length > 64) return true;
  // Frozen values and such are met elsewhere: what is left is rare enough to be asked for one by one.
  return names.every((name) => {
    const descriptor = Object.getOwnPropertyDescriptor(value, name) as PropertyDescriptor;
    if (hidden > 0 && name === "length") return descriptor.writable === true;
    return "value" in descriptor && descriptor.writable === true && descriptor.configurable === true;
  });
}

function symbolDraft(symbol: symbol): Draft {
  const key = Symbol.keyFor(symbol);
  const wellKnown = wellKnownSymbol(symbol);
  const data = key !== undefined ? { key } : wellKnown !== undefined ? { wellKnown } : { description: symbol.description };
  return { kind: "symbol", data, slots: [] };
}

function viewDraft(view: ArrayBufferView, prototype: object | null | undefined): Draft {
  const type = Buffer.isBuffer(view) ? "Buffer" : view instanceof DataView ? "DataView" : Object.prototype.toString.call(view).slice(8, -1);
  const length = view instanceof DataView ? view.byteLength : (view as Uint8Array).length;
  return { kind: "view", data: { type, offset: view.byteOffset, length }, slots: [prototype, view.buffer] };
}

function integrityOf(value: object): number {
  if (Object.isExtensible(value)) return 0;
  if (Object.isFrozen(value)) return 3;
  return Object.isSealed(value) ? 2 : 1;
}

/** The function whose `prototype` this object is. */
function prototypeOwner(prototype: object): object | undefined {
  const owner: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof owner !== "function") return undefined;
  return Object.getOwnPropertyDescriptor(owner, "prototype")?.value === prototype ? owner : undefined;
}

/** Whether it is one of the basic prototypes of another `vm` context. */
function foreignPrototype(prototype: object | null): boolean {
  const owner = prototype === null ? undefined : prototypeOwner(prototype);
  if (owner === undefined || !/\[native code\]/.test(Function.prototype.toString.call(owner))) return false;
  const ours = (globalThis as unknown as Record<string, { prototype?: object } | undefined>)[(owner as { name: string }).name];
  return ours?.prototype !== prototype && REALM_PROTOTYPES.includes(ours?.prototype as object);
}

/** Whether the prototype is what a value of that kind is made with. */
function hasUsualPrototype(value: object, prototype: object | null): boolean {
  if (Array.isArray(value)) return prototype === Array.prototype;
  if (types.isMap(value)) return prototype === Map.prototype;
  if (types.isSet(value)) return prototype === Set.prototype;
  if (types.isDate(value)) return prototype === Date.prototype;
  if (types.isRegExp(value)) return prototype === RegExp.prototype;
  if (types.isNativeError(value)) return prototype === Error.prototype;
  if (ArrayBuffer.isView(value)) return isBuiltinView(value, prototype);
  if (isBoxed(value)) return prototype === Object.getPrototypeOf(Object((value as { valueOf(): unknown }).valueOf()));
  return prototype === Object.prototype;
}

function propsOf(value: object, skip: Skip): Pick<Draft, "props"> {
  const flags: number[] = [];
  const slots: unknown[] = [];
  for (const key of Reflect.ownKeys(value)) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
    if (skip(key, descriptor)) continue;
    const shared = (descriptor.enumerable === true ? FLAG.enumerable : 0) | (descriptor.configurable === true ? FLAG.configurable : 0);
    if ("value" in descriptor) {
      flags.push(shared | (descriptor.writable === true ? FLAG.writable : 0));
      slots.push(key, descriptor.value);
    } else {
      flags.push(shared | FLAG.accessor);
      slots.push(key, descriptor.get, descriptor.set);
    }
  }
  return flags.length === 0 ? {} : { props: { flags, slots } };
}

const isFunctionOwn: Skip = (key) => key === "length" || key === "name" || key === "arguments" || key === "caller";

function skipOfFunction(template: Template): Skip {
  const inText = skipOfText(template);
  return (key, descriptor) => {
    if (key === "name") return descriptor.value === template.name;
    if (key === "prototype") return true;
    return isFunctionOwn(key, descriptor) || inText(key, descriptor);
  };
}

function skipOfPrototype(template: Template): Skip {
  const inText = skipOfText(template);
  return (key, descriptor) => key === "constructor" || inText(key, descriptor);
}

/** Leaves out the methods that a class's own text makes. */
function skipOfText({ site, script }: Template): Skip {
  const { node } = site;
  if (!isClassNode(node)) return () => false;
  const text = script.source.slice(site.textStart, node.end);
  return (_key, { value, get, set }) => {
    const method: unknown = value ?? get ?? set;
    return typeof method === "function" && text.includes(Function.prototype.toString.call(method)) && !isOwnProperty(node, method);
  };
}

/** Whether the class's text makes the function as the value of a static field, not as a method. */
function isOwnProperty(node: ESTree.Class, method: object): boolean {
  return node.body.body.some(
    (member) =>
      member.type === "PropertyDefinition" && member.static && member.key.type === "Identifier" && member.key.name === (method as { name: string }).name,
  );
}

/** Whether the variable belongs to a scope of which there is only one. */
export function isUnique({ variable, scope }: ClosedOver): boolean {
  return scope === undefined || variable === null || isTopLevel(variable);
}
