/** Says things to the session's owner, in order and at once: a busy cell, or one that ends the process, has still said them. */
import { writeSync } from "node:fs";
import { MAX_STREAM_LENGTH, REPORTS_FD, type Report } from "../messages.ts";

/** What the code prints in a loop leaves together, so often, */
const GATHER_MS = 30;
/** after the first few texts, which leave at once: what native code writes next shall come after them. */
const AT_ONCE = 20;
const RETRY_MS = 1;

export class Reporter {
  #name: "stdout" | "stderr" = "stdout";
  #parts: string[] = [];
  #length = 0;
  #turnMs = 0;
  /** Texts in this turn. */
  #printed = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));

  say(report: Report): void {
    this.flush();
    this.#write(report);
  }

  print(name: "stdout" | "stderr", text: string): void {
    if (name !== this.#name) this.flush();
    this.#name = name;
    this.#parts.push(text);
    this.#length += text.length;
    // A busy cell gives no timer a chance, so it is looked here too.
    const isNewTurn = performance.now() - this.#turnMs > GATHER_MS;
    if (isNewTurn) {
      this.#turnMs = performance.now();
      this.#printed = 0;
    }
    if (isNewTurn || ++this.#printed <= AT_ONCE || this.#length >= MAX_STREAM_LENGTH) return this.flush();
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#parts.length === 0) return;
    const text = this.#parts.join("");
    this.#parts = [];
    this.#length = 0;
    for (let at = 0; at < text.length; at += MAX_STREAM_LENGTH) this.#write({ type: "stream", name: this.#name, text: text.slice(at, at + MAX_STREAM_LENGTH) });
  }

  #write(report: Report): void {
    let bytes = Buffer.from(`${JSON.stringify(report)}\n`);
    while (bytes.length > 0) {
      try {
        bytes = bytes.subarray(writeSync(REPORTS_FD, bytes));
      } catch (error) {
        // A full pipe: its reader is behind.
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
        Atomics.wait(this.#sleeper, 0, 0, RETRY_MS);
      }
    }
  }
}
