/** Causes that lead back to where one came from. */
import { isError, keysOf, ownKeysOf, read } from "./error-parts.ts";
import { MAX_DETAIL_PARTS } from "./limits.ts";
import { membersOf } from "./look-inside.ts";

/** Whether the error can be reached from its cause, or the chain of its causes comes to one of them twice. @throws what a getter throws. */
export function causeLeadsBack(error: Error): boolean {
  const cause = read(error, "cause");
  return typeof cause === "object" && cause !== null && (isRing(cause) || reaches(cause, error));
}

function isRing(first: object): boolean {
  const chain = new Set<unknown>();
  for (let at: unknown = first; isError(at) && chain.size < MAX_DETAIL_PARTS; at = read(at, "cause")) {
    if (chain.has(at)) return true;
    chain.add(at);
  }
  return false;
}

/** Looks at so many parts, the nearest first. */
/** Looks at so many parts, the nearest first. @throws what a getter throws. */
function reaches(first: object, error: Error): boolean {
  const met = new Set<object>([first]);
  for (const holder of met) {
    if (holder === error) return true;
    for (const part of partsOf(holder)) {
      if (met.size >= MAX_DETAIL_PARTS) break;
      if (typeof part === "object" && part !== null) met.add(part);
    }
  }
  return false;
}

function* partsOf(value: object): Generator<unknown> {
  if (ArrayBuffer.isView(value)) return;
  for (const key of isError(value) ? ownKeysOf(value) : keysOf(value)) yield read(value, key);
  yield* membersOf(value);
}
