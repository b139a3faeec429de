/**
 * The core's clock: time in which main could hear. It stands still while main does, in a long write perhaps, or stopped with
 * its machine: no lease and no grace ends because main was not there to hear that it goes on.
 */

/** The clock is looked at this often; */
const LOOK_MS = 1_000;
/** what is later by more than half of that was a stall. */
const STALL_MS = 1_500;

export class AwakeClock {
  readonly #read: () => number;
  readonly #timer: NodeJS.Timeout;
  #lastMs: number;
  #missedMs = 0;

  constructor(read: () => number = () => performance.now()) {
    this.#read = read;
    this.#lastMs = read();
    this.#timer = setInterval(() => this.nowMs(), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** To be asked at least every `LOOK_MS`; it does so itself. */
  nowMs(): number {
    const readMs = this.#read();
    const sinceMs = readMs - this.#lastMs;
    if (sinceMs > STALL_MS) this.#missedMs += sinceMs - LOOK_MS;
    this.#lastMs = readMs;
    return readMs - this.#missedMs;
  }
}
