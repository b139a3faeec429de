/** The client's side of a queue in Firestore: inputs out, results and lines in, whether main is there or not. */
import { BurlaError, EMPTY_BODY, messageOf, Pacer, type JobId, type MainToClient, type Of, type QueuePlace } from "@burla/protocol";
import { below, expiry, jobPath, readJob, readLines, readResults, type JobDocument, type ResultsDocument } from "../documents.ts";
import type { LargeValues } from "../port.ts";
import { COUNTS_PACE, MAX_KEPT_BYTES, RESULT_WINDOW } from "../limits.ts";
import { Payloads } from "../payloads.ts";
import type { ChunkToPush, FeedListener, FeedQueue, TakenBatch } from "../port.ts";
import { ConflictError, type DocumentStore, type StoredDocument } from "../store.ts";
import { jobGone } from "../job-gone.ts";
import { Credit } from "./credit.ts";
import { InputWriter } from "./input-writer.ts";
import { Remover } from "./remover.ts";
import { Sequence } from "./sequence.ts";

export interface Counts {
  readonly pushed: number;
  readonly answered: number;
  readonly failed: number;
  readonly total: number | null;
}

export interface FeedOptions {
  readonly store: DocumentStore;
  readonly place: QueuePlace;
  readonly jobId: JobId;
  readonly large: LargeValues;
  /** How the job was submitted; null for one that only reads. */
  readonly feeds: { readonly concurrency: number; readonly detach: boolean; readonly endsAtFailure: boolean } | null;
  readonly listener: FeedListener;
  /** How far the job is, for main. */
  readonly counts: (counts: Counts) => void;
}

/** Results that were given and are not taken yet, oldest first. */
interface Given {
  /** Number of the last batch. */
  readonly seq: number;
  readonly document: StoredDocument;
  readonly results: ResultsDocument;
  readonly bytes: number;
}

type Finished = Of<MainToClient, "finished">;

