import { types } from "node:util";
import { isWithoutMarks, isWithoutState } from "./brands.ts";
import { privateMembersOf } from "./free-names.ts";
import type { FunctionReader } from "./functions.ts";
import { foreignPrototype, hasUsualPrototype, integrityOf, isBoxed, isKnownKind, isNativeCode, prototypeOwner } from "./kinds.ts";
import type { Natives } from "./natives.ts";
import { propsOf, type Skip } from "./own-properties.ts";
import { pathNames, type Path } from "./path.ts";
import { nativeInstanceRefusal, type Refusal } from "./refusals.ts";
import type { Draft, ShapeOf } from "./vertex.ts";

/** Drafts of objects that are more than plain data: with a prototype, accessors, private members, integrity. */
export class ObjectDrafts {
  readonly #functions: FunctionReader;
  readonly #natives: Natives;
  readonly #shapeOf: ShapeOf;

  constructor(functions: FunctionReader, natives: Natives, shapeOf: ShapeOf) {
    this.#functions = functions;
    this.#natives = natives;
    this.#shapeOf = shapeOf;
  }

  /** Throws CaptureError where the object keeps state that cannot be copied. */
  draft(value: object, path: Path): Draft {
    const prototype = this.#prototypeOf(value, path);
    const integrity = integrityOf(value);
    const common = { ...(integrity > 0 ? { integrity } : {}), ...(prototype === undefined ? {} : this.#privatesOf(value, path)) };
    const own = (skip: Skip = () => false): Partial<Draft> => ({ ...common, ...propsOf(value, skip) });
    if (Array.isArray(value)) return { kind: "array", data: lengthOf(value), slots: [prototype], ...own((key) => key === "length") };
    if (types.isMap(value)) return { kind: "map", slots: [prototype, ...[...value].flat(1)], ...own() };
    if (types.isSet(value)) return { kind: "set", slots: [prototype, ...value], ...own() };
    if (types.isWeakMap(value)) return { kind: "weakmap", slots: [prototype], ...own() };
    if (types.isWeakSet(value)) return { kind: "weakset", slots: [prototype], ...own() };
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
    if (types.isArgumentsObject(value)) return this.draft([...(value as unknown as ArrayLike<unknown> & Iterable<unknown>)], path);
    return { kind: "object", slots: [prototype], ...own() };
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
        throw this.#functions.refuse(importedPrivates(owner as { name: string }, this.#functions.packageOf(owner), path), path);
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
      throw this.#functions.refuse(nativeInstanceRefusal((owner as { name: string }).name), path);
    }
    return prototype;
  }

  /** Whether objects of this class keep state where JavaScript cannot see it. */
  #hidesState(owner: object, value: object): boolean {
    if (owner === Object) return false;
    const isNative = isNativeCode(owner);
    const ref = this.#natives.find(owner) ?? this.#natives.findInModules(owner);
    if (ref === undefined) return isNative || this.#functions.isInternal(owner);
    if (isNative) return !isKnownKind(value) && !isWithoutState(owner, value);
    const { name } = owner as { name: string };
    if (name === "EventEmitter" || types.isNativeError(value) || ArrayBuffer.isView(value)) return false;
    return !isWithoutMarks(value, this.#functions.privateMembers(value));
  }
}

/** In the words that the user knows: the variable of the user's own first, and the package whose class lies behind it. */
function importedPrivates({ name }: { name: string }, packageName: string | undefined, path: Path): Refusal {
  const [, variable = name, ...inside] = pathNames(path);
  const from = packageName === undefined ? "" : ` of the package ${packageName}`;
  const unreadable = "an imported class with private (#) members, which cannot be read back into that class";
  if (inside.length === 0) return { what: `it is an instance of ${name}${from}, ${unreadable}`, cure: `Create the ${name} inside the function, or send what its constructor needs.` };
  return { what: `${variable} keeps an instance of ${name}${from}, ${unreadable}`, cure: `Create ${variable} inside the function, or in a module that the function imports.` };
}

function lengthOf(array: object): { length: number; isFixed: boolean } {
  const { value, writable } = Object.getOwnPropertyDescriptor(array, "length") as { value: number; writable: boolean };
  return { length: value, isFixed: !writable };
}

function viewDraft(view: ArrayBufferView, prototype: object | null | undefined): Draft {
  const type = Buffer.isBuffer(view) ? "Buffer" : view instanceof DataView ? "DataView" : Object.prototype.toString.call(view).slice(8, -1);
  const length = view instanceof DataView ? view.byteLength : (view as Uint8Array).length;
  return { kind: "view", data: { type, offset: view.byteOffset, length }, slots: [prototype, view.buffer] };
}
