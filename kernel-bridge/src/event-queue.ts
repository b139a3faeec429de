/** The events of one execution, for one reader that comes when it likes. */
import type { KernelEvent } from "./kernel.ts";

/** Text of one stream that nobody has read yet is joined up to here: a loop that prints is one event, not a million. */
const MAX_JOINED_LENGTH = 65_536;

export class EventQueue implements AsyncIterable<KernelEvent> {
  readonly #unread: KernelEvent[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;
  #isTaken = false;
  #close: () => void = () => undefined;
  /** Resolves with `ended`, whether it is read or not. */
  readonly closed = new Promise<void>((resolve) => (this.#close = resolve));

  /** Nothing is kept after `ended`. */
  push(event: KernelEvent): void {
    if (this.#isClosed) return;
    if (event.type === "ended") {
      this.#isClosed = true;
      this.#close();
    }
    const last = this.#unread.at(-1);
    const joins = event.type === "stream" && last?.type === "stream" && last.name === event.name && last.text.length < MAX_JOINED_LENGTH;
    if (joins) this.#unread[this.#unread.length - 1] = { ...event, text: last.text + event.text };
    else this.#unread.push(event);
    this.#wake?.();
  }

  /** @throws Error when the events were read already. */
  [Symbol.asyncIterator](): AsyncIterator<KernelEvent> {
    if (this.#isTaken) throw new Error("the events of an execution can be read once");
    this.#isTaken = true;
    return this.#read();
  }

  async *#read(): AsyncGenerator<KernelEvent> {
    while (true) {
      // All that is there at once: shifting one by one from a long array costs its length each time.
      for (const event of this.#unread.splice(0)) {
        yield event;
        if (event.type === "ended") return;
      }
      if (this.#unread.length > 0) continue;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
