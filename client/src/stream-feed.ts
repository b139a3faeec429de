/** The queue of a job in main, as its client uses it. What main answers comes by the connection. */
import { Pacer, POSITION_MS, type JobId } from "@burla/protocol";
import type { ChunkToPush, FeedQueue } from "@burla/queue";
import type { ClusterConnection } from "./cluster-connection.ts";

export class StreamFeed implements FeedQueue {
  readonly #connection: Pick<ClusterConnection, "send">;
  readonly #jobId: JobId;
  readonly #taken: Pacer<number>;

  constructor(connection: Pick<ClusterConnection, "send">, jobId: JobId) {
    this.#connection = connection;
    this.#jobId = jobId;
    this.#taken = new Pacer(POSITION_MS, (seq) => connection.send({ type: "ack", jobId, seq }));
  }

  push({ chunkId, first, count, body }: ChunkToPush): void {
    this.#connection.send({ type: "inputs", jobId: this.#jobId, chunkId, first, count }, body);
  }

  end(total: number): void {
    this.#connection.send({ type: "inputsEnd", jobId: this.#jobId, total });
  }

  taken(seq: number): void {
    this.#taken.set(seq);
  }

  close(): Promise<void> {
    this.#taken.flush();
    this.#taken.stop();
    return Promise.resolve();
  }
}
