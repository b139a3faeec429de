/**
 * User values <-> opaque bytes, by V8's structured clone. The values of a chunk are serialised together: one
 * `v8.serialize` costs about 4 us whatever it holds, so one per value would cap a client at 240,000 a second.
 */
import { serialize } from "node:v8";
import { inspect, types } from "node:util";
import { readApart, type OpenedValues } from "./apart.ts";
import { keysOf } from "./error-parts.ts";
import { encodeWithErrors, ValueDeserializer, type MapStack } from "./error-values.ts";
import { lookInside } from "./look-inside.ts";

/** How an object without fields is written: begin, end, no properties. */
const NO_FIELDS = Buffer.from("o{\0", "latin1");
/** How an error begins: its class, then what is there of message, stack and cause, or the end. Few texts hold such bytes. */
const ERROR = /r[EFRSTU]?(?:[ms]["cS\0]|c[^ ]|\.(?![ \n]))/;
/** Where the array of values begins, and how one does that was filled in order: `wire-scan.ts` reads no others. */
const [AT_ARRAY, PACKED] = [2, "A".charCodeAt(0)];
/** More is not searched for bytes: a look at the values costs less. */
const MAX_SEARCHED_BYTES = 1 << 20;

export interface EncodeOptions {
  /** Applied to the stack of each error in the values. */
  readonly mapStack?: MapStack;
  /** An error that the values belong to, and that is written by name only. */
  readonly outer?: Error;
}

/** @throws Error for what structured clone cannot copy, or would copy nothing of; `findUncloneable` names the culprit. */
export function encodeValues(values: readonly unknown[], { mapStack = (stack) => stack, outer }: EncodeOptions = {}): Uint8Array {
  let bytes: Buffer;
  try {
    bytes = serialize(values);
  } catch (error) {
    // V8 looks for more in an error than travels, and overflows the stack in a long chain of causes.
    if (lookInside(values).hasErrors) return encodeWithErrors(values, mapStack, outer ?? null);
    throw error;
  }
  // Nearly all values are spared the look inside: it costs as much as writing them.
  if (!bytes.includes(NO_FIELDS) && !mayHoldErrors(values, bytes)) return bytes[AT_ARRAY] === PACKED ? bytes : serialize([...values]);
  const { isEmptied, hasErrors } = lookInside(values);
  if (isEmptied) throw new Error("a part of the values would arrive empty");
  return hasErrors ? encodeWithErrors(values, mapStack, outer ?? null) : bytes;
}

function mayHoldErrors(values: readonly unknown[], bytes: Buffer): boolean {
  if (!values.some((value) => typeof value === "object" && value !== null)) return false;
  return bytes.byteLength > MAX_SEARCHED_BYTES || ERROR.test(bytes.toString("latin1"));
}

/** @throws when the bytes are not what `encodeValues` wrote, or something in them cannot be read here. */
export function decodeValues(bytes: Uint8Array, outer: Error | null = null): unknown[] {
  const values = decodeValue(bytes, outer);
  if (!Array.isArray(values)) throw new TypeError("what should be values is something else");
  return values;
}

/**
 * The values, and which of them cannot be read here, such as one that is nested deeper than this stack is long. Never
 * throws: of bytes that are damaged no value can be read.
 */
export function openValues(bytes: Uint8Array, count: number): OpenedValues {
  try {
    const values = decodeValues(bytes);
    if (values.length >= count) return { values, unreadable: NONE };
  } catch {
    // Looked at one by one.
  }
  return readApart(bytes, count);
}

const NONE: ReadonlyMap<number, string> = new Map();

/**
 * As `v8.deserialize`, but with memory of its own for each typed array. Node's own lets them look into the bytes that
 * they were read from: `array.buffer` would then hold the values of everybody else in the message.
 */
export function decodeValue(bytes: Uint8Array, outer: Error | null = null): unknown {
  return new ValueDeserializer(bytes, outer).readAll();
}

/** Where in a value the first part lies that cannot be copied, and what it is. */
export interface Uncloneable {
  /** Such as `.owner.socket` or `[3]`; empty when it is the value itself. */
  readonly path: string;
  readonly what: string;
}

/** Steps from the value to the culprit: a path beyond this helps nobody, and V8 refuses values some thousands deep. */
const MAX_PATH_STEPS = 100;
/** So many are enough to see what it is that is too deep. */
const MAX_STEPS_INTO_DEPTH = 5;

/**
 * Depth-first search for the part that structured clone refuses; null when there is none. Every part on the way is
 * serialised once for each step above it: for messages only, never for the data path.
 */
export function findUncloneable(value: unknown): Uncloneable | null {
  try {
    return search(value, "", 0, new Set());
  } catch {
    // A trap of a proxy, or a getter, does not let itself be asked.
    return { path: "", what: describe(value) };
  }
}

/** @param seen values that cannot be copied and are being searched, or were: the culprit is not found twice. */
function search(value: unknown, path: string, depth: number, seen: Set<unknown>): Uncloneable | null {
  const obstacle = obstacleIn(value);
  if (obstacle === null) return null;
  if (depth >= (obstacle === "depth" ? MAX_STEPS_INTO_DEPTH : MAX_PATH_STEPS)) return { path: `${path}…`, what: "nested too deep" };
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

function obstacleIn(value: unknown): "depth" | "part" | null {
  try {
    encodeValues([value]);
    return null;
  } catch (error) {
    return error instanceof RangeError && /call stack/.test(error.message) ? "depth" : "part";
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
  if (typeof value !== "object" || value === null) return typeof value;
  const name = classNameOf(value);
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
