/** The scenario of most faults: a job of many inputs, and something that happens when half of its results are there. */
import { remoteParallelMap, type MapOptions } from "burla";
import { assertEachOnce, numbers } from "./inputs.ts";

export const MANY = 10_000;

/** Long enough that the job still runs when the fault comes. */
function spin(x: number): number {
  const endMs = performance.now() + 0.3;
  while (performance.now() < endMs);
  return x;
}

/** @throws Error unless every input has exactly one result. */
export async function survives(fault: () => unknown, { at = [MANY / 2], ...options }: MapOptions & { at?: number[] } = {}): Promise<void> {
  const results: number[] = [];
  const moments = new Set(at);
  for await (const result of remoteParallelMap(spin, numbers(MANY), options)) {
    results.push(result);
    if (moments.delete(results.length)) await fault();
  }
  assertEachOnce(results, MANY);
  if (moments.size > 0) throw new Error("the fault never came");
}
