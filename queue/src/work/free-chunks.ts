/** Chunks that nobody has, as far as one node hears of them: a few, from a place of its own in the order of the ids. */
import { below, randomId } from "../documents.ts";
import { FIRST_LOOK_MS, FREE_WINDOW, LOOK_FOR_LOST_MS } from "../limits.ts";
import type { DocumentStore, StoredDocument } from "../store.ts";

export interface FreeChunksOptions {
  readonly store: DocumentStore;
  readonly job: string;
  /** The store's clock. */
  readonly nowMs: () => number;
  /** Some may be there. */
  readonly changed: () => void;
  /** Whether the node has a use for chunks whose node was lost. */
  readonly isWanting: () => boolean;
  readonly failed: (error: unknown) => void;
}

export class FreeChunks {
  readonly #options: FreeChunksOptions;
  readonly #collection: string;
  /** From a random id on, and up to it: two nodes seldom go for the same chunk. */
  readonly #halves: Map<string, StoredDocument>[] = [new Map(), new Map()];
  readonly #found = new Map<string, StoredDocument>();
  /** Versions that were taken or tried: the listener may tell of them once more. */
  readonly #tried = new Map<string, string>();
  readonly #stops: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lookMs = FIRST_LOOK_MS;
  #closed = false;

  constructor(options: FreeChunksOptions) {
    this.#options = options;
    this.#collection = below(options.job, "chunks");
  }

  start(): void {
    const pivot = randomId();
    this.#listen(0, { fromId: pivot });
    this.#listen(1, { beforeId: pivot });
    this.#lookLater();
  }

  /** One of those that are known to be free; it is not given again. */
  take(): StoredDocument | undefined {
    for (const found of [...this.#halves, this.#found]) {
      for (const [id, document] of found) {
        found.delete(id);
        if (this.#tried.get(id) === document.version) continue;
        this.#tried.set(id, document.version);
        return document;
      }
    }
    return undefined;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop();
  }

  #listen(half: number, part: { fromId: string } | { beforeId: string }): void {
    const { store, changed, failed } = this.#options;
    const found = this.#halves[half] ?? new Map();
    const next = (documents: readonly StoredDocument[]) => {
      found.clear();
      for (const document of documents) found.set(document.id, document);
      if (this.#tried.size > 64 * FREE_WINDOW) this.#tried.clear();
      changed();
    };
    this.#stops.push(store.listen({ collection: this.#collection, where: [["freeAt", "==", 0]], ...part, limit: FREE_WINDOW }, { next, failed }));
  }

  /**
   * A lease that has ended is no change that anybody would tell, and a listener may miss what is written while it begins
   * (Google's emulator does so now and then): nodes with nothing to do look, soon at first.
   */
  #lookLater(): void {
    this.#timer = setTimeout(() => void this.#look(), this.#lookMs * (0.75 + Math.random() / 2));
    this.#lookMs = Math.min(LOOK_FOR_LOST_MS, 2 * this.#lookMs);
  }

  async #look(): Promise<void> {
    const { store, nowMs, isWanting, changed, failed } = this.#options;
    try {
      if (isWanting()) {
        const free = await store.query({ collection: this.#collection, where: [["freeAt", "<", nowMs()]], orderBy: "freeAt", limit: FREE_WINDOW });
        for (const document of free) this.#found.set(document.id, document);
        if (free.length > 0) changed();
      }
    } catch (error) {
      return failed(error);
    }
    if (!this.#closed) this.#lookLater();
  }
}
