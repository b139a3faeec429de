/** Results of the maps of a cell that has failed: kept, so that a later run needs only the inputs that failed. */
import { MAX_VIEW_FAILURES } from "../../../cell-view.ts";

export interface KeptRun {
  readonly results: unknown[];
  /** What failed, by index. */
  readonly failures: Map<number, unknown>;
  /** Of which inputs the call gave a promise, as far as that is not known of the function. */
  readonly promised: Set<number>;
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
const MAX_CELLS = 16;

/** As `settled()` of the client gives it. */
export type SettledInput =
  | { readonly index: number; readonly status: "fulfilled"; readonly value: unknown }
  | { readonly index: number; readonly status: "rejected"; readonly reason: unknown };

export class KeptRuns {
  readonly #byCell = new Map<string, Map<number, KeptRun>>();
  #last: KeptRun | undefined;

  /** What has come of the last map of a cell, in order of the inputs: of those that have not run there is nothing. */
  settled(): SettledInput[] {
    const { results, failures } = this.#last ?? { results: [], failures: new Map<number, unknown>() };
    const indexes = new Set([...results.keys(), ...failures.keys()]);
    return [...indexes].sort((a, b) => a - b).flatMap((index): SettledInput[] => {
      if (failures.has(index)) return [{ index, status: "rejected", reason: failures.get(index) }];
      return index in results ? [{ index, status: "fulfilled", value: results[index] }] : [];
    });
  }

  /** Whether there is something of an earlier run of the cell. */
  knows(cellId: string): boolean {
    return this.#byCell.has(cellId);
  }

  /** @param job which of the cell's jobs that is, from 0. */
  get(cellId: string, job: number): KeptRun | undefined {
    return this.#byCell.get(cellId)?.get(job);
  }

  set(cellId: string, job: number, run: KeptRun): void {
    this.#last = run;
    const jobs = this.#byCell.get(cellId) ?? new Map<number, KeptRun>();
    this.#byCell.delete(cellId);
    this.#byCell.set(cellId, jobs.set(job, run));
    const [oldest] = this.#byCell.keys();
    if (this.#byCell.size > MAX_CELLS && oldest !== undefined) this.#byCell.delete(oldest);
  }

  /** A cell that has come to its end needs nothing again. */
  forget(cellId: string): void {
    this.#byCell.delete(cellId);
  }
}
