/**
 * User values <-> opaque bytes, by V8's structured clone. The values of a chunk are serialised together: one
 * `v8.serialize` costs about 4 us whatever it holds, so one per value would cap a client at 240,000 a second.
 */
import { DefaultDeserializer, serialize } from "node:v8";
import { inspect, types } from "node:util";

/** How an object without fields is written: begin, end, no properties. */
const NO_FIELDS = Buffer.from("o{\0", "latin1");

/** @throws Error for what structured clone cannot copy, or would copy nothing of; `findUncloneable` names the culprit. */
export function encodeValues(values: readonly unknown[]): Uint8Array {
  const bytes = serialize(values);
  // Nearly all values are spared the search: it costs as much as writing them.
  if (bytes.includes(NO_FIELDS) && holdsEmptied(values)) throw new Error("a part of the values would arrive empty");
  return bytes;
}

/** Whether there is an object of the platform, such as a `URL`, that V8 copies without an error and without anything in it. */
function holdsEmptied(root: unknown): boolean {
  const seen = new Set<object>();
  const left: unknown[] = [root];
  while (left.length > 0) {
    const value = left.pop();
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue;
    seen.add(value);
    const fields: unknown[] = Array.isArray(value) ? value : Object.values(value);
    if (fields.length === 0 && isOfPlatform(value)) return true;
    for (const field of fields) if (typeof field === "object") left.push(field);
    if (types.isMap(value)) for (const entry of value) left.push(...entry);
    if (types.isSet(value)) for (const item of value) left.push(item);
  }
  return false;
}

/** What V8 itself copies with all that is in it, although it has no fields. */
function isCopiedWhole(value: object): boolean {
  return Array.isArray(value) || types.isMap(value) || types.isSet(value) || types.isDate(value) || types.isRegExp(value) ||
    types.isNativeError(value) || types.isBoxedPrimitive(value) || types.isAnyArrayBuffer(value);
}

/** Whether a class that is a global made the object: what is in it is not in fields of its own. */
function isOfPlatform(value: object): boolean {
  if (isCopiedWhole(value)) return false;
  for (let at = Object.getPrototypeOf(value) as object | null; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const { value: made } = Object.getOwnPropertyDescriptor(at, "constructor") ?? {};
    if (typeof made === "function" && made.name !== "Object" && (globalThis as Record<string, unknown>)[made.name] === made) return true;
  }
  return false;
}

/** @throws when the bytes are not what `encodeValues` wrote. */
export function decodeValues(bytes: Uint8Array): unknown[] {
  return decodeValue(bytes) as unknown[];
}

/**
 * As `v8.deserialize`, but with memory of its own for each typed array. Node's own lets them look into the bytes that
 * they were read from: `array.buffer` would then hold the values of everybody else in the message.
 */
export function decodeValue(bytes: Uint8Array): unknown {
  const deserializer = new OwnMemoryDeserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

class OwnMemoryDeserializer extends DefaultDeserializer {
  // Node names it with an underscore and documents it as the method to override.
  _readHostObject(): ArrayBufferView {
    const { _readHostObject: readView } = DefaultDeserializer.prototype as unknown as { _readHostObject(): ArrayBufferView };
    const view = readView.call(this);
    const memory = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;
    return Buffer.isBuffer(view) ? Buffer.from(memory) : new (view.constructor as new (memory: ArrayBuffer) => ArrayBufferView)(memory);
  }
}

/** Where in a value the first part lies that cannot be copied, and what it is. */
export interface Uncloneable {
  /** Such as `.owner.socket` or `[3]`; empty when it is the value itself. */
  readonly path: string;
  readonly what: string;
}

/** Steps from the value to the culprit: a path beyond this helps nobody, and V8 refuses values some thousands deep. */
const MAX_PATH_STEPS = 100;

/**
 * Depth-first search for the part that structured clone refuses; null when there is none. Every part on the way is
 * serialised once for each step above it: for messages only, never for the data path.
 */
export function findUncloneable(value: unknown): Uncloneable | null {
  return search(value, "", 0, new Set());
}

/** @param seen values that cannot be copied and are being searched, or were: the culprit is not found twice. */
function search(value: unknown, path: string, depth: number, seen: Set<unknown>): Uncloneable | null {
  if (isCloneable(value)) return null;
  if (depth >= MAX_PATH_STEPS) return { path, what: `nested more than ${MAX_PATH_STEPS} deep` };
  if (typeof value === "object" && value !== null) {
    seen.add(value);
    let leadsBack = false;
    for (const { step, part } of partsOf(value)) {
      if (part === UNREADABLE) return { path: path + step, what: "a getter that throws" };
      leadsBack ||= seen.has(part);
      const found = seen.has(part) ? null : search(part, path + step, depth + 1, seen);
      if (found !== null) return found;
    }
    if (leadsBack && depth > 0) return null;
  }
  return { path, what: describe(value) };
}

function isCloneable(value: unknown): boolean {
  try {
    encodeValues([value]);
    return true;
  } catch {
    return false;
  }
}

interface Part {
  readonly step: string;
  readonly part: unknown;
}

/** Stands for a part whose getter throws. */
const UNREADABLE = Symbol("unreadable");

function* partsOf(value: object): Generator<Part> {
  if (value instanceof Map) {
    for (const [key, item] of value) {
      yield { step: `.keys(${show(key)})`, part: key };
      yield { step: `.get(${show(key)})`, part: item };
    }
  } else if (value instanceof Set) {
    for (const item of value) yield { step: ".values()", part: item };
  }
  for (const key of keysOf(value)) {
    yield { step: Array.isArray(value) ? `[${key}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`, part: read(value, key) };
  }
}

function keysOf(value: object): string[] {
  try {
    return Object.keys(value);
  } catch {
    return [];
  }
}

function read(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return UNREADABLE;
  }
}

function show(key: unknown): string {
  return typeof key === "function" ? describe(key) : inspect(key, { depth: 0 });
}

function describe(value: unknown): string {
  if (typeof value === "function") return `a function (${value.name || "anonymous"})`;
  if (typeof value === "symbol") return "a symbol";
  if (types.isProxy(value)) return "a Proxy";
  if (types.isArrayBuffer(value)) return "a detached ArrayBuffer";
  const name = classNameOf(value as object);
  return `${/^[AEIOaeio]/.test(name) ? "an" : "a"} ${name}`;
}

function classNameOf(value: object): string {
  try {
    const { name } = value.constructor;
    return String(name === "" || name === "Object" ? Object.prototype.toString.call(value).slice(8, -1) : name);
  } catch {
    return "object";
  }
}
