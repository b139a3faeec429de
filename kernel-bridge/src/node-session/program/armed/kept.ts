/** Results of a map of which some inputs have failed: kept by cell, so that a later run needs only those. */
import { MAX_VIEW_FAILURES } from "../../../cell-view.ts";

export interface KeptRun {
  readonly results: unknown[];
  /** What failed, by index. */
  readonly failures: Map<number, unknown>;
  /** How many inputs there were. */
  readonly count: number;
}

/**
 * Which inputs run again, as positions among those that are there (`present`; null: all are). Only what has failed does. A
 * cell shows the first failures only: who asks for none, or for as many as it shows, asks for the others too.
 */
export function failedAgain({ failures }: Pick<KeptRun, "failures">, asked: readonly number[], present: readonly number[] | null): number[] {
  const failed = [...failures.keys()].sort((a, b) => a - b);
  if (asked.length === 0 || asked.length >= MAX_VIEW_FAILURES) return failed;
  const wanted = new Set(present === null ? asked : asked.map((index) => present.indexOf(index)));
  return failed.filter((position) => wanted.has(position));
}

/** Most cells that are kept: the oldest goes first. */
const MAX_RUNS = 16;

export class KeptRuns {
  readonly #byCell = new Map<string, KeptRun>();

  get(cellId: string): KeptRun | undefined {
    return this.#byCell.get(cellId);
  }

  /** A run without failures is not kept: there is nothing to run again. */
  set(cellId: string, run: KeptRun): void {
    this.#byCell.delete(cellId);
    if (run.failures.size === 0) return;
    this.#byCell.set(cellId, run);
    const [oldest] = this.#byCell.keys();
    if (this.#byCell.size > MAX_RUNS && oldest !== undefined) this.#byCell.delete(oldest);
  }
}
