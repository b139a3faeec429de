/** How fast a collection may be written to: 500 writes a second, half as much again every five minutes. Pure. */

const FIRST_PER_SECOND = 500;
const GROWTH = 1.5;
const GROWS_EVERY_MS = 5 * 60_000;
/** Beyond this the service has long spread the collection over many machines. */
const MAX_PER_SECOND = 10_000;

export class WriteRamp {
  #sinceMs: number | undefined;
  #freeMs = 0;

  /** @returns how long to wait before so many writes may go. They count as written. */
  take(writes: number, nowMs: number): number {
    this.#sinceMs ??= nowMs;
    const perSecond = Math.min(MAX_PER_SECOND, FIRST_PER_SECOND * GROWTH ** Math.floor((nowMs - this.#sinceMs) / GROWS_EVERY_MS));
    // What was not used for up to a second may be used at once.
    const startMs = Math.max(this.#freeMs, nowMs - 1000);
    this.#freeMs = startMs + (writes * 1000) / perSecond;
    return Math.max(0, startMs - nowMs);
  }
}
