/** A value that changes, as an iterable: a reader that is slow misses what was in between, never what is. */
import { Bell } from "./bell.ts";

export class Latest<Value> {
  readonly #bell = new Bell();
  #pending: { readonly value: Value } | null = null;
  #end: { readonly error?: unknown } | null = null;

  set(value: Value): void {
    this.#pending = { value };
    this.#bell.ring();
  }

  /** No value follows; the last one is still given. */
  end(): void {
    this.#end ??= {};
    this.#bell.ring();
  }

  fail(error: unknown): void {
    this.#end ??= { error };
    this.#bell.ring();
  }

  /** Until its end, or at once with the signal. For one reader. */
  async *values(signal: AbortSignal): AsyncGenerator<Value, void, undefined> {
    while (!signal.aborted) {
      const pending = this.#pending;
      this.#pending = null;
      if (pending !== null) yield pending.value;
      else if (this.#end === null) await this.#bell.wait(signal);
      else if ("error" in this.#end) throw this.#end.error;
      else return;
    }
  }
}
