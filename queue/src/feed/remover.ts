/** Deletes what nobody needs any more, in the background and many at once. */
import { MAX_COMMIT_WRITES } from "../limits.ts";
import type { DocumentStore, Write } from "../store.ts";

export class Remover {
  readonly #store: DocumentStore;
  readonly #failed: (error: unknown) => void;
  readonly #writes: Write[] = [];
  #running: Promise<void> | undefined;

  constructor(store: DocumentStore, failed: (error: unknown) => void) {
    this.#store = store;
    this.#failed = failed;
  }

  remove(writes: readonly Write[]): void {
    this.#writes.push(...writes);
    this.#running ??= this.#run();
  }

  async flushed(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // What is removed in the same turn goes together.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (this.#writes.length > 0) await this.#store.commit(this.#writes.splice(0, MAX_COMMIT_WRITES));
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#running = undefined;
    }
  }
}
