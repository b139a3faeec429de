/** Says something at once, and then no more often than every so many milliseconds: for positions, of which only the last counts. */

export class Pacer<Value> {
  readonly #everyMs: number;
  readonly #say: (value: Value) => void;
  #pending: { readonly value: Value } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(everyMs: number, say: (value: Value) => void) {
    this.#everyMs = everyMs;
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
    this.#timer = setTimeout(() => this.flush(), this.#everyMs);
    this.#timer.unref();
    this.#say(pending.value);
  }

  /** Forgets what waits. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending = undefined;
  }
}
