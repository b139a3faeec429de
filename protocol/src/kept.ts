import { decodeValues, encodeValues } from "./value.ts";

/** Longer arrays are left to V8, whose way then costs little beside their length. */
const MAX_LENGTH = 64;
// Taken now: the user's code may replace them.
const { entries, getPrototypeOf, keys } = Object;
const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype) as object;

/**
 * A result, or an input, as it is now. Those travel together, after further ones: what the user's code uses again, such as a
 * buffer or an object that is filled anew each time, would be sent with what was left in it at the last.
 */
export function kept(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  try {
    return copyPlain(value, new Set()) ?? decodeValues(encodeValues([value]))[0];
  } catch {
    // What cannot be copied is told when it is sent.
    return value;
  }
}

/**
 * Copies primitives, plain objects, short arrays and typed arrays, each of them named once: ten times as fast as V8's way.
 * Undefined for all else.
 */
function copyPlain(value: unknown, seen: Set<object>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return undefined;
  seen.add(value);
  const prototype = getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype) return copyFields(value, seen);
  if (prototype === Array.prototype) return copyItems(value as unknown[], seen);
  if (prototype === Buffer.prototype) return Buffer.from(value as Buffer);
  return prototype !== null && getPrototypeOf(prototype) === TYPED_ARRAY ? (value as Uint8Array).slice() : undefined;
}

function copyFields(value: object, seen: Set<object>): object | undefined {
  const copy: Record<string, unknown> = {};
  const fields = entries(value) as [string, unknown][];
  for (let at = 0; at < fields.length; at++) {
    const { 0: key, 1: part } = fields[at] as [string, unknown];
    const copied = copyPlain(part, seen);
    if ((copied === undefined && part !== undefined) || key === "__proto__") return undefined;
    copy[key] = copied;
  }
  return copy;
}

function copyItems(value: readonly unknown[], seen: Set<object>): unknown[] | undefined {
  // An array may have holes, or names beside its items, as a match of a regular expression has.
  if (value.length > MAX_LENGTH || keys(value).length !== value.length) return undefined;
  const copy: unknown[] = [];
  for (let at = 0; at < value.length; at++) {
    const copied = copyPlain(value[at], seen);
    if (copied === undefined && value[at] !== undefined) return undefined;
    copy[at] = copied;
  }
  return copy;
}
