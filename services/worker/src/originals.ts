/**
 * What this service needs of the language, as it was before the user's code ran in the same process. That may replace any of
 * it, on purpose or not; while the service itself works, the originals are back in their places.
 */
import { EventEmitter } from "node:events";
import fs from "node:fs";
import { inspect } from "node:util";

interface Original {
  readonly owner: object;
  readonly key: PropertyKey;
  /** What it is read from: the owner, or for an accessor something that has it. */
  readonly on: object;
  /** What is read there. */
  readonly value: unknown;
  readonly descriptor: PropertyDescriptor;
}

/** A change of the user's, to be made again. */
interface Change {
  readonly owner: object;
  readonly key: PropertyKey;
  readonly changed: PropertyDescriptor | undefined;
}

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { ownKeys, deleteProperty } = Reflect;
const { writeSync } = fs;
const exit = (process as unknown as { reallyExit(code: number): never }).reallyExit.bind(process);
const show = inspect;
const EXIT_CODE = 70;
const STDERR = 2;

const iteratorOf = (iterable: Iterable<unknown>): object => getPrototypeOf(iterable[Symbol.iterator]()) as object;
const NEEDED: [owner: object, keys: PropertyKey[]][] = [
  [globalThis, ["Array", "Buffer", "Date", "Error", "JSON", "Map", "Math", "Number", "Object", "Promise", "Reflect", "RegExp", "Set", "String", "Symbol", "Uint8Array", "clearTimeout", "performance", "process", "setImmediate", "setTimeout"]],
  [Array, ["from", "isArray"]],
  [Array.prototype, [Symbol.iterator, "entries", "every", "filter", "find", "flatMap", "forEach", "includes", "indexOf", "join", "map", "pop", "push", "shift", "slice", "some", "sort", "splice", "values"]],
  [iteratorOf([]), ["next", Symbol.iterator]],
  [Map.prototype, [Symbol.iterator, "delete", "entries", "get", "has", "keys", "set", "values"]],
  [iteratorOf(new Map()), ["next"]],
  [Set.prototype, [Symbol.iterator, "add", "delete", "has", "values"]],
  [iteratorOf(new Set()), ["next"]],
  [Object, ["assign", "create", "defineProperty", "entries", "fromEntries", "getOwnPropertyDescriptor", "getPrototypeOf", "hasOwn", "keys", "values"]],
  [Function.prototype, ["apply", "bind", "call", Symbol.hasInstance]],
  [String.prototype, [Symbol.iterator, "endsWith", "includes", "replace", "replaceAll", "slice", "split", "startsWith", "trim"]],
  [RegExp.prototype, ["exec", "test", Symbol.replace, Symbol.split]],
  [Promise, ["all", "race", "resolve"]],
  [Promise.prototype, ["catch", "constructor", "finally", "then"]],
  [JSON, ["parse", "stringify"]],
  [Math, ["floor", "max", "min"]],
  [Number, ["isFinite", "isInteger", "isSafeInteger"]],
  [Reflect, ["apply", "construct", "defineProperty", "get", "ownKeys"]],
  [Buffer, ["alloc", "allocUnsafe", "byteLength", "concat", "from", "isBuffer"]],
  [Buffer.prototype, ["copy", "includes", "toString", "write", "writeDoubleBE", "writeUInt32LE", "writeUInt32BE", "writeUInt8", "readUInt32LE"]],
  [getPrototypeOf(Uint8Array.prototype) as object, [Symbol.iterator, "set", "slice", "subarray"]],
  [EventEmitter.prototype, ["emit", "on", "once"]],
];
/** Its numbers differ from each other, and from those of what is empty. */
const SAMPLE = new Uint8Array(new ArrayBuffer(12), 3, 7);
const NEEDED_ACCESSORS: [owner: object, keys: PropertyKey[], on: object][] = [
  [getPrototypeOf(Uint8Array.prototype) as object, ["buffer", "byteLength", "byteOffset", "length"], SAMPLE],
  [ArrayBuffer.prototype, ["byteLength"], SAMPLE.buffer],
  [Map.prototype, ["size"], new Map([[0, 0]])],
  [Set.prototype, ["size"], new Set([0])],
];

