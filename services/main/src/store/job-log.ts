/** What main must not forget of one job: records in a file of its own. */
import { mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { BurlaError, DamageError, jobSummarySchema, MAX_WHOLE_BODY_BYTES, storageError, systemCode, type Body, type JobSummary } from "@burla/protocol";
import type { JobSnapshot } from "../core/snapshot.ts";
import { COMPACT_BYTES, compacted, MAX_LIVE_BYTES, type Kept } from "./compaction.ts";
import { recordSchema, type JobRecord, type Results } from "./job-records.ts";
import type { OpenFiles } from "./open-files.ts";
import { RecordFile } from "./record-file.ts";
import { readSealed, writeSealed } from "./sealed-file.ts";

export type { Finished, JobRecord } from "./job-records.ts";

/** Where a record lies, and how much it takes. */
interface Place {
  readonly offset: number;
  readonly bytes: number;
}

/** A record on its way back; its body is read when somebody wants it. */
export interface ReplayedRecord {
  readonly record: JobRecord;
  readonly bodyBytes: number;
  body(): Uint8Array;
}

/** Captured values, chunks and results are on the disk alone, known by their place in the file. */
export class JobLog {
  readonly #directory: string;
  readonly #files: OpenFiles;
  readonly #compactBytes: number;
  #file: RecordFile;
  #chunks = new Map<number, Place>();
  /** By sequence number, ascending. */
  #results = new Map<number, Place>();
  /** What the file may grow to before it is looked at. */
  #lookAtBytes: number;
  #resultsAfter = 0;
  #job: Place = { offset: -1, bytes: 0 };

  /** @throws BurlaError BURLA_STORAGE */
  constructor(directory: string, files: OpenFiles, compactBytes = COMPACT_BYTES) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    } catch (cause) {
      if (systemCode(cause) === "EEXIST") throw new DamageError(directory, "it is no folder", { cause });
      throw storageError(`make ${directory}`, cause);
    }
    this.#directory = directory;
    this.#files = files;
    this.#compactBytes = compactBytes;
    this.#lookAtBytes = compactBytes;
    this.#file = new RecordFile(this.path, files);
  }

  /** Results up to and with this sequence number are not kept any more. */
  get resultsAfter(): number {
    return this.#resultsAfter;
  }

  /** When something was last appended, Unix ms. */
  get writtenAt(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
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

  /** The captured values. @throws BurlaError BURLA_STORAGE, as the others that read. */
  values(): Body {
    return this.#bodyAt(this.#job);
  }

  chunkBody(chunkId: number): Body {
    const place = this.#chunks.get(chunkId);
    if (place === undefined) throw new DamageError(this.path, `it has no chunk ${chunkId}`);
    return this.#bodyAt(place);
  }

  forgetChunk(chunkId: number): void {
    this.#chunks.delete(chunkId);
  }

  results(seq: number): { message: Results; body: Body } {
    const place = this.#results.get(seq);
    if (place === undefined) throw new DamageError(this.path, `it has no results ${seq}`);
    return { message: this.#recordOf(this.#file.headerAt(place.offset)) as Results, body: this.#bodyAt(place) };
  }

  /** A large one is read when it is sent, a piece at a time. It is what was written, which has been checked. */
  #bodyAt({ offset, bytes }: Place): Body {
    return bytes > MAX_WHOLE_BODY_BYTES ? this.#file.bodyOf(offset) : this.#file.read(offset).body;
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
  *replay(): Generator<ReplayedRecord> {
    rmSync(`${this.path}.part`, { force: true });
    for (const { offset, bytes, header, bodyBytes, body } of this.#file.replay()) {
      const record = this.#recordOf(header);
      this.#note(record, { offset, bytes });
      yield { record, bodyBytes, body };
    }
  }

  close(): void {
    this.#file.close();
  }

  /** Results and inputs go, the summary stays. */
  discard(): void {
    this.#file.close();
    rmSync(this.path, { force: true });
  }

  get path(): string {
    return join(this.#directory, "job.log");
  }

  #note(record: JobRecord, place: Place): void {
    if (record.type === "job") this.#job = place;
    if (record.type === "chunk") this.#chunks.set(record.chunkId, place);
    if (record.type === "results") this.#results.set(record.seq, place);
    if (record.type === "base") this.#resultsAfter = record.resultsAfter;
  }

  #liveBytes({ open }: JobSnapshot, resultsAfter: number): number {
    let { bytes } = this.#job;
    for (const { id } of open) bytes += this.#chunks.get(id)?.bytes ?? 0;
    for (const [seq, place] of this.#results) bytes += seq > resultsAfter ? place.bytes : 0;
    return bytes;
  }

  /** The new file takes the place of the old one when all is in it: whoever dies in between leaves one of the two. */
  #replace(kept: Iterable<Kept>): void {
    const part = `${this.path}.part`;
    const old = { file: this.#file, job: this.#job, chunks: this.#chunks, results: this.#results, after: this.#resultsAfter };
    const copies = [...kept].map((each) => ({ each, from: this.#placeOf(each) }));
    const file = openFresh(part, this.#files);
    this.#file = file;
    this.#chunks = new Map();
    this.#results = new Map();
    try {
      for (const { each, from } of copies) this.#keep(old.file, each, from);
      renameSync(part, this.path);
    } catch (cause) {
      [this.#file, this.#job, this.#chunks, this.#results, this.#resultsAfter] = [old.file, old.job, old.chunks, old.results, old.after];
      file.close();
      rmSync(part, { force: true });
      throw storageError(`shorten ${this.path}`, cause);
    }
    file.renamed(this.path);
    old.file.close();
  }

  #placeOf(kept: Kept): Place {
    if (kept.from === "new" || kept.record === "job") return this.#job;
    const place = (kept.record === "chunk" ? this.#chunks : this.#results).get(kept.number);
    if (place === undefined) throw new DamageError(this.path, `it has no ${kept.record} ${kept.number}`);
    return place;
  }

  #keep(oldFile: RecordFile, kept: Kept, from: Place): void {
    if (kept.from === "new") return this.append(kept.record, kept.body);
    const offset = this.#file.copy(oldFile, from.offset);
    const place = { offset, bytes: this.#file.size - offset };
    if (kept.record === "job") this.#job = place;
    if (kept.record === "chunk") this.#chunks.set(kept.number, place);
    if (kept.record === "results") this.#results.set(kept.number, place);
  }

  #recordOf(header: unknown): JobRecord {
    const parsed = v.safeParse(recordSchema, header);
    if (!parsed.success) throw new DamageError(this.path, `it holds a record of another shape: ${parsed.issues[0].message.slice(0, 200)}`);
    return parsed.output;
  }
}

/** @throws BurlaError BURLA_STORAGE */
function openFresh(path: string, files: OpenFiles): RecordFile {
  try {
    rmSync(path, { force: true });
  } catch (cause) {
    throw storageError(`make ${path}`, cause);
  }
  return new RecordFile(path, files);
}

/** The few lines about an ended job that are kept longer than its data. @throws BurlaError BURLA_STORAGE */
export function writeSummary(directory: string, summary: JobSummary, files: OpenFiles): void {
  writeSealed(join(directory, "summary.json"), summary, files);
}

/** @returns null when there is none. @throws DamageError, or BurlaError BURLA_STORAGE when it cannot be read now. */
export function readSummary(directory: string, files: OpenFiles): JobSummary | null {
  return readSealed(join(directory, "summary.json"), jobSummarySchema, files);
}
