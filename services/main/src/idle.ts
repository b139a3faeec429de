/** Node's timers end at once when they are longer: 25 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Ends a cluster that nobody uses. */
export class IdleWatch {
  readonly #idleMs: number;
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | undefined;
  #deadline: number | null = null;

  constructor(idleMs: number, onIdle: () => void) {
    this.#idleMs = Math.min(idleMs, MAX_TIMER_MS);
    this.#onIdle = onIdle;
  }

  /** When it ends if nothing happens, Unix ms; null while it is in use. */
  get deadline(): number | null {
    return this.#deadline;
  }

  /** The idle time begins with the first report of not being busy, and ends with one of being busy. */
  busy(isBusy: boolean): void {
    if (isBusy) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#deadline = null;
    } else if (this.#timer === undefined) {
      this.#deadline = Date.now() + this.#idleMs;
      this.#timer = setTimeout(this.#onIdle, this.#idleMs);
    }
  }
}
