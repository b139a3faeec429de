/** How fast a job goes, and how long it still takes, from what its document said lately. No page, no clock. */
import type { CellView } from "@burla/kernel-bridge/cell-view";

/** Older than this does not count: workers come and go. */
const WINDOW_MS = 10_000;
/** Before this, a rate is a guess. */
const MIN_SPAN_MS = 400;

interface Moment {
  readonly atMs: number;
  readonly count: number;
}

export class Pace {
  #moments: Moment[] = [];

  add({ elapsedMs, done, failed }: Pick<CellView, "elapsedMs" | "done" | "failed">): void {
    const now = { atMs: elapsedMs, count: done + failed };
    const last = this.#moments.at(-1);
    if (last !== undefined && (now.atMs < last.atMs || now.count < last.count)) this.#moments = [];
    this.#moments = [...this.#moments.filter(({ atMs }) => atMs >= now.atMs - WINDOW_MS), now];
  }

  /** Inputs a second; null while that is not known. */
  get perSecond(): number | null {
    const [first] = this.#moments;
    const last = this.#moments.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < MIN_SPAN_MS || last.count === first.count) return null;
    return ((last.count - first.count) * 1000) / (last.atMs - first.atMs);
  }

  leftMs({ total, done, failed }: Pick<CellView, "total" | "done" | "failed">): number | null {
    const rate = this.perSecond;
    return total === null || rate === null ? null : ((total - done - failed) * 1000) / rate;
  }
}
