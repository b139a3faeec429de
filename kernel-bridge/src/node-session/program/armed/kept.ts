/** Results of a map of which some inputs have failed: kept by cell, so that a later run needs only those. */

export interface KeptRun {
  readonly results: unknown[];
  /** What failed, by index. */
  readonly failures: Map<number, unknown>;
  /** How many inputs there were. */
  readonly count: number;
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
