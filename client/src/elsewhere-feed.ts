/** The queue of a job that is not in main, opened when main has said where it is. */
import { FirestoreFeed, largeValuesOf, MainValues, StorePool, type ChunkToPush, type FeedOptions, type FeedQueue, type TakenBatch } from "@burla/queue";
import { BurlaError, type JobId, type MainToClient, type Of, type QueuePlace } from "@burla/protocol";
import type { ClusterDoor } from "./cluster.ts";

const stores = new StorePool();

export interface ElsewhereOptions extends Pick<FeedOptions, "feeds" | "listener" | "counts"> {
  readonly place: QueuePlace;
  readonly jobId: JobId;
  /** Where main is, for large values. */
  readonly address: () => ClusterDoor;
}

/** Google's client takes a moment to load; what is said before is said then, in order. */
export class ElsewhereFeed implements FeedQueue {
  readonly #place: QueuePlace;
  readonly #feed: Promise<FirestoreFeed | null>;

  constructor({ place, address, ...options }: ElsewhereOptions) {
    this.#place = place;
    this.#feed = stores
      .take(place)
      .then((store) => new FirestoreFeed({ store, place, large: largeValuesOf(place, new MainValues(address)), ...options }))
      .catch((error: unknown) => {
        options.listener.failed(error instanceof BurlaError ? error : new BurlaError("BURLA_QUEUE", `Cloud Firestore cannot be used: ${String(error)}`, { cause: error }));
        return null;
      });
  }

  push(chunk: ChunkToPush): void {
    void this.#feed.then((feed) => feed?.push(chunk));
  }

  end(total: number): void {
    void this.#feed.then((feed) => feed?.end(total));
  }

  taken(batch: TakenBatch): void {
    void this.#feed.then((feed) => feed?.taken(batch));
  }

  /** Main says that the job is over. */
  finished(message: Of<MainToClient, "finished">, body: Uint8Array): void {
    void this.#feed.then((feed) => feed?.finished(message, body));
  }

  /** Resolves when the nodes can hear of it. A queue that is of no use has been told to the listener. */
  async cancel(reason: string): Promise<void> {
    await (await this.#feed)?.cancel(reason).catch(() => undefined);
  }

  async close(): Promise<void> {
    const feed = await this.#feed;
    await feed?.close();
    stores.release(this.#place);
  }
}
