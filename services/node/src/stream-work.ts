/** The queue of a job in main, as a node uses it: what is reported is kept until main has it on disk. */
import type { WorkQueue, WorkReport } from "@burla/queue";
import type { JobId } from "@burla/protocol";
import type { MainLink } from "./main-link.ts";

export class StreamWork implements WorkQueue {
  readonly #link: Pick<MainLink, "sendDurably" | "sendLines">;
  readonly #jobId: JobId;

  constructor(link: Pick<MainLink, "sendDurably" | "sendLines">, jobId: JobId) {
    this.#link = link;
    this.#jobId = jobId;
  }

  report(message: WorkReport, body: Uint8Array): void {
    this.#link.sendDurably(message, body);
  }

  lines(droppedLines: number, entries: Uint8Array): void {
    this.#link.sendLines(this.#jobId, droppedLines, entries);
  }

  /** Main grants no more by itself. */
  drain(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
