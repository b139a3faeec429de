/** Inputs of a map of which only some run, and their results among those that are there already. */
import type { MapInputs } from "./inputs.ts";
import type { KeptRun } from "./kept.ts";

/** The index in the map of each input of a job; null where they are the same. */
export function indexesOf({ present }: MapInputs, onlyInputs: readonly number[] | null): readonly number[] | null {
  if (onlyInputs === null) return present;
  return present === null ? onlyInputs : onlyInputs.map((index) => present[index] ?? index);
}

/** Values with their index in the array. `only` counts the values that are there. */
export function* pairs({ values }: MapInputs, indexes: readonly number[], only: readonly number[] | null): Generator<[unknown, number]> {
  const wanted = only === null ? null : new Map(only.map((position, at) => [position, at]));
  const found: [unknown, number][] = [];
  let position = 0;
  for (const value of values) {
    const at = wanted === null ? position : wanted.get(position);
    position++;
    if (at === undefined) continue;
    if (wanted === null) yield [value, indexes[at] as number];
    else found[at] = [value, indexes[at] as number];
  }
  yield* found;
}

/** What an earlier run has left, and what the job of its failed inputs has given. */
export function merged(kept: KeptRun | undefined, outcome: KeptRun, onlyInputs: readonly number[] | null, inputs: MapInputs): KeptRun {
  if (kept === undefined || onlyInputs === null) return { ...outcome, results: filled(outcome.results, inputs.count ?? outcome.count) };
  const results = [...kept.results];
  const failures = new Map(kept.failures);
  const promised = new Set(kept.promised);
  onlyInputs.forEach((index, at) => {
    failures.delete(index);
    if (outcome.promised.has(at)) promised.add(index);
    if (outcome.failures.has(at)) failures.set(index, outcome.failures.get(at));
    results[index] = outcome.results[at];
  });
  return { results, failures, promised, count: kept.count };
}

/** Without gaps, of that length. */
export function filled(results: unknown[], count: number): unknown[] {
  return results.length === count && !results.includes(undefined) ? results : Array.from({ length: count }, (_, index) => results[index]);
}
