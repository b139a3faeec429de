/** The queues of the jobs that this node works for. */
import { FirestoreWork, largeValuesOf, MainValues, StorePool, type DocumentStore, type WorkListener, type WorkQueue, type WorkReport } from "@burla/queue";
import { encodeEnvelopes, messageOf, type MainToNode, type Of, type QueuePlace } from "@burla/protocol";
import type { MainLink } from "./main-link.ts";
import { StreamWork } from "./stream-work.ts";

type Assign = Of<MainToNode, "assign">;

export interface WorkQueuesOptions {
  readonly nodeId: string;
  readonly link: MainLink;
  /** A job is over, as its queue says. */
  readonly ended: (jobId: Assign["jobId"], reason: string) => void;
}

export class WorkQueues {
  readonly #options: WorkQueuesOptions;
  readonly #stores = new StorePool();

  constructor(options: WorkQueuesOptions) {
    this.#options = options;
  }

  open(assign: Assign, listener: WorkListener): WorkQueue {
    const { link, nodeId, ended } = this.#options;
    const { jobId, spec, workers } = assign;
    const place = spec.queue;
    if (place === null) return new StreamWork(link, jobId);
    const loadFailed = (body: Uint8Array) => link.sendDurably({ type: "loadFailed", jobId }, body);
    const large = largeValuesOf(place, new MainValues(() => link.address));
    return new Opening(
      this.#stores,
      place,
      (store) =>
        new FirestoreWork({
          store, place, jobId, nodeId, spec, workers, large, listener,
          held: (held) => link.trySend({ type: "queueHeld", jobId, ...held }),
          loadFailed,
          ended: (reason) => ended(jobId, reason),
        }),
      (error) => loadFailed(encodeEnvelopes([{ kind: "burla", code: "BURLA_QUEUE", message: messageOf(error) }])),
    );
  }
}

/** Google's client takes a moment to load; nothing can be reported of a job that has granted nothing, but that it cannot be loaded. */
class Opening implements WorkQueue {
  readonly #work: Promise<WorkQueue | null>;
  readonly #release: () => void;

  constructor(stores: StorePool, place: QueuePlace, make: (store: DocumentStore) => WorkQueue, failed: (error: unknown) => void) {
    this.#release = () => stores.release(place);
    this.#work = stores.take(place).then(make).catch((error: unknown) => {
      failed(error);
      return null;
    });
  }

  report(message: WorkReport, body: Uint8Array): void {
    void this.#work.then((work) => work?.report(message, body));
  }

  lines(droppedLines: number, entries: Uint8Array): void {
    void this.#work.then((work) => work?.lines(droppedLines, entries));
  }

  drain(): void {
    void this.#work.then((work) => work?.drain());
  }

  async close(): Promise<void> {
    await (await this.#work)?.close();
    this.#release();
  }
}
