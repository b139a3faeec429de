/** A store that tries again what may only be a matter of time, and gives errors their meaning. */
import { BurlaError, messageOf } from "@burla/protocol";
import { ConflictError, type DocumentStore, type Listener, type Query, type StoredDocument, type Version, type Write } from "./store.ts";

/**
 * gRPC's numbers for what another writer may have caused to a commit: not found, already exists, failed precondition. Of
 * a query they say that there is no such database, or no index.
 */
const CONFLICTS: ReadonlySet<number> = new Set([5, 6, 9]);
const NO_CONFLICTS: ReadonlySet<number> = new Set();
/** What passes: cancelled, unknown, deadline exceeded, resource exhausted, aborted, internal, unavailable. */
const PASSING = new Set([1, 2, 4, 8, 10, 13, 14]);
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5_000;
/** Out of reach for so long, a store is taken for lost. */
const PATIENCE_MS = 5 * 60_000;

export class PatientStore implements DocumentStore {
  readonly #store: DocumentStore;

  constructor(store: DocumentStore) {
    this.#store = store;
  }

  commit(writes: readonly Write[]): Promise<Version[]> {
    return patiently(() => this.#store.commit(writes), CONFLICTS);
  }

  get(paths: readonly string[]): Promise<(StoredDocument | null)[]> {
    return patiently(() => this.#store.get(paths));
  }

  query(query: Query): Promise<StoredDocument[]> {
    return patiently(() => this.#store.query(query));
  }

  sums(collection: string, fields: readonly string[]): Promise<Record<string, number>> {
    return patiently(() => this.#store.sums(collection, fields));
  }

  listen(query: Query, listener: Listener): () => void {
    return this.#store.listen(query, withMeaning(listener));
  }

  listenTo(path: string, listener: Listener): () => void {
    return this.#store.listenTo(path, withMeaning(listener));
  }

  removeTree(path: string): Promise<void> {
    return patiently(() => this.#store.removeTree(path));
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

async function patiently<Value>(act: () => Promise<Value>, conflicts = NO_CONFLICTS): Promise<Value> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(MAX_RETRY_MS, retryMs * 2)) {
    try {
      return await act();
    } catch (error) {
      const code = Number((error as { code?: unknown } | null)?.code ?? -1);
      if (conflicts.has(code)) throw new ConflictError(messageOf(error), { cause: error });
      if (!PASSING.has(code) || performance.now() > deadlineMs) throw refusal(error);
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

/** The client of the store opens a listener again by itself; what it tells is final. */
function withMeaning({ next, failed }: Listener): Listener {
  return { next, failed: (error) => failed(refusal(error)) };
}

function refusal(error: unknown): BurlaError {
  return new BurlaError("BURLA_QUEUE", `Cloud Firestore refuses: ${messageOf(error)}`, { cause: error });
}
