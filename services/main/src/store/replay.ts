/** The way back from the records of a job to its state. */
import * as v from "valibot";
import { DamageError, indexAt, unpack } from "@burla/protocol";
import type { RememberedGrant, RememberedJob } from "../core/restore.ts";
import type { JobLog, ReplayedRecord } from "./job-log.ts";
import { answeredChunksSchema, type Base, type Finished, type JobRecord, type Results } from "./job-records.ts";

/** What a log says of its job. */
export interface Replayed {
  readonly createdAt: number;
  readonly token: string;
  readonly person: string | null;
  readonly remembered: RememberedJob;
  readonly finished: Finished | null;
  readonly finishedBody: Uint8Array;
}

interface ReplayedChunk {
  id: number;
  first: number;
  count: number;
  bytes: number;
  answered: Uint8Array;
  left: number;
}

/** @returns null for a log without a beginning: main died before the job was accepted. */
export function replayJob(log: Pick<JobLog, "forgetChunk" | "path"> & { replay(): Iterable<ReplayedRecord> }): Replayed | null {
  const replay = new Replay(log.path);
  for (const record of log.replay()) replay.apply(record);
  for (const chunkId of replay.answeredChunks) log.forgetChunk(chunkId);
  return replay.result();
}

class Replay {
  readonly answeredChunks: number[] = [];
  readonly #path: string;
  #job: Extract<JobRecord, { type: "job" }> | null = null;
  #finished: Finished | null = null;
  #finishedBody: Uint8Array = new Uint8Array(0);
  readonly #chunks = new Map<number, ReplayedChunk>();
  readonly #starts: { first: number; id: number }[] = [];
  #grants: RememberedGrant[] = [];
  #phase: RememberedJob["phase"] = "running";
  #pushedChunks = 0;
  #pushedInputs = 0;
  #total: number | null = null;
  #answeredInputs = 0;
  #answeredBytes = 0;
  #failedInputs = 0;
  #seq = 0;
  #ackedSeq = 0;
  /** Inputs of acknowledged batches that a `base` has counted, and the last one of those. */
  #countedInputs = 0;
  #countedSeq = 0;
  #lastGrantId = 0;
  readonly #batches: { seq: number; inputs: number; bytes: number }[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  apply({ record, bodyBytes, body }: ReplayedRecord): void {
    switch (record.type) {
      case "job":
        this.#job = record;
        return;
      case "chunk":
        this.#chunks.set(record.chunkId, { id: record.chunkId, ...record, bytes: bodyBytes, answered: new Uint8Array(record.count), left: record.count });
        this.#starts.push({ first: record.first, id: record.chunkId });
        this.#pushedChunks++;
        this.#pushedInputs += record.count;
        return;
      case "inputsEnd":
        this.#total = record.total;
        return;
      case "grant":
        this.#grants.push(record);
        return;
      case "results":
        return this.#applyResults(record, bodyBytes);
      case "ack":
        this.#ackedSeq = record.seq;
        return;
      case "phase":
        this.#phase = record.phase;
        return;
      case "base":
        return this.#applyBase(record, body());
      case "finished":
        this.#finished = record;
        this.#finishedBody = Buffer.from(body());
    }
  }

  result(): Replayed | null {
    if (this.#job === null) return null;
    const taken = this.#batches.filter(({ seq }) => seq <= this.#ackedSeq && seq > this.#countedSeq);
    return {
      createdAt: this.#job.createdAt,
      token: this.#job.token,
      person: this.#job.person,
      finished: this.#finished,
      finishedBody: this.#finishedBody,
      remembered: {
        jobId: this.#job.jobId,
        spec: this.#job.spec,
        rootId: this.#job.rootId,
        phase: this.#phase,
        chunks: this.#chunks.values(),
        grants: this.#grants,
        pushedChunks: this.#pushedChunks,
        pushedInputs: this.#pushedInputs,
        totalInputs: this.#total,
        answeredInputs: this.#answeredInputs,
        answeredBytes: this.#answeredBytes,
        failedInputs: this.#failedInputs,
        seq: this.#seq,
        ackedSeq: this.#ackedSeq,
        ackedInputs: taken.reduce((sum, batch) => sum + batch.inputs, this.#countedInputs),
        unacked: this.#batches.filter(({ seq }) => seq > this.#ackedSeq),
        lastGrantId: this.#lastGrantId,
      },
    };
  }

  #applyBase(base: Base, body: Uint8Array): void {
    for (const [chunkId, marks] of v.parse(answeredChunksSchema, unpack(body))) {
      const chunk = this.#chunks.get(chunkId);
      if (chunk === undefined || marks.byteLength !== chunk.count) throw new DamageError(this.#path, "its records do not fit together");
      chunk.answered = Uint8Array.from(marks);
      chunk.left = chunk.answered.reduce((left, mark) => left - mark, chunk.count);
    }
    this.#phase = base.phase;
    this.#pushedChunks = base.pushedChunks;
    this.#pushedInputs = base.pushedInputs;
    this.#total = base.totalInputs;
    this.#answeredInputs = base.answeredInputs;
    this.#answeredBytes = base.answeredBytes;
    this.#failedInputs = base.failedInputs;
    this.#seq = base.seq;
    this.#ackedSeq = base.ackedSeq;
    this.#countedSeq = base.ackedSeq;
    this.#countedInputs = base.ackedInputs;
    this.#lastGrantId = base.lastGrantId;
  }

  #applyResults(record: Results, bytes: number): void {
    this.#seq = record.seq;
    const dropped = new Set(record.dropped);
    const failed = new Set(record.failed);
    for (let position = 0; position < record.count; position++) {
      if (dropped.has(position)) continue;
      this.#answer(indexAt(record, position));
      if (failed.has(position)) this.#failedInputs++;
    }
    this.#batches.push({ seq: record.seq, inputs: record.count - dropped.size, bytes });
  }

  #answer(index: number): void {
    const chunk = this.#chunks.get(this.#chunkOf(index));
    const position = index - (chunk?.first ?? 0);
    // The one that the input was in may be forgotten, and this one before or behind the gap.
    if (chunk === undefined || position < 0 || position >= chunk.count || chunk.answered[position] === 1) return;
    chunk.answered[position] = 1;
    this.#answeredInputs++;
    if (--chunk.left > 0) return;
    this.#chunks.delete(chunk.id);
    this.#answeredBytes += chunk.bytes;
    this.answeredChunks.push(chunk.id);
  }

  /** Chunks begin in ascending order: the last one that begins at or before the index. */
  #chunkOf(index: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle]?.first ?? Infinity) <= index) low = middle;
      else high = middle - 1;
    }
    return this.#starts[low]?.id ?? -1;
  }
}
