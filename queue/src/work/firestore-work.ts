/** A node's side of a queue in Firestore: leases chunks as its workers need them, whether main is there or not. */
import { BurlaError, encodeEnvelopes, messageOf, Pacer, type ErrorCode, type JobId, type JobSpec, type NodeToMain, type Of, type QueuePlace } from "@burla/protocol";
import { grantFrom, holdChunk, loseGrant, outstandingOf, release, resume, returnGrant, type Range } from "../chunk.ts";
import { jobPath, readJob } from "../documents.ts";
import { jobGone } from "../job-gone.ts";
import type { LargeValues } from "../port.ts";
import { COUNTS_PACE } from "../limits.ts";
import { Payloads } from "../payloads.ts";
import type { WorkListener, WorkQueue, WorkReport } from "../port.ts";
import { grantInputs, nextCallTime, nextClaimMs, retryDelayMs, shouldShare, wantsChunk, wantsGrant, type CallTime, type NodeLoad } from "../sizing.ts";
import { ConflictError, type DocumentStore, type StoredDocument } from "../store.ts";
import { claimChunk, type Claimed } from "./claim.ts";
import { Clock } from "./clock.ts";
import { FreeChunks } from "./free-chunks.ts";
import { Lease, waitingIn } from "./lease.ts";
import { LineWriter } from "./line-writer.ts";

/** Chunks that are being leased at once: each takes two round trips. */
const CLAIMS_AT_ONCE = 3;

type Held = Omit<Of<NodeToMain, "queueHeld">, "type" | "jobId">;

export interface WorkOptions {
  readonly store: DocumentStore;
  readonly place: QueuePlace;
  readonly jobId: JobId;
  readonly nodeId: string;
  readonly spec: Pick<JobSpec, "concurrency" | "retries">;
  readonly workers: number;
  readonly large: LargeValues;
  readonly listener: WorkListener;
  /** What the node has of the job, for main. @returns whether main was told. */
  readonly held: (held: Held) => boolean;
  /** The function cannot be loaded, or the queue is of no use, which is for main to decide about. Body: an error envelope. */
  readonly loadFailed: (body: Uint8Array) => void;
  /** The job is over. */
  readonly ended: (reason: string) => void;
}

const noCounts = () => ({ answered: 0, failed: 0, duplicates: 0, lostWorkers: 0, runMs: 0 });

export class FirestoreWork implements WorkQueue {
  readonly #options: WorkOptions;
  readonly #job: string;
  readonly #payloads: Payloads;
  readonly #clock = new Clock();
  readonly #free: FreeChunks;
  readonly #lineWriter: LineWriter;
  readonly #leases = new Set<Lease>();
  /** By the numbers of the grants, which are this node's own. */
  readonly #leaseOf = new Map<number, Lease>();
  readonly #told: Pacer<undefined>;
  readonly #stopJob: () => void;
  #nextGrantId = 1;
  #claims = 0;
  #claimMs = 0;
  readonly #claiming = new Set<Promise<void>>();
  #callTime: CallTime | null = null;
  #stalled = false;
  #counts = noCounts();
  #draining = false;
  #closed = false;
  #hasBeen = false;
  #hasFailed = false;

