/** Lines that calls print -> documents, a few a second. */
import { below, expiry, randomId } from "../documents.ts";
import { LINES_EVERY_MS } from "../limits.ts";
import type { Payloads } from "../payloads.ts";
import { commitOnce } from "../commit-once.ts";
import type { DocumentStore } from "../store.ts";

export interface LineWriterOptions {
  readonly store: DocumentStore;
  readonly job: string;
  readonly payloads: Payloads;
  readonly nodeId: string;
  readonly failed: (error: unknown) => void;
}

interface Some {
  readonly droppedLines: number;
  readonly entries: Uint8Array;
}

export class LineWriter {
  readonly #options: LineWriterOptions;
  #waiting: Some[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** All that was taken is stored. */
  #stored: Promise<void> = Promise.resolve();

  constructor(options: LineWriterOptions) {
    this.#options = options;
  }

  add(droppedLines: number, entries: Uint8Array): void {
    this.#waiting.push({ droppedLines, entries });
    this.#timer ??= setTimeout(() => void this.flushed(), LINES_EVERY_MS);
  }

  /** Resolves when all lines so far are stored. */
  flushed(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const some = this.#waiting;
    this.#waiting = [];
    if (some.length > 0) this.#stored = this.#stored.then(() => this.#write(some)).catch((error: unknown) => this.#options.failed(error));
    return this.#stored;
  }

  /** One document for each piece: pieces are what a worker gathered. */
  async #write(some: readonly Some[]): Promise<void> {
    const { store, job, payloads, nodeId } = this.#options;
    for (const { droppedLines, entries } of some) {
      const { payload, writes } = await payloads.put(entries);
      const fields = { nodeId, droppedLines, at: Date.now(), taken: -1, ...payload, expireAt: expiry(Date.now()) };
      const path = `${below(job, "lines")}/${randomId()}`;
      await commitOnce(store, [{ op: "create", path, fields }, ...writes]);
    }
  }
}
