/** Pauses between attempts at the same thing: each twice as long as the one before, and by chance shorter, so that many do not come at once. */
export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** From 0 to 1. */
  readonly random?: () => number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** What the next attempt waits for, in ms: at least half of the full pause. */
  next(): number {
    const { firstMs, maxMs, random = Math.random } = this.#options;
    const fullMs = Math.min(maxMs, firstMs * 2 ** this.#failures++);
    return fullMs * (0.5 + random() / 2);
  }

  /** The last attempt was of use: the next pause is the first again. */
  reset(): void {
    this.#failures = 0;
  }
}
