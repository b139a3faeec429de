/** Walks through a value without recursion: it may be as deep as the stack is long. */
import { types } from "node:util";

/** What V8 would write and not give back as it was. */
export interface Inside {
  /** There is an object of the platform, such as a `URL`, that V8 copies without an error and without anything in it. */
  readonly isEmptied: boolean;
  /** There is an error, of which V8 keeps the text. */
  readonly hasErrors: boolean;
}

/** @throws what a getter throws. */
export function lookInside(root: unknown): Inside {
  const seen = new Set<object>();
  let [isEmptied, hasErrors] = [false, false];
  walk(root, (value) => {
    if (seen.has(value)) return false;
    seen.add(value);
    if (travelsAsError(value)) {
      hasErrors = true;
      return false;
    }
    isEmptied ||= !isCopiedWhole(value) && Object.keys(value).length === 0 && isOfPlatform(value);
    return true;
  });
  return { isEmptied, hasErrors };
}

/** @param enter is told of each object, as often as something holds it, and says whether to look into it. */
export function walk(root: unknown, enter: (value: object, holder: object | null) => boolean): void {
  const left: object[] = [];
  const meet = (value: unknown, holder: object | null) => {
    if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && enter(value, holder)) left.push(value);
  };
  meet(root, null);
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    for (const part of Array.isArray(value) ? (value as unknown[]) : Object.values(value)) meet(part, value);
    for (const part of membersOf(value)) meet(part, value);
  }
}

/** What `error-values.ts` writes instead of V8. */
export function travelsAsError(value: object): value is Error {
  return types.isNativeError(value) || value instanceof DOMException;
}

/** Whether something lies in it behind more than so many steps. @throws what a getter throws. */
export function isDeeperThan(root: unknown, maxDepth: number): boolean {
  const seen = new Set<unknown>();
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return true;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue;
      seen.add(value);
      for (const part of Array.isArray(value) ? (value as unknown[]) : Object.values(value)) if (typeof part === "object") next.push(part);
      for (const part of membersOf(value)) next.push(part);
    }
    level = next;
  }
  return false;
}

/** What a Map or a Set holds. */
export function* membersOf(value: object): Generator<unknown> {
  if (types.isMap(value)) {
    for (const [key, item] of value) {
      yield key;
      yield item;
    }
  } else if (types.isSet(value)) yield* value;
}

/** What V8 itself copies with all that is in it, although it has no fields. */
function isCopiedWhole(value: object): boolean {
  return Array.isArray(value) || types.isMap(value) || types.isSet(value) || types.isDate(value) || types.isRegExp(value) ||
    types.isBoxedPrimitive(value) || types.isAnyArrayBuffer(value);
}

/** Whether a class that is a global made the object: what is in it is not in fields of its own. */
function isOfPlatform(value: object): boolean {
  for (let at = Object.getPrototypeOf(value) as object | null; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const { value: made } = Object.getOwnPropertyDescriptor(at, "constructor") ?? {};
    if (typeof made === "function" && made.name !== "Object" && (globalThis as Record<string, unknown>)[made.name] === made) return true;
  }
  return false;
}
