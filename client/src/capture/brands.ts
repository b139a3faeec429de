/** Which objects a class of the platform has made, and which only have it in their prototype chain. */
import { isNativeCode } from "./kinds.ts";

/** Getters that answer for any object. */
const GENERIC = new Set<PropertyKey>([Symbol.toStringTag, "flags", "constructor", "__proto__"]);

/** Methods that tell a real instance from others, and change nothing. */
const TELLING: readonly [method: string, ...args: unknown[]][] = [["deref"], ["resolvedOptions"], ["unregister", Symbol("nothing")]];

const TypedArray = Object.getPrototypeOf(Uint8Array) as object;

/** Classes whose instances V8 tells by itself: what it has not told until here is none. */
const TOLD_BY_KIND: ReadonlySet<unknown> = new Set([Function, Array, Number, String, Boolean, Symbol, BigInt, Date, RegExp, Promise, WeakMap, WeakSet, Error, (globalThis as { Iterator?: unknown }).Iterator]);

/**
 * Whether the object, whose kind V8 does not tell, was made without the native class that is in its prototype chain, as
 * by `Object.create(Map.prototype)`: then there is no state in it but its own properties. Nothing of the user's is called.
 */
export function isWithoutState(owner: object, value: object): boolean {
  if (TOLD_BY_KIND.has(owner) || [Error, TypedArray].some((base) => Object.prototype.isPrototypeOf.call(base, owner))) return true;
  const { prototype } = owner as { prototype: object };
  for (const key of Reflect.ownKeys(prototype)) {
    const { get } = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
    if (get !== undefined && !GENERIC.has(key) && isNativeCode(get)) return !answers(get, value, []);
  }
  for (const [name, ...args] of TELLING) {
    const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
    if (typeof method === "function" && isNativeCode(method)) return !answers(method, value, args);
  }
  return false;
}

/** The same for a class that Node itself has written in JavaScript: each constructor of those leaves something in what it makes. */
export function isWithoutMarks(value: object, privateMembers: readonly unknown[]): boolean {
  return privateMembers.length === 0 && Reflect.ownKeys(value).length === 0;
}

function answers(method: object, value: object, args: readonly unknown[]): boolean {
  try {
    Reflect.apply(method as () => unknown, value, args);
    return true;
  } catch {
    return false;
  }
}