  constructor(options: WorkOptions) {
    this.#options = options;
    const { store, place, jobId, nodeId, large } = options;
    const job = (this.#job = jobPath(place, jobId));
    const failed = (error: unknown) => this.#fail(error);
    this.#payloads = new Payloads(store, job, large);
    this.#lineWriter = new LineWriter({ store, job, payloads: this.#payloads, nodeId, failed });
    this.#free = new FreeChunks({
      store, job, failed,
      nowMs: () => this.#clock.nowMs,
      changed: () => this.#feed(),
      isWanting: () => !this.#draining && wantsChunk(this.#load),
    });
    this.#told = new Pacer(COUNTS_PACE, () => this.#tell());
    this.#stopJob = store.listenTo(job, { next: ([document]) => this.#hearJob(document), failed });
    this.#free.start();
  }

  /** Inputs that this node has, whether a worker has them or not. */
  get #load(): NodeLoad {
    let [outstanding, waiting] = [0, 0];
    for (const lease of this.#leases) {
      outstanding += outstandingOf(lease.chunk);
      waiting += waitingIn(lease);
    }
    const { workers, spec } = this.#options;
    return { workers, concurrency: spec.concurrency, outstanding, waiting, stalled: this.#stalled, callTime: this.#callTime, claimMs: this.#claimMs };
  }

  report(message: WorkReport, body: Uint8Array): void {
    if (this.#closed) return;
    switch (message.type) {
      case "nodeResults":
        return this.#takeResults(message as Of<NodeToMain, "nodeResults">, body);
      case "grantEnded":
        return this.#endGrant(message as Of<NodeToMain, "grantEnded">);
      case "loadFailed":
        return this.#options.loadFailed(body);
      case "nodeLogs":
        return this.lines(message.droppedLines, body);
    }
  }

  lines(droppedLines: number, entries: Uint8Array): void {
    if (!this.#closed) this.#lineWriter.add(droppedLines, entries);
  }

  drain(): void {
    this.#draining = true;
    this.#free.close();
    for (const lease of this.#leases) if (outstandingOf(lease.chunk) === 0) void lease.giveBack();
    this.#changed();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopJob();
    this.#free.close();
    this.#told.stop();
    await this.#lineWriter.flushed();
    await Promise.all(this.#claiming);
    await Promise.all([...this.#leases].map((lease) => lease.giveBack()));
  }

  #takeResults(message: Of<NodeToMain, "nodeResults">, body: Uint8Array): void {
    const lease = this.#leaseOf.get(message.grantId);
    if (lease === undefined) {
      this.#counts.duplicates += message.count;
      return this.#changed();
    }
    const { retried, answered, failed } = lease.answer(message, body);
    for (const range of retried) this.#retryLater(lease, range);
    this.#callTime = nextCallTime(this.#callTime, Math.max(1, message.count), message.runMs);
    this.#stalled = false;
    this.#counts.answered += answered;
    this.#counts.failed += failed;
    this.#counts.runMs += message.runMs;
    this.#feed();
  }

  #retryLater(lease: Lease, range: Range): void {
    setTimeout(() => {
      resume(lease.chunk, range);
      this.#feed();
    }, retryDelayMs(range.failures));
  }

  #endGrant({ grantId, cause, detail, lostWorkers, unfinished }: Of<NodeToMain, "grantEnded">): void {
    const lease = this.#leaseOf.get(grantId);
    if (lease === undefined) return;
    if (cause === "released") {
      release(lease.chunk, grantId, unfinished);
      this.#stalled = true;
    } else if (cause === "worker-exited" || cause === "out-of-memory") {
      this.#counts.lostWorkers += lostWorkers;
      const givenUp = loseGrant(lease.chunk, grantId);
      if (givenUp !== null) this.#giveUp(lease, givenUp, cause === "out-of-memory" ? "BURLA_OUT_OF_MEMORY" : "BURLA_WORKER_LOST", detail);
    } else returnGrant(lease.chunk, grantId);
    this.#feed();
  }

  #giveUp(lease: Lease, { from, attempt }: Range, code: ErrorCode, detail: string): void {
    const index = lease.chunk.first + from;
    const message = `input ${index} ended its worker again and again, at attempt ${attempt - 1} so: ${detail}`;
    lease.giveUp({ first: index, count: 1, indices: null, failed: [0], valuesBytes: 0 }, encodeEnvelopes([{ kind: "burla", code, message }]));
    this.#counts.answered++;
    this.#counts.failed++;
  }

  /** Gives workers what waits here, shares it with other nodes, or takes more. */
  #feed(): void {
    if (this.#closed) return;
    let load = this.#load;
    while (!this.#draining && load.waiting > 0 && wantsGrant(load)) {
      this.#grant(grantInputs(load));
      load = this.#load;
    }
    if (this.#draining) {
      for (const lease of this.#leases) if (outstandingOf(lease.chunk) === 0) void lease.giveBack();
    } else if (shouldShare(load)) {
      for (const lease of this.#leases) if (lease.chunk.ready.length > 0) lease.share();
    } else {
      while (this.#claims < CLAIMS_AT_ONCE && wantsChunk(load)) {
        const document = this.#free.take();
        if (document === undefined) break;
        const claim = this.#claim(document).finally(() => this.#claiming.delete(claim));
        this.#claiming.add(claim);
      }
    }
    this.#changed();
  }

  #grant(inputs: number): void {
    for (const lease of this.#leases) {
      const grantId = this.#nextGrantId++;
      const range = grantFrom(lease.chunk, grantId, inputs);
      if (range === undefined) continue;
      this.#leaseOf.set(grantId, lease);
      const { chunkId, first } = lease.chunk;
      const { from, to, attempt, losses } = range;
      this.#options.listener.grant({ type: "grant", jobId: this.#options.jobId, grantId, chunkId, first, from, to, attempt, alone: losses > 0 }, lease.body);
      return;
    }
  }

  /** Makes a chunk this node's, unless another is faster. */
  async #claim(stored: StoredDocument): Promise<void> {
    this.#claims++;
    const startedMs = performance.now();
    try {
      const { store, nodeId } = this.#options;
      const claimed = await claimChunk(stored, { store, payloads: this.#payloads, nodeId, clock: this.#clock });
      this.#claimMs = nextClaimMs(this.#claimMs, performance.now() - startedMs);
      this.#hold(stored, claimed);
    } catch (error) {
      // Another node was faster, or the job has been removed meanwhile.
      if (!(error instanceof ConflictError)) this.#fail(error);
    } finally {
      this.#claims--;
      this.#feed();
    }
  }

  #hold(stored: StoredDocument, { document, version, body, open, givenUp }: Claimed): void {
    const { store, nodeId, spec, workers } = this.#options;
    const lease = new Lease(
      stored,
      { document, version, body, chunk: holdChunk(document, open) },
      {
        store, job: this.#job, payloads: this.#payloads, nodeId, clock: this.#clock,
        workers: () => workers,
        retries: spec.retries,
        linesStored: () => this.#lineWriter.flushed(),
        over: (ended) => this.#forget(ended),
        failed: (error) => this.#fail(error),
      },
    );
    this.#leases.add(lease);
    for (const range of givenUp) {
      lease.chunk.answered[range.from] = 1;
      this.#giveUp(lease, range, "BURLA_WORKER_LOST", "the node that had it was lost");
    }
    if (this.#closed || this.#draining) void lease.giveBack();
  }

  #forget(lease: Lease): void {
    this.#leases.delete(lease);
    for (const [grantId, of] of this.#leaseOf) if (of === lease) this.#leaseOf.delete(grantId);
    this.#feed();
  }

  #hearJob(document: StoredDocument | undefined): void {
    if (document === undefined) {
      if (this.#hasBeen) this.#fail(jobGone(this.#options.jobId));
      return;
    }
    this.#hasBeen = true;
    const { state, reason } = readJob(document);
    if (state !== "open") this.#options.ended(reason || `the job is ${state}`);
  }

  #changed(): void {
    if (!this.#closed) this.#told.set(undefined);
  }

  #tell(): void {
    const { outstanding, waiting } = this.#load;
    if (this.#options.held({ held: outstanding + waiting, ...this.#counts })) this.#counts = noCounts();
  }

  #fail(error: unknown): void {
    if (this.#closed || this.#hasFailed) return;
    this.#hasFailed = true;
    const message = messageOf(error).split("\n")[0] ?? "";
    this.#options.loadFailed(encodeEnvelopes([{ kind: "burla", code: error instanceof BurlaError ? error.code : "BURLA_QUEUE", message }]));
  }
}
