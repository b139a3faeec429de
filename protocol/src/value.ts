/**
 * User values <-> opaque bytes, by V8's structured clone. The values of a chunk are serialised together: one
 * `v8.serialize` costs about 4 us whatever it holds, so one per value would cap a client at 240,000 a second.
 */
import { deserialize, serialize } from "node:v8";
import { inspect } from "node:util";

/** @throws DataCloneError for what structured clone cannot copy; `findUncloneable` names the culprit. */
export function encodeValues(values: readonly unknown[]): Uint8Array {
  return serialize(values);
}

/** @throws when the bytes are not what `encodeValues` wrote. */
export function decodeValues(bytes: Uint8Array): unknown[] {
  return deserialize(bytes) as unknown[];
}

/** Where in a value the first part lies that cannot be copied, and what it is. */
export interface Uncloneable {
  /** Such as `.owner.socket` or `[3]`; empty when it is the value itself. */
  readonly path: string;
  readonly what: string;
}

/** Depth-first search for the part that structured clone refuses; null when there is none. */
export function findUncloneable(value: unknown, path = "", seen = new Set<unknown>()): Uncloneable | null {
  if (isCloneable(value)) return null;
  if (typeof value === "object" && value !== null && !seen.has(value)) {
    seen.add(value);
    for (const [step, part] of partsOf(value)) {
      const found = findUncloneable(part, path + step, seen);
      if (found !== null) return found;
    }
  }
  return { path, what: describe(value) };
}

function isCloneable(value: unknown): boolean {
  try {
    serialize(value);
    return true;
  } catch {
    return false;
  }
}

function* partsOf(value: object): Generator<[string, unknown]> {
  if (value instanceof Map) {
    for (const [key, item] of value) yield [`.get(${inspect(key, { depth: 0 })})`, item];
  } else if (value instanceof Set) {
    for (const item of value) yield [".values()", item];
  } else {
    for (const [key, item] of Object.entries(value)) {
      yield [Array.isArray(value) ? `[${key}]` : /^[\w$]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`, item];
    }
  }
}

function describe(value: unknown): string {
  if (typeof value === "function") return `a function (${value.name || "anonymous"})`;
  if (typeof value === "symbol") return "a symbol";
  const name = (value as object | null)?.constructor?.name ?? "object";
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}
