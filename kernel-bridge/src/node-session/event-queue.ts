/** Events of one execution, for one reader, from the first one on. */
import type { KernelEvent } from "../kernel.ts";

export class EventQueue implements AsyncIterable<KernelEvent> {
  #events: KernelEvent[] = [];
  #isOver = false;
  #wake: (() => void) | undefined;

  get isOver(): boolean {
    return this.#isOver;
  }

  /** After `ended` nothing is taken any more. */
  push(event: KernelEvent): void {
    if (this.#isOver) return;
    this.#events.push(event);
    this.#isOver = event.type === "ended";
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<KernelEvent, void, undefined> {
    for (;;) {
      const events = this.#events;
      this.#events = [];
      yield* events;
      if (this.#events.length > 0) continue;
      if (this.#isOver) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
  }
}