const ORIGINALS: Original[] = [];
for (const [owner, keys, on] of [...NEEDED.map(([owner, keys]) => [owner, keys, owner] as const), ...NEEDED_ACCESSORS]) {
  for (const key of keys) {
    const descriptor = getOwnPropertyDescriptor(owner, key);
    if (descriptor !== undefined) ORIGINALS[ORIGINALS.length] = { owner, key, on, value: (on as Record<PropertyKey, unknown>)[key], descriptor };
  }
}
/** What every object has. More is what the user's code has given to all of them, with getters and setters maybe. */
const OF_ALL_OBJECTS = ownKeys(Object.prototype).length;
const KNOWN = new Set(ownKeys(Object.prototype));
const isKnown = KNOWN.has.bind(KNOWN);

/**
 * Does work of the service's own, which never throws: where it does, what it needs cannot be had, and the process ends. Its
 * calls are then taken for ones that end their worker, instead of never being answered.
 */
export function asOwnWork<Result>(work: () => Result): Result {
  let changes: Change[] | null = null;
  try {
    changes = putBack();
    return work();
  } catch (error) {
    return endWith(error);
  } finally {
    if (changes !== null) makeAgain(changes);
  }
}

/** Node itself calls these, outside of any work of the service's own: the object keeps the ones of now, whatever becomes of its classes. */
export function keepMethods<Name extends PropertyKey>(object: Record<Name, unknown>, names: readonly Name[]): void {
  for (const name of names) defineProperty(object, name, { value: object[name], configurable: true, writable: true });
}

/** As `keepMethods`, and what the method reads is in its place too: for one that calls nothing but work of the service's own. */
export function asOwnMethod<Name extends PropertyKey>(object: Record<Name, (...given: never[]) => unknown>, name: Name): void {
  const method = object[name].bind(object) as (...given: unknown[]) => unknown;
  const value = (...given: unknown[]) => asOwnWork(() => method(...given));
  defineProperty(object, name, { value, configurable: true, writable: true });
}

/** The process cannot go on. */
export function endWith(error: unknown): never {
  try {
    writeSync(STDERR, `the worker's own code failed: ${show(error)}\n`);
  } finally {
    exit(EXIT_CODE);
  }
  throw error;
}

function putBack(): Change[] | null {
  let changes: Change[] | null = null;
  for (let at = 0; at < ORIGINALS.length; at++) {
    const original = ORIGINALS[at] as Original;
    if (isInPlace(original)) continue;
    const { owner, key, descriptor } = original;
    changes ??= [];
    changes[changes.length] = { owner, key, changed: getOwnPropertyDescriptor(owner, key) };
    defineProperty(owner, key, descriptor);
  }
  const keys = ownKeys(Object.prototype);
  if (keys.length === OF_ALL_OBJECTS) return changes;
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string | symbol;
    if (isKnown(key)) continue;
    const changed = getOwnPropertyDescriptor(Object.prototype, key);
    if (!deleteProperty(Object.prototype, key)) continue;
    changes ??= [];
    changes[changes.length] = { owner: Object.prototype, key, changed };
  }
  return changes;
}

/** Reading it is faster than asking for its descriptor, which matters twice in each call. */
function isInPlace({ on, key, value }: Original): boolean {
  try {
    return (on as Record<PropertyKey, unknown>)[key] === value;
  } catch {
    return false;
  }
}

function makeAgain(changes: Change[]): void {
  for (let at = changes.length - 1; at >= 0; at--) {
    const { owner, key, changed } = changes[at] as Change;
    if (changed === undefined) deleteProperty(owner, key);
    else defineProperty(owner, key, changed);
  }
}
