/**
 * Says something at once, and then no more often than every so many milliseconds: for positions, of which only the last
 * counts. The gap is a tenth of the time since the first one, within bounds: in the first moments each position may be what
 * somebody waits for, later each message is a system call for both sides.
 */

const GAP_SHARE = 0.1;

export class Pacer<Value> {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #say: (value: Value) => void;
  #beganMs: number | undefined;
  #pending: { readonly value: Value } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ minMs, maxMs }: { minMs: number; maxMs: number }, say: (value: Value) => void) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#say = say;
  }

  /** Says this value, now or soon, unless a newer one takes its place. */
  set(value: Value): void {
    this.#pending = { value };
    if (this.#timer === undefined) this.flush();
  }

  /** Says what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    this.#timer = setTimeout(() => this.flush(), this.#gapMs());
    this.#timer.unref();
    this.#say(pending.value);
  }

  /** Forgets what waits. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending = undefined;
  }

  #gapMs(): number {
    const nowMs = performance.now();
    this.#beganMs ??= nowMs;
    return Math.min(this.#maxMs, Math.max(this.#minMs, (nowMs - this.#beganMs) * GAP_SHARE));
  }
}
