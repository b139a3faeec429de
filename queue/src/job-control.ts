/** Main's view of jobs whose queue is in Firestore: how far they are, their end, what they printed, and their removal. */
import type { QueuePlace } from "@burla/protocol";
import { below, jobPath, readJob, readLines, readResults, type JobDocument, type LinesDocument, type StoredBatch } from "./documents.ts";
import { Sequence } from "./feed/sequence.ts";
import type { LargeValues } from "./port.ts";
import { Payloads } from "./payloads.ts";
import { ConflictError, type DocumentStore, type StoredDocument } from "./store.ts";

/** Lines read and not taken by whoever asked. */
const LINES_AHEAD = 16;

export interface JobProgress {
  readonly document: JobDocument;
  readonly pushed: number;
  readonly answered: number;
  readonly failed: number;
}

/** Outcomes among which some failed, with their bytes. */
export interface FailedBatch {
  readonly batch: StoredBatch;
  readonly body: Uint8Array;
}

export interface PrintedLines extends Pick<LinesDocument, "nodeId" | "droppedLines"> {
  /** MessagePack of `LogEntry[]`. */
  readonly entries: Uint8Array;
}

export class JobControl {
  readonly #store: DocumentStore;
  readonly #place: QueuePlace;
  readonly #large: LargeValues;

  constructor(store: DocumentStore, place: QueuePlace, large: LargeValues) {
    this.#store = store;
    this.#place = place;
    this.#large = large;
  }

  /** @returns null when the store does not know the job, not yet or not any more. */
  async progress(jobId: string): Promise<JobProgress | null> {
    const job = jobPath(this.#place, jobId);
    const [stored] = await this.#store.get([job]);
    if (stored == null) return null;
    const document = readJob(stored);
    const chunks = await this.#store.sums(below(job, "chunks"), ["left"]);
    // In this order: never more have failed than are answered.
    const results = await this.#store.sums(below(job, "results"), ["failed", "inputs"]);
    const left = chunks["left"] ?? 0;
    // Taken results of a long job are removed: then only what is left is known for sure.
    const answered = document.total < 0 ? (results["inputs"] ?? 0) : document.total - left;
    return { document, pushed: answered + left, answered, failed: results["failed"] ?? 0 };
  }

  /**
   * Tells when `progress` may say something else, now and from now on: the job's own document changes; the first of its
   * chunks, which changes as long as there is work and is gone at the end; the first failure is there. One document each.
   * @returns what ends it.
   */
  watch(jobId: string, { changed, failed }: { changed: () => void; failed: (error: unknown) => void }): () => void {
    const job = jobPath(this.#place, jobId);
    const listener = { next: changed, failed };
    const stops = [
      this.#store.listenTo(job, listener),
      this.#store.listen({ collection: below(job, "chunks"), where: [], limit: 1 }, listener),
      this.#store.listen({ collection: below(job, "results"), where: [["failed", ">", 0]], orderBy: "failed", limit: 1 }, listener),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Says that a job is over, unless that has been said. */
  async end(jobId: string, state: "done" | "failed" | "cancelled", reason: string): Promise<void> {
    const path = jobPath(this.#place, jobId);
    const [stored] = await this.#store.get([path]);
    if (stored == null || readJob(stored).state !== "open") return;
    try {
      await this.#store.commit([{ op: "update", path, fields: { state, reason: reason.slice(0, 1000) }, version: stored.version }]);
    } catch (error) {
      // It was changed in between: its program ends it, or has said how many inputs it has.
      if (!(error instanceof ConflictError)) throw error;
      await this.end(jobId, state, reason);
    }
  }

  /** Outcomes with failures, of at most so many documents. */
  async failures(jobId: string, documents: number): Promise<FailedBatch[]> {
    const job = jobPath(this.#place, jobId);
    const payloads = new Payloads(this.#store, job, this.#large);
    const found = await this.#store.query({ collection: below(job, "results"), where: [["failed", ">", 0]], orderBy: "failed", limit: documents });
    const failed: FailedBatch[] = [];
    for (const results of found.map(readResults)) {
      const body = await payloads.get(results);
      let at = 0;
      for (const batch of results.batches) {
        if (batch.failed.length > 0) failed.push({ batch, body: body.subarray(at, at + batch.bodyBytes) });
        at += batch.bodyBytes;
      }
    }
    return failed;
  }

  /** What the calls of a job printed; with `follow` until the signal says that no more will come. */
  async *lines(jobId: string, { follow, signal }: { follow: boolean; signal: AbortSignal }): AsyncGenerator<PrintedLines> {
    const job = jobPath(this.#place, jobId);
    const payloads = new Payloads(this.#store, job, this.#large);
    const found: StoredDocument[] = [];
    let wake: (() => void) | undefined;
    let failure: unknown;
    let isOver = false;
    const end = () => {
      isOver = true;
      wake?.();
    };
    const sequence = new Sequence({
      store: this.#store, collection: below(job, "lines"), window: LINES_AHEAD, leads: false,
      give: (document) => {
        found.push(document);
        wake?.();
      },
      failed: (error) => {
        failure = error;
        end();
      },
    });
    const drain = () => void sequence.drain().then(end, (error: unknown) => ((failure = error), end()));
    try {
      sequence.start();
      if (!follow || signal.aborted) drain();
      else signal.addEventListener("abort", drain, { once: true });
      for (;;) {
        const next = found.shift();
        if (next !== undefined) {
          const { nodeId, droppedLines, ...payload } = readLines(next);
          yield { nodeId, droppedLines, entries: await payloads.get(payload) };
          sequence.release(1);
        } else if (isOver) break;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
      if (failure !== undefined) throw failure;
    } finally {
      signal.removeEventListener("abort", drain);
      await sequence.close();
    }
  }

  /** Inputs and results go; what was printed stays. */
  async discard(jobId: string): Promise<void> {
    const job = jobPath(this.#place, jobId);
    for (const kind of ["chunks", "bodies", "results", "receipts"] as const) await this.#store.removeTree(below(job, kind));
  }

  async remove(jobId: string): Promise<void> {
    await this.#store.removeTree(jobPath(this.#place, jobId));
  }
}
