/** What follows when Google refuses to make something: pure, so that every case can be seen. */
import type { GceFailure } from "@burla/protocol";

/** Requests for the same thing, however they ended. */
const MAX_TRIES = 6;
/** A zone whose operations failed this often is left for the next. */
const MAX_FAULTS = 2;

export interface Attempts {
  readonly tries: number;
  /** Those of them whose request was taken and whose operation failed. */
  readonly faults: number;
  /** Another zone would do. */
  readonly hasOthers: boolean;
}

/**
 * - `done`: it exists already, which is what was wanted.
 * - `same`: the request was not answered, and means the same with the same id.
 * - `new`: its operation failed; under the same id it would be told of that failure for ever.
 * - `elsewhere`: this zone does not have it, or keeps failing.
 */
export type NextStep = "done" | "same" | "new" | "elsewhere" | "fail";

export function nextStep({ kind, isOfOperation }: GceFailure, { tries, faults, hasOthers }: Attempts): NextStep {
  if (kind === "exists") return "done";
  if (kind === "stockout" || kind === "quota" || kind === "unsupported") return hasOthers ? "elsewhere" : "fail";
  if (kind !== "transient" && kind !== "rate-limit") return "fail";
  if (hasOthers && faults >= MAX_FAULTS) return "elsewhere";
  if (tries >= MAX_TRIES) return "fail";
  return isOfOperation === true ? "new" : "same";
}
