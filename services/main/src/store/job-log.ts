/** What main must not forget of one job: records in a file of its own. */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { BurlaError, jobSummarySchema, type JobSummary } from "@burla/protocol";
import type { JobSnapshot } from "../core/snapshot.ts";
import { COMPACT_BYTES, compacted, MAX_LIVE_BYTES, type Kept } from "./compaction.ts";
import { recordSchema, type JobRecord, type Results } from "./job-records.ts";
import { RecordFile } from "./record-file.ts";
import { storageError } from "./storage-error.ts";

export type { Finished, JobRecord } from "./job-records.ts";

/** Where a record lies, and how much it takes. */
interface Place {
  readonly offset: number;
  readonly bytes: number;
}

/** Captured values in memory, chunks and results by their place in the file. */
export class JobLog {
  readonly #directory: string;
  readonly #compactBytes: number;
  #file: RecordFile;
  #chunks = new Map<number, Place>();
  /** By sequence number, ascending. */
  #results = new Map<number, Place>();
  /** What the file may grow to before it is looked at. */
  #lookAtBytes: number;
  #resultsAfter = 0;
  #jobBytes = 0;

  /** @throws BurlaError BURLA_STORAGE */
  constructor(directory: string, compactBytes = COMPACT_BYTES) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw storageError(`make ${directory}`, cause);
    }
    this.#directory = directory;
    this.#compactBytes = compactBytes;
    this.#lookAtBytes = compactBytes;
    this.#file = new RecordFile(this.#path);
  }

  /** Results up to and with this sequence number are not kept any more. */
  get resultsAfter(): number {
    return this.#resultsAfter;
  }

  /** When something was last appended, Unix ms. */
  get writtenAt(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
  }

  /** It has grown so much that a part of it may be worth forgetting. */
  get isLong(): boolean {
    return this.#file.size > this.#lookAtBytes;
  }

  /** @throws BurlaError BURLA_STORAGE */
  append(record: JobRecord, ...body: Uint8Array[]): void {
    const offset = this.#file.append(record, ...body);
    this.#note(record, { offset, bytes: this.#file.size - offset });
  }

  chunkBody(chunkId: number): Uint8Array {
    return this.#file.read(this.#chunks.get(chunkId)?.offset ?? -1).body;
  }

  forgetChunk(chunkId: number): void {
    this.#chunks.delete(chunkId);
  }

  results(seq: number): { message: Results; body: Uint8Array } {
    const { header, body } = this.#file.read(this.#results.get(seq)?.offset ?? -1);
    return { message: recordOf(header) as Results, body };
  }

  /**
   * Forgets answered chunks, and results that everybody has taken, if that is at least half of the file.
   * @param resultsAfter as for `compacted`.
   * @returns whether it did. A disk that has no room for the shorter file keeps the longer one.
   */
  compact(snapshot: JobSnapshot, resultsAfter: number): boolean {
    const after = Math.max(resultsAfter, this.#resultsAfter);
    const liveBytes = this.#liveBytes(snapshot, after);
    this.#lookAtBytes = this.#file.size + this.#compactBytes;
    if (liveBytes > Math.min(this.#file.size / 2, MAX_LIVE_BYTES)) return false;
    try {
      this.#replace(compacted(snapshot, after));
    } catch (error) {
      if (!(error instanceof BurlaError)) throw error;
      return false;
    }
    this.#lookAtBytes = Math.max(this.#compactBytes, 2 * this.#file.size);
    return true;
  }

  /** @throws BurlaError BURLA_STORAGE where the log is damaged; one that is torn off at its end is cut and goes on. */
  *replay(): Generator<{ record: JobRecord; body: Uint8Array }> {
    rmSync(`${this.#path}.part`, { force: true });
    for (const { offset, frame } of this.#file.replay()) {
      const record = recordOf(frame.header);
      this.#note(record, { offset, bytes: frame.bytes });
      yield { record, body: frame.body };
    }
  }

  close(): void {
    this.#file.close();
  }

  /** Results and inputs go, the summary stays. */
  discard(): void {
    this.#file.close();
    rmSync(this.#path, { force: true });
  }

  get #path(): string {
    return join(this.#directory, "job.log");
  }

  #note(record: JobRecord, place: Place): void {
    if (record.type === "job") this.#jobBytes = place.bytes;
    if (record.type === "chunk") this.#chunks.set(record.chunkId, place);
    if (record.type === "results") this.#results.set(record.seq, place);
    if (record.type === "base") this.#resultsAfter = record.resultsAfter;
  }

  #liveBytes({ open }: JobSnapshot, resultsAfter: number): number {
    let bytes = this.#jobBytes;
    for (const { id } of open) bytes += this.#chunks.get(id)?.bytes ?? 0;
    for (const [seq, place] of this.#results) bytes += seq > resultsAfter ? place.bytes : 0;
    return bytes;
  }

  /** The new file takes the place of the old one when all is in it: whoever dies in between leaves one of the two. */
  #replace(kept: Iterable<Kept>): void {
    const part = `${this.#path}.part`;
    const [oldFile, oldChunks, oldResults, oldAfter] = [this.#file, this.#chunks, this.#results, this.#resultsAfter];
    const copies = [...kept].map((each) => ({ each, from: this.#placeOf(each) }));
    const file = openFresh(part);
    this.#file = file;
    this.#chunks = new Map();
    this.#results = new Map();
    try {
      for (const { each, from } of copies) this.#keep(oldFile, each, from);
      renameSync(part, this.#path);
    } catch (cause) {
      [this.#file, this.#chunks, this.#results, this.#resultsAfter] = [oldFile, oldChunks, oldResults, oldAfter];
      file.close();
      rmSync(part, { force: true });
      throw storageError("shorten the job log", cause);
    }
    oldFile.close();
  }

  #placeOf(kept: Kept): Place {
    if (kept.from === "new" || kept.record === "job") return { offset: 0, bytes: this.#jobBytes };
    const place = (kept.record === "chunk" ? this.#chunks : this.#results).get(kept.number);
    if (place === undefined) throw new BurlaError("BURLA_STORAGE", `the log has no ${kept.record} ${kept.number}`);
    return place;
  }

  #keep(oldFile: RecordFile, kept: Kept, { offset, bytes }: Place): void {
    if (kept.from === "new") return this.append(kept.record, kept.body);
    const place = { offset: this.#file.copy(oldFile, offset, bytes), bytes };
    if (kept.record === "chunk") this.#chunks.set(kept.number, place);
    if (kept.record === "results") this.#results.set(kept.number, place);
  }
}

/** @throws BurlaError BURLA_STORAGE */
function openFresh(path: string): RecordFile {
  try {
    rmSync(path, { force: true });
  } catch (cause) {
    throw storageError("shorten the job log", cause);
  }
  return new RecordFile(path);
}

function recordOf(header: unknown): JobRecord {
  const parsed = v.safeParse(recordSchema, header);
  if (!parsed.success) throw new BurlaError("BURLA_STORAGE", `the job log holds a damaged record: ${parsed.issues[0].message.slice(0, 200)}`);
  return parsed.output;
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
