/** Node's timers end at once when they are longer: 25 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Ends a cluster that nobody uses. */
export class IdleWatch {
  readonly #idleMs: number;
  readonly #onIdle: () => void;
  readonly #onChange: () => void;
  #timer: NodeJS.Timeout | undefined;
  #deadline: number | null = null;

  /** @param onChange the deadline is another. */
  constructor(idleMs: number, onIdle: () => void, onChange: () => void = () => undefined) {
    this.#onChange = onChange;
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
      if (this.#timer === undefined) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#deadline = null;
      this.#onChange();
    } else if (this.#timer === undefined) {
      this.#deadline = Date.now() + this.#idleMs;
      this.#timer = setTimeout(this.#onIdle, this.#idleMs);
      this.#onChange();
    }
  }
}
