/** What main must not forget of one job: records in a file of its own, and the way back from them to a state. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { BurlaError, indexAt, jobSummarySchema, type JobSummary } from "@burla/protocol";
import type { RememberedGrant, RememberedJob } from "../core/restore.ts";
import { recordSchema, type Finished, type JobRecord, type Results } from "./job-records.ts";
import { RecordFile } from "./record-file.ts";
import { storageError } from "./storage-error.ts";

export type { Finished, JobRecord } from "./job-records.ts";

/** Captured values in memory, chunks and results by their place in the file. */
export class JobLog {
  readonly #directory: string;
  readonly #file: RecordFile;
  readonly #chunkOffsets = new Map<number, number>();
  /** Offset of the results with sequence number n at n - 1. */
  readonly #resultOffsets: number[] = [];

  /** @throws BurlaError BURLA_STORAGE */
  constructor(directory: string) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw storageError(`make ${directory}`, cause);
    }
    this.#directory = directory;
    this.#file = new RecordFile(join(directory, "job.log"));
  }

  /** @throws BurlaError BURLA_STORAGE */
  append(record: JobRecord, ...body: Uint8Array[]): void {
    this.#note(record, this.#file.append(record, ...body));
  }

  chunkBody(chunkId: number): Uint8Array {
    return this.#file.read(this.#chunkOffsets.get(chunkId) ?? -1).body;
  }

  forgetChunk(chunkId: number): void {
    this.#chunkOffsets.delete(chunkId);
  }

  results(seq: number): { message: Results; body: Uint8Array } {
    const { header, body } = this.#file.read(this.#resultOffsets[seq - 1] ?? -1);
    return { message: recordOf(header) as Results, body };
  }

  /** @throws BurlaError BURLA_STORAGE where the log is damaged; one that is torn off at its end is cut and goes on. */
  *replay(): Generator<{ record: JobRecord; body: Uint8Array }> {
    for (const { offset, frame } of this.#file.replay()) {
      const record = recordOf(frame.header);
      this.#note(record, offset);
      yield { record, body: frame.body };
    }
  }

  close(): void {
    this.#file.close();
  }

  /** Results and inputs go, the summary stays. */
  discard(): void {
    this.#file.close();
    rmSync(join(this.#directory, "job.log"), { force: true });
  }

  #note(record: JobRecord, offset: number): void {
    if (record.type === "chunk") this.#chunkOffsets.set(record.chunkId, offset);
    if (record.type === "results") this.#resultOffsets[record.seq - 1] = offset;
  }
}

function recordOf(header: unknown): JobRecord {
  const parsed = v.safeParse(recordSchema, header);
  if (!parsed.success) throw new BurlaError("BURLA_STORAGE", `the job log holds a damaged record: ${parsed.issues[0].message.slice(0, 200)}`);
  return parsed.output;
}

/** What a log says of its job. */
export interface Replayed {
  readonly createdAt: number;
  readonly token: string;
  readonly remembered: RememberedJob;
  readonly values: Uint8Array;
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
export function replayJob(log: Pick<JobLog, "replay" | "forgetChunk">): Replayed | null {
  const replay = new Replay();
  for (const { record, body } of log.replay()) replay.apply(record, body);
  for (const chunkId of replay.answeredChunks) log.forgetChunk(chunkId);
  return replay.result();
}

class Replay {
  readonly answeredChunks: number[] = [];
  #job: Extract<JobRecord, { type: "job" }> | null = null;
  #values: Uint8Array = new Uint8Array(0);
  #finished: Finished | null = null;
  #finishedBody: Uint8Array = new Uint8Array(0);
  readonly #chunks = new Map<number, ReplayedChunk>();
  readonly #starts: { first: number; id: number }[] = [];
  #grants: RememberedGrant[] = [];
  #pushedInputs = 0;
  #total: number | null = null;
  #answeredInputs = 0;
  #answeredBytes = 0;
  #failedInputs = 0;
  #seq = 0;
  #ackedSeq = 0;
  readonly #batches: { seq: number; inputs: number; bytes: number }[] = [];

  apply(record: JobRecord, body: Uint8Array): void {
    switch (record.type) {
      case "job":
        this.#job = record;
        this.#values = body;
        return;
      case "chunk":
        this.#chunks.set(record.chunkId, { id: record.chunkId, ...record, bytes: body.byteLength, answered: new Uint8Array(record.count), left: record.count });
        this.#starts.push({ first: record.first, id: record.chunkId });
        this.#pushedInputs += record.count;
        return;
      case "inputsEnd":
        this.#total = record.total;
        return;
      case "grant":
        this.#grants.push(record);
        return;
      case "results":
        return this.#applyResults(record, body.byteLength);
      case "ack":
        this.#ackedSeq = record.seq;
        return;
      case "finished":
        this.#finished = record;
        this.#finishedBody = body;
    }
  }

  result(): Replayed | null {
    if (this.#job === null) return null;
    const acked = this.#batches.filter((batch) => batch.seq <= this.#ackedSeq);
    return {
      createdAt: this.#job.createdAt,
      token: this.#job.token,
      values: this.#values,
      finished: this.#finished,
      finishedBody: this.#finishedBody,
      remembered: {
        jobId: this.#job.jobId,
        spec: this.#job.spec,
        rootId: this.#job.rootId,
        chunks: this.#chunks.values(),
        grants: this.#grants,
        pushedChunks: this.#starts.length,
        pushedInputs: this.#pushedInputs,
        totalInputs: this.#total,
        answeredInputs: this.#answeredInputs,
        answeredBytes: this.#answeredBytes,
        failedInputs: this.#failedInputs,
        seq: this.#seq,
        ackedSeq: this.#ackedSeq,
        ackedInputs: acked.reduce((sum, batch) => sum + batch.inputs, 0),
        unacked: this.#batches.slice(acked.length),
      },
    };
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
    if (chunk === undefined || chunk.answered[index - chunk.first] === 1) return;
    chunk.answered[index - chunk.first] = 1;
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

/** The few lines about an ended job that are kept longer than its data. @throws BurlaError BURLA_STORAGE */
export function writeSummary(directory: string, summary: JobSummary): void {
  const path = join(directory, "summary.json");
  try {
    writeFileSync(`${path}.part`, JSON.stringify(summary), { mode: 0o600 });
    renameSync(`${path}.part`, path);
  } catch (cause) {
    throw storageError(`write ${path}`, cause);
  }
}

/** @returns null when there is none, or what is there is damaged. */
export function readSummary(directory: string): JobSummary | null {
  try {
    return v.parse(jobSummarySchema, JSON.parse(readFileSync(join(directory, "summary.json"), "utf8")));
  } catch {
    return null;
  }
}
