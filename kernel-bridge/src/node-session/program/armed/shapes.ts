/** What the calls of a map have given -> the value of the expression that it stands for, or what that would have thrown. */
import type { MapShape } from "../cells/plan/sites.ts";
import type { KeptRun } from "./kept.ts";

/** What the expression is, when nobody awaits it where it stands: a promise, which may not be returned by an async function. */
export interface Later {
  readonly later: Promise<unknown>;
}

export interface ShapedMap extends Pick<MapShape, "from" | "around" | "isAwaited"> {
  /** Whether all calls give promises. */
  readonly isAsync: boolean;
  /** The results in the form that the map would give them. */
  readonly collect: (results: unknown[]) => unknown;
}

/** @throws what the expression would have thrown. */
export function shaped(run: KeptRun, map: ShapedMap): unknown {
  const isPromise = (index: number) => map.isAsync || run.promised.has(index);
  // What a call throws at once ends the map; what its promise fails with is for whoever awaits that.
  throwFirst(run, (index) => !isPromise(index));
  if (map.around === "none") return map.collect(run.results.map((value, index) => (isPromise(index) ? promiseOf(run, value, index) : value)));
  if (map.around === "allSettled") return map.isAwaited ? settledResults(run) : { later: Promise.resolve(settledResults(run)) };
  if (map.isAwaited) {
    throwFirst(run);
    return map.collect(run.results);
  }
  return { later: Promise.all(run.results.map((value, index) => promiseOf(run, value, index))).then((results) => map.collect(results)) };
}

/** Nobody has to await it: it would be told as unhandled where it runs, too, but that is the cluster. */
function promiseOf({ failures }: KeptRun, value: unknown, index: number): Promise<unknown> {
  if (!failures.has(index)) return Promise.resolve(value);
  const rejected = Promise.reject(failures.get(index) as Error);
  rejected.catch(() => undefined);
  return rejected;
}

function settledResults({ results, failures }: KeptRun): unknown[] {
  return results.map((value, index) => (failures.has(index) ? { status: "rejected", reason: failures.get(index) } : { status: "fulfilled", value }));
}

/** Throws the failure of the first input that has one. */
export function throwFirst({ failures }: KeptRun, counts: (index: number) => boolean = () => true): void {
  let first = Infinity;
  for (const index of failures.keys()) if (counts(index)) first = Math.min(first, index);
  if (first < Infinity) throw failures.get(first);
}
