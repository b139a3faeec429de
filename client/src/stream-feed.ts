/** The queue of a job in main, as its client uses it. What main answers comes by the connection. */
import { MAX_WINDOW_BYTES, MAX_WINDOW_INPUTS, Pacer, POSITION_PACE, type JobId } from "@burla/protocol";
import type { ChunkToPush, FeedQueue, TakenBatch } from "@burla/queue";
import type { ClusterConnection } from "./cluster-connection.ts";

/** So much of what may be unacknowledged is told at once: main stands still when all of it is. */
const MUCH = 0.25;

export class StreamFeed implements FeedQueue {
  readonly #connection: Pick<ClusterConnection, "send">;
  readonly #jobId: JobId;
  readonly #taken: Pacer<number>;
  /** Taken and not yet acknowledged; and the inputs that are. */
  #unacked = { inputs: 0, bytes: 0 };
  #ackedInputs = 0;
  /** Inputs that may have been pushed; null for a reader, who pushes none. */
  #creditInputs: number | null = null;

  constructor(connection: Pick<ClusterConnection, "send">, jobId: JobId) {
    this.#connection = connection;
    this.#jobId = jobId;
    this.#taken = new Pacer(POSITION_PACE, (seq) => this.#acknowledge(seq));
  }

  push({ chunkId, first, count, body }: ChunkToPush): void {
    this.#connection.send({ type: "inputs", jobId: this.#jobId, chunkId, first, count }, body);
  }

  end(total: number): void {
    this.#connection.send({ type: "inputsEnd", jobId: this.#jobId, total });
  }

  /** Main allows so many inputs in all. */
  credited(inputs: number): void {
    this.#creditInputs = inputs;
  }

  taken({ seq, count, bytes }: TakenBatch): void {
    this.#unacked.inputs += count;
    this.#unacked.bytes += bytes;
    this.#taken.set(seq);
    const window = this.#creditInputs === null ? MAX_WINDOW_INPUTS : this.#creditInputs - this.#ackedInputs;
    const isMuch = this.#unacked.inputs >= window * MUCH || this.#unacked.bytes >= MAX_WINDOW_BYTES * MUCH;
    if (this.#unacked.inputs > 0 && isMuch) this.#taken.flush();
  }

  close(): Promise<void> {
    this.#taken.flush();
    this.#taken.stop();
    return Promise.resolve();
  }

  #acknowledge(seq: number): void {
    this.#ackedInputs += this.#unacked.inputs;
    this.#unacked = { inputs: 0, bytes: 0 };
    this.#connection.send({ type: "ack", jobId: this.#jobId, seq });
  }
}