export class FirestoreFeed implements FeedQueue {
  readonly #options: FeedOptions;
  readonly #job: string;
  readonly #payloads: Payloads;
  readonly #writer: InputWriter;
  readonly #results: Sequence;
  readonly #lines: Sequence;
  readonly #remover: Remover;
  readonly #counts: Pacer<Counts>;
  /** Null for a reader. */
  readonly #credit: Credit | null;
  readonly #given: Given[] = [];
  readonly #created: Promise<void>;
  #stopJob: (() => void) | undefined;
  #stored = 0;
  #pushed = 0;
  #total: number | null = null;
  #answered = 0;
  #failed = 0;
  #keptBytes = 0;
  #isCut = false;
  #seq = 0;
  #order: Promise<void> = Promise.resolve();
  #ended = false;
  #closed = false;
  #hasBeen = false;
  #concluding = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    const { store, place, jobId, large, feeds } = options;
    this.#job = jobPath(place, jobId);
    this.#payloads = new Payloads(store, this.#job, large);
    const failed = (error: unknown) => this.#fail(error);
    this.#writer = new InputWriter({
      store, job: this.#job, payloads: this.#payloads, failed,
      stored: (chunks) => {
        this.#stored = chunks;
        this.#giveCredit();
      },
    });
    this.#remover = new Remover(store, failed);
    this.#credit = feeds === null ? null : new Credit(feeds);
    const leads = feeds !== null;
    this.#results = new Sequence({ store, collection: below(this.#job, "results"), window: RESULT_WINDOW, leads, failed, give: (document) => this.#giveResults(document) });
    this.#lines = new Sequence({ store, collection: below(this.#job, "lines"), window: RESULT_WINDOW, leads, failed, give: (document, place) => this.#giveLines(document, place) });
    this.#counts = new Pacer(COUNTS_PACE, (counts) => options.counts(counts));
    this.#created = feeds === null ? Promise.resolve() : this.#create();
    this.#created.then(() => this.#begin()).catch(failed);
  }

  push(chunk: ChunkToPush): void {
    this.#pushed = chunk.first + chunk.count;
    this.#credit?.pushed(chunk);
    this.#created.then(() => this.#writer.push(chunk), () => undefined);
    this.#tellCounts();
  }

  end(total: number): void {
    this.#total = total;
    this.#tellCounts();
    this.#created
      .then(() => this.#writer.flushed())
      .then(() => this.#write({ total }))
      .then(() => this.#options.listener.uploaded())
      .then(() => this.#concludeIfComplete())
      .catch((error: unknown) => this.#fail(error));
  }

  taken({ seq }: Pick<TakenBatch, "seq">): void {
    for (let oldest = this.#given[0]; oldest !== undefined && oldest.seq <= seq; oldest = this.#given[0]) {
      this.#given.shift();
      this.#credit?.taken(oldest.results.inputs);
      this.#results.release(1);
      this.#forget(oldest);
    }
    this.#giveCredit();
  }

  /** Main has ended the job, or knows that it has ended. What it answered before comes first. */
  finished(message: Finished, body: Uint8Array): void {
    if (this.#ended) return;
    const drained = message.outcome === "cancelled" ? Promise.resolve() : this.#results.drain();
    drained
      .then(() => this.#lines.drain())
      .then(() => this.#order)
      .then(() => this.#finish(message, body))
      .catch((error: unknown) => this.#fail(error));
  }

  /** Nobody is to work for the job any more: nodes hear of it from the store. */
  async cancel(reason: string): Promise<void> {
    if (this.#ended || this.#closed) return;
    await this.#created;
    await this.#write({ state: "cancelled", reason: reason.slice(0, 1000) });
  }

  /** Nothing more is to be said or heard. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#counts.flush();
    this.#closed = true;
    this.#counts.stop();
    this.#stopJob?.();
    this.#writer.close();
    await Promise.all([this.#results.close(), this.#lines.close(), this.#remover.flushed()]);
  }

  async #create(): Promise<void> {
    const fields: JobDocument = { state: "open", reason: "", total: -1, isCut: false };
    try {
      await this.#options.store.commit([{ op: "create", path: this.#job, fields: { ...fields, expireAt: expiry(Date.now()) } }]);
    } catch (error) {
      // Made by this feed, and the answer was lost.
      if (!(error instanceof ConflictError)) throw error;
    }
  }

  #begin(): void {
    if (this.#closed) return;
    this.#stopJob = this.#options.store.listenTo(this.#job, { next: ([document]) => this.#hearJob(document), failed: (error) => this.#fail(error) });
    this.#results.start();
    this.#lines.start();
    this.#giveCredit();
  }

  /** A store that has lost the job, such as an emulator that was started again, will never answer. */
  #hearJob(document: StoredDocument | undefined): void {
    if (document === undefined) {
      if (this.#hasBeen && !this.#ended) this.#fail(jobGone(this.#options.jobId));
      return;
    }
    this.#hasBeen = true;
    const { total } = readJob(document);
    if (this.#options.feeds === null && total >= 0) this.#total = total;
  }

  #giveResults(document: StoredDocument): void {
    const results = readResults(document);
    this.#credit?.answered(results);
    const seq = (this.#seq += results.batches.length);
    const loading = this.#payloads.get(results);
    loading.catch(() => undefined);
    this.#inOrder(async () => {
      const body = await loading;
      this.#given.push({ seq, document, results, bytes: body.byteLength });
      this.#answered += results.inputs;
      this.#failed += results.failed;
      this.#tellBatches(results, seq - results.batches.length, body);
      this.#tellCounts();
      this.#giveCredit();
      this.#concludeIfComplete();
    });
  }

  #tellBatches({ batches, nodeId }: ResultsDocument, seqBefore: number, body: Uint8Array): void {
    const { jobId, listener } = this.#options;
    let at = 0;
    for (const [position, { bodyBytes, ...batch }] of batches.entries()) {
      const message = { type: "results", jobId, seq: seqBefore + position + 1, nodeId, ...batch } as Of<MainToClient, "results">;
      listener.message(message, body.subarray(at, at + bodyBytes));
      at += bodyBytes;
    }
  }

  #giveLines(document: StoredDocument, place: number): void {
    const { nodeId, droppedLines, ...payload } = readLines(document);
    const loading = this.#payloads.get(payload);
    loading.catch(() => undefined);
    this.#inOrder(async () => {
      const body = await loading;
      const { jobId, listener } = this.#options;
      listener.message({ type: "logs", jobId, nodeId: nodeId as Of<MainToClient, "logs">["nodeId"], droppedLines, position: place }, body);
      this.#lines.release(1);
    });
  }

  /** Bodies are fetched side by side, and given in order. */
  #inOrder(give: () => Promise<void>): void {
    this.#order = this.#order.then(async () => {
      if (!this.#closed) await give();
    });
    this.#order.catch((error: unknown) => this.#fail(error));
  }

  /** Results of a job that only its own program reads are not kept for ever. */
  #forget({ document, results, bytes }: Given): void {
    const { feeds } = this.#options;
    if (feeds === null || feeds.detach) return;
    this.#keptBytes += bytes;
    if (this.#keptBytes <= MAX_KEPT_BYTES) return;
    if (!this.#isCut) {
      this.#isCut = true;
      this.#write({ isCut: true }).catch((error: unknown) => this.#fail(error));
    }
    this.#remover.remove([{ op: "delete", path: document.path }, ...this.#payloads.removal(results)]);
  }

  #giveCredit(): void {
    const { jobId, listener } = this.#options;
    if (this.#credit === null || this.#total !== null || this.#closed) return;
    listener.message({ type: "credit", jobId, ...this.#credit.give(), chunksStored: this.#stored }, EMPTY_BODY);
  }

  #tellCounts(): void {
    if (this.#options.feeds === null) return;
    this.#counts.set({ pushed: this.#pushed, answered: this.#answered, failed: this.#failed, total: this.#total });
  }

  /** The client knows by itself when its job is over. */
  #concludeIfComplete(): void {
    const { feeds } = this.#options;
    if (feeds === null || this.#ended || this.#concluding) return;
    const failed = feeds.endsAtFailure && this.#failed > 0;
    if (!failed && (this.#total === null || this.#answered < this.#total)) return;
    this.#concluding = true;
    this.#counts.flush();
    this.#conclude(failed ? "failed" : "done", failed ? "an input failed" : "").catch((error: unknown) => this.#fail(error));
  }

  async #conclude(outcome: "done" | "failed", reason: string): Promise<void> {
    await this.#write({ state: outcome, reason });
    await this.#lines.drain();
    await this.#order;
    this.#finish({ type: "finished", jobId: this.#options.jobId, outcome, reason, inputs: this.#answered, failed: this.#failed }, EMPTY_BODY);
  }

  #finish(message: Finished, body: Uint8Array): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.listener.message(message, body);
  }

  async #write(fields: Partial<JobDocument>): Promise<void> {
    try {
      await this.#options.store.commit([{ op: "update", path: this.#job, fields }]);
    } catch (error) {
      throw error instanceof ConflictError ? jobGone(this.#options.jobId) : error;
    }
  }

  #fail(error: unknown): void {
    if (this.#closed || this.#ended) return;
    this.#ended = true;
    this.#options.listener.failed(error instanceof BurlaError ? error : new BurlaError("BURLA_QUEUE", messageOf(error), { cause: error }));
  }
}
