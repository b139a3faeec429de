/** What main must not miss, until it has said that it has it on disk: sent again when the connection was lost. */
import type { JobId, NodeToMain, Of } from "@burla/protocol";

export type Durable = Of<NodeToMain, "nodeResults" | "grantEnded" | "loadFailed" | "nodeLogs">;
type WithoutSeq<Message> = Message extends unknown ? Omit<Message, "nodeSeq"> : never;

export interface GrantOfJob {
  readonly jobId: JobId;
  readonly grantId: number;
}

export class Outbox {
  readonly #unstored = new Map<number, { message: Durable; body: Uint8Array }>();
  #nextSeq = 1;
  #bytes = 0;
  #logBytes = 0;

  /** Bytes of all that waits. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of lines among it. */
  get logBytes(): number {
    return this.#logBytes;
  }

  add(message: WithoutSeq<Durable>, body: Uint8Array): Durable {
    const numbered = { ...message, nodeSeq: this.#nextSeq++ } as Durable;
    this.#unstored.set(numbered.nodeSeq, { message: numbered, body });
    this.#count(numbered, body.byteLength);
    return numbered;
  }

  stored(upToSeq: number): void {
    for (const [seq, { message, body }] of this.#unstored) {
      if (seq > upToSeq) return;
      this.#count(message, -body.byteLength);
      this.#unstored.delete(seq);
    }
  }

  /** Of a job that is over. */
  forget(jobId: JobId): void {
    for (const [seq, { message, body }] of this.#unstored) {
      if (message.jobId !== jobId) continue;
      this.#count(message, -body.byteLength);
      this.#unstored.delete(seq);
    }
  }

  #count({ type }: Durable, bytes: number): void {
    this.#bytes += bytes;
    if (type === "nodeLogs") this.#logBytes += bytes;
  }

  /** What it has something of, each grant once: of one, any number of results may wait, and whoever tells main has little room. */
  grants(): GrantOfJob[] {
    const grants = new Map<string, GrantOfJob>();
    for (const { message } of this.#unstored.values()) {
      if (!("grantId" in message)) continue;
      const { jobId, grantId } = message;
      grants.set(`${jobId} ${grantId}`, { jobId, grantId });
    }
    return [...grants.values()];
  }

  all(): Iterable<{ message: Durable; body: Uint8Array }> {
    return this.#unstored.values();
  }
}
