/** What an error holds, read without trusting it: every getter may throw, and what it carries may be anything. */
import { serialize } from "node:v8";
import { inspect, types } from "node:util";
import { MAX_DETAIL_DEPTH, MAX_DETAIL_PARTS } from "./limits.ts";
import { isDeeperThan, lookInside } from "./look-inside.ts";

const BUILT_IN_CLASSES = [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError] as const;
const BY_NAME = new Map<string, ErrorConstructor>([Error, ...BUILT_IN_CLASSES].map((builtIn) => [builtIn.name, builtIn as ErrorConstructor]));
/** Longer inheritance is not looked at: a proxy may have no end of it. */
const MAX_PROTOTYPES = 100;

/** Stands for what a getter that throws would have given. */
export const UNREADABLE = "(could not be read)";

/** An own property as it travels: its key (a text, or that of a registered symbol), whether it is enumerable, its value. */
export type Detail = [key: string | { symbol: string }, isEnumerable: boolean, value: unknown];

/** An error of this realm, or of another one, as code run by `node:vm` throws. */
export function isError(value: unknown): value is Error {
  try {
    return types.isNativeError(value) || value instanceof Error;
  } catch {
    return false;
  }
}

/** The nearest built-in class, by name where the error comes from another realm. */
export function builtinOf(error: Error): string {
  try {
    if (error instanceof DOMException) return "DOMException";
    const own = BUILT_IN_CLASSES.find((builtIn) => error instanceof builtIn)?.name;
    if (own !== undefined || error instanceof Error) return own ?? "Error";
    let at: unknown = Object.getPrototypeOf(error);
    for (let steps = 0; at != null && steps < MAX_PROTOTYPES; steps++, at = Object.getPrototypeOf(at)) {
      const name = textOf(at as object, "name");
      if (BY_NAME.has(name)) return name;
    }
  } catch {
    // Its prototype cannot be asked for.
  }
  return "Error";
}

/** An error of a built-in class with nothing in it yet but its message. */
export function makeError(builtin: string, message: string, name: string): Error {
  if (builtin === "DOMException") return new DOMException(message, name);
  if (builtin === "AggregateError") return new AggregateError([], message);
  return new (BY_NAME.get(builtin) ?? Error)(message);
}

/** What the property holds; a text when its getter throws. */
export function read(target: object, key: PropertyKey): unknown {
  try {
    return (target as Record<PropertyKey, unknown>)[key];
  } catch {
    return UNREADABLE;
  }
}

export function textOf(target: object, key: string): string {
  const value = read(target, key);
  if (typeof value === "string") return value;
  try {
    return String(value ?? "");
  } catch {
    return UNREADABLE;
  }
}

export function inspectSafely(value: unknown, depth = 2): string {
  try {
    return inspect(value, { depth, getters: false });
  } catch {
    return UNREADABLE;
  }
}

/** Own properties, enumerable or not, except those of these names. */
export function detailsOf(error: Error, except: ReadonlySet<PropertyKey>): Detail[] {
  const details: Detail[] = [];
  for (const key of ownKeysOf(error)) {
    if (except.has(key)) continue;
    const name = typeof key === "string" ? key : symbolOf(key);
    if (name === null) continue;
    details.push([name, isEnumerable(error, key), copyable(read(error, key))]);
  }
  return details;
}

/** Defines instead of assigning: a property called `__proto__` must not change the error's class. */
export function defineDetails(error: Error, details: readonly Detail[]): void {
  for (const [key, isEnumerable, value] of details) {
    const name = typeof key === "string" ? key : Symbol.for(key.symbol);
    Object.defineProperty(error, name, { value, enumerable: isEnumerable, writable: true, configurable: true });
  }
}

/** None of one that does not let itself be asked. */
export function ownKeysOf(error: Error): PropertyKey[] {
  try {
    return Reflect.ownKeys(error);
  } catch {
    return [];
  }
}

function isEnumerable(error: Error, key: PropertyKey): boolean {
  try {
    return Object.getOwnPropertyDescriptor(error, key)?.enumerable ?? false;
  } catch {
    return false;
  }
}

/** Other symbols than registered ones are another there. */
function symbolOf(key: PropertyKey): { symbol: string } | null {
  const symbol = typeof key === "symbol" ? Symbol.keyFor(key) : undefined;
  return symbol === undefined ? null : { symbol };
}

/**
 * The value itself where it can be copied and read again with little stack. Else what can be copied of it: plain objects
 * and arrays part by part, and a text in place of each thing in them that lives here only.
 */
export function copyable(value: unknown): unknown {
  return new PartialCopy().of(value, 0);
}

class PartialCopy {
  readonly #copies = new Map<object, unknown>();
  #left = MAX_DETAIL_PARTS;

  of(value: unknown, depth: number): unknown {
    if (typeof value === "function" || typeof value === "symbol") return inspectSafely(value, 0);
    if (typeof value !== "object" || value === null || isError(value)) return value;
    const known = this.#copies.get(value);
    if (known !== undefined) return known;
    if (isCopiedWhole(value)) return value;
    if (depth >= MAX_DETAIL_DEPTH || --this.#left <= 0 || !isPlain(value)) return inspectSafely(value, depth === 0 ? 2 : 0);
    const copy: unknown[] | Record<string, unknown> = Array.isArray(value) ? [] : {};
    this.#copies.set(value, copy);
    for (const key of keysOf(value)) {
      const part = this.of(read(value, key), depth + 1);
      Object.defineProperty(copy, key, { value: part, enumerable: true, writable: true, configurable: true });
    }
    return copy;
  }
}

/** By V8, with nothing missing. Errors in it travel beside it. */
function isCopiedWhole(value: object): boolean {
  try {
    serialize(value);
    return !isDeeperThan(value, MAX_DETAIL_DEPTH) && !lookInside(value).isEmptied;
  } catch {
    return false;
  }
}

function isPlain(value: object): boolean {
  try {
    if (types.isProxy(value)) return false;
    const prototype = Object.getPrototypeOf(value) as object | null;
    return prototype === Object.prototype || prototype === null || Array.isArray(value);
  } catch {
    return false;
  }
}

/** None of what does not let itself be asked. */
export function keysOf(value: object): string[] {
  try {
    return Object.keys(value);
  } catch {
    return [];
  }
}
