/** What kind of value it is, asked of V8 and of its prototype, never of what its own code says. */
import { types } from "node:util";
import type * as ESTree from "estree";
import type { FunctionNode } from "./syntax.ts";

const REALM_PROTOTYPES: readonly unknown[] = [Object, Array, Map, Set, Date, RegExp, Error].map(({ prototype }) => prototype as unknown);

export function isReference(value: unknown): value is object | symbol {
  return typeof value === "object" ? value !== null : typeof value === "function" || typeof value === "symbol";
}

/** The name of the class that the object's prototype belongs to, read without running any code of the user's. */
export function classNameOf(value: object): string | undefined {
  if (types.isProxy(value)) return undefined;
  const prototype = Object.getPrototypeOf(value) as object | null;
  const constructor: unknown = prototype === null ? undefined : Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  const name: unknown = typeof constructor === "function" ? Object.getOwnPropertyDescriptor(constructor, "name")?.value : undefined;
  return typeof name === "string" ? name : undefined;
}

/** The names of the classes in the object's prototype chain, read without running any code of the user's. */
export function classNamesOf(value: object): string[] {
  const names: string[] = [];
  for (let at: object | null = value; at !== null && !types.isProxy(at); at = Object.getPrototypeOf(at) as object | null) names.push(classNameOf(at) ?? "");
  return names;
}

export function isBoxed(value: object): boolean {
  return types.isBoxedPrimitive(value);
}

export function isPooled(view: ArrayBufferView): boolean {
  return Buffer.isBuffer(view) && view.buffer.byteLength === Buffer.poolSize && view.byteLength < Buffer.poolSize;
}

export function isBuiltinView(view: ArrayBufferView, prototype: unknown): boolean {
  if (prototype === Buffer.prototype) return true;
  const name = view instanceof DataView ? "DataView" : Object.prototype.toString.call(view).slice(8, -1);
  return (globalThis as unknown as Record<string, { prototype: unknown }>)[name]?.prototype === prototype;
}

/** Whether the object is of a built-in kind that a node of its own restores. */
export function isKnownKind(value: object): boolean {
  return (
    Array.isArray(value) || types.isMap(value) || types.isSet(value) || types.isDate(value) || types.isRegExp(value) ||
    types.isNativeError(value) || isBoxed(value) || ArrayBuffer.isView(value) || types.isArrayBuffer(value)
  );
}

/** Whether all own properties are ordinary data properties that a structured clone keeps. `hidden` of them may not be enumerable. */
export function hasPlainProps(value: object, hidden: number): boolean {
  if (Object.getOwnPropertySymbols(value).length > 0) return false;
  const names = Object.getOwnPropertyNames(value);
  if (Object.keys(value).length + hidden !== names.length) return false;
  if (Array.isArray(value) && names.length > 64 && names.length > value.length / 2) return true;
  // Frozen values and such are met elsewhere: what is left is rare enough to be asked for one by one.
  return names.every((name) => {
    const descriptor = Object.getOwnPropertyDescriptor(value, name) as PropertyDescriptor;
    if (hidden > 0 && name === "length") return descriptor.writable === true;
    return "value" in descriptor && descriptor.writable === true && descriptor.configurable === true;
  });
}

export function integrityOf(value: object): number {
  if (Object.isExtensible(value)) return 0;
  if (Object.isFrozen(value)) return 3;
  return Object.isSealed(value) ? 2 : 1;
}

/** The function whose `prototype` this object is. */
export function prototypeOwner(prototype: object): object | undefined {
  const owner: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof owner !== "function") return undefined;
  return Object.getOwnPropertyDescriptor(owner, "prototype")?.value === prototype ? owner : undefined;
}

/** Whether it is one of the basic prototypes of another `vm` context. */
export function foreignPrototype(prototype: object | null): boolean {
  const owner = prototype === null ? undefined : prototypeOwner(prototype);
  if (owner === undefined || !isNativeCode(owner)) return false;
  const ours = (globalThis as unknown as Record<string, { prototype?: object } | undefined>)[(owner as { name: string }).name];
  return ours?.prototype !== prototype && REALM_PROTOTYPES.includes(ours?.prototype as object);
}

/** Whether it is the prototype that ordinary objects have, be it of another `vm` context. */
export function isBasicPrototype(prototype: object | null): boolean {
  return prototype === Object.prototype || (foreignPrototype(prototype) && nativeOwnerName(prototype) === "Object");
}

/** Whether the function has the prototype that functions of that spelling are made with, in any `vm` context. */
export function hasUsualFunctionPrototype(fn: object, node: FunctionNode): boolean {
  const { async: isAsync = false, generator: isGenerator = false } = node as ESTree.Function;
  const name = `${isAsync ? "Async" : ""}${isGenerator ? "Generator" : ""}Function`;
  return nativeOwnerName(Object.getPrototypeOf(fn) as object | null) === name;
}

/** Whether it is what the `prototype` of each generator function inherits from, in any `vm` context. */
export function isGeneratorBase(prototype: object | null, isAsync: boolean): boolean {
  const maker: unknown = prototype === null ? undefined : Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  return typeof maker === "object" && nativeOwnerName(maker) === `${isAsync ? "Async" : ""}GeneratorFunction`;
}

/** The name of V8's own function whose `prototype` the object is. */
function nativeOwnerName(prototype: object | null): string | undefined {
  const owner = prototype === null ? undefined : prototypeOwner(prototype);
  return owner !== undefined && isNativeCode(owner) ? (owner as { name: string }).name : undefined;
}

/** Whether V8 or Node wrote the function in another language. */
export function isNativeCode(fn: object): boolean {
  return /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn));
}

/** Whether the prototype is what a value of that kind is made with. */
export function hasUsualPrototype(value: object, prototype: object | null): boolean {
  if (Array.isArray(value)) return prototype === Array.prototype;
  if (types.isMap(value)) return prototype === Map.prototype;
  if (types.isSet(value)) return prototype === Set.prototype;
  if (types.isWeakMap(value)) return prototype === WeakMap.prototype;
  if (types.isWeakSet(value)) return prototype === WeakSet.prototype;
  if (types.isDate(value)) return prototype === Date.prototype;
  if (types.isRegExp(value)) return prototype === RegExp.prototype;
  if (types.isNativeError(value)) return prototype === Error.prototype;
  if (ArrayBuffer.isView(value)) return isBuiltinView(value, prototype);
  if (isBoxed(value)) return prototype === Object.getPrototypeOf(Object((value as { valueOf(): unknown }).valueOf()));
  return prototype === Object.prototype;
}
