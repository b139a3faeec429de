/** One job as the shell knows it: its log and its readers. Decisions about it are the core's. */
import { BurlaError, countEntries, MAX_WAITING_LOG_BYTES, MAX_WAITING_RESULT_BYTES, MAX_WINDOW_BYTES, messageOf, pack, type Body, type JobId, type JobSpec, type JobSummary, type MainToClient, type NodeId, type Of } from "@burla/protocol";
import type { JobLog} from "./store/job-log.ts";
import { writeSummary, type Finished } from "./store/job-log.ts";
import { forgetEnvironment } from "./store/environment-file.ts";
import { FailureLog } from "./store/failure-log.ts";
import { LineLog, type NewLines } from "./store/line-log.ts";
import type { OpenFiles } from "./store/open-files.ts";

type Results = Of<MainToClient, "results">;
type Lines = Of<MainToClient, "logs">;

/** What a job needs of a client's connection. */
export interface ReaderConnection {
  /** Bytes that it has not taken yet. */
  readonly unsentBytes: number;
  send(message: MainToClient, ...body: Body[]): void;
}

/** Somebody who takes a job's results, with what it has been sent and not taken. */
interface Reader {
  readonly connection: ReaderConnection;
  sentSeq: number;
  ackedSeq: number;
  readonly unacked: { seq: number; bytes: number }[];
  unackedBytes: number;
  finishedSent: boolean;
  /** Lines that it was too slow for, to be told with the next ones. */
  droppedLines: number;
  /** Whose the last of them were. */
  droppedNode: NodeId;
}

const NO_LINES = pack([]);

/** Chunks kept in memory; what is beyond is read from the log when it is granted. */
const CHUNK_CACHE_BYTES = MAX_WINDOW_BYTES;

export interface JobEntryOptions {
  readonly jobId: JobId;
  readonly spec: JobSpec;
  readonly rootId: JobId;
  readonly createdAt: number;
  readonly directory: string;
  readonly token: string;
  readonly person: string | null;
  readonly log: JobLog;
  readonly files: OpenFiles;
  readonly isNew: boolean;
}

export class JobEntry {
  readonly jobId: JobId;
  readonly spec: JobSpec;
  readonly rootId: JobId;
  readonly createdAt: number;
  readonly directory: string;
  /** What its workers may use to start jobs of their own. */
  readonly token: string;
  /** Who started it, or the job that it is a part of; null for the owner of the cluster. */
  readonly person: string | null;
  readonly log: JobLog;
  readonly lines: LineLog;
  readonly failures: FailureLog;
  /** The connection that feeds the inputs. */
  owner: ReaderConnection | null = null;
  finished: Finished | null = null;
  endedSummary: JobSummary | null = null;
  /** When a node first worked for it, as far as this main knows. */
  startedAt: number | null = null;
  chunksStored = 0;
  inputsStored = 0;
  inputsEnded = false;
  /** The consumer's position as the log knows it. */
  ackOnRecord = 0;
  /** Error envelope of a job that could not be loaded. */
  failure: Uint8Array = new Uint8Array(0);
  #finishedBody: Uint8Array = new Uint8Array(0);
  #lastSeq = 0;
  /** As long as it runs, and they are few. */
  #values: Uint8Array | null = null;
  readonly #files: OpenFiles;
  readonly #readers = new Map<ReaderConnection, Reader>();
  readonly #chunks = new Map<number, Uint8Array>();
  #chunkBytes = 0;
  #discarded = false;
  readonly #over = new AbortController();

  constructor(options: JobEntryOptions) {
    this.jobId = options.jobId;
    this.spec = options.spec;
    this.rootId = options.rootId;
    this.createdAt = options.createdAt;
    this.directory = options.directory;
    this.token = options.token;
    this.person = options.person;
    this.log = options.log;
    this.#files = options.files;
    this.lines = new LineLog(options.directory, options.files);
    this.failures = new FailureLog(options.directory, options);
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** After a restart of main. */
  restore({ lastSeq, chunksStored, inputsStored, inputsEnded }: { lastSeq: number; chunksStored: number; inputsStored: number; inputsEnded: boolean }, finished: Finished | null, finishedBody: Uint8Array): void {
    this.#lastSeq = lastSeq;
    this.chunksStored = chunksStored;
    this.inputsStored = inputsStored;
    this.inputsEnded = inputsEnded;
    this.finished = finished;
    this.#finishedBody = finishedBody;
    if (finished === null) return;
    this.lines.end();
    this.#over.abort();
  }

  /** Aborted when the job has ended. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Its first failures were found after its end. */
  failuresKnown(): void {
    if (this.endedSummary === null) return;
    this.endedSummary = { ...this.endedSummary, failures: [...this.failures.summary] };
    writeSummary(this.directory, this.endedSummary, this.#files);
  }

  /** What its function has captured: from the disk, where it is much. @throws BurlaError BURLA_STORAGE */
  values(): Body {
    if (this.#values !== null) return this.#values;
    const values = this.log.values();
    if (values instanceof Uint8Array && this.finished === null) this.#values = values;
    return values;
  }

  addChunk(chunkId: number, first: number, count: number, body: Uint8Array): void {
    this.log.append({ type: "chunk", chunkId, first, count }, body);
    this.chunksStored = chunkId + 1;
    this.inputsStored = first + count;
    this.#chunks.set(chunkId, body);
    this.#chunkBytes += body.byteLength;
    for (const [oldest, bytes] of this.#chunks) {
      if (this.#chunkBytes <= CHUNK_CACHE_BYTES || oldest === chunkId) break;
      this.#chunks.delete(oldest);
      this.#chunkBytes -= bytes.byteLength;
    }
  }

  endInputs(total: number): void {
    this.log.append({ type: "inputsEnd", total });
    this.inputsEnded = true;
  }

  /** From the disk unless it is still here. @throws BurlaError BURLA_STORAGE */
  chunk(chunkId: number): Body {
    return this.#chunks.get(chunkId) ?? this.log.chunkBody(chunkId);
  }

  forgetChunk(chunkId: number): void {
    this.#chunkBytes -= this.#chunks.get(chunkId)?.byteLength ?? 0;
    this.#chunks.delete(chunkId);
    this.log.forgetChunk(chunkId);
  }

  /** Results go to disk first, then to every reader that is up to date and has room; the others fetch them later. */
  deliver(message: Results, body: Uint8Array): void {
    this.log.append(message, body);
    this.#lastSeq = message.seq;
    for (const reader of this.#readers.values()) {
      if (reader.sentSeq === message.seq - 1 && hasRoom(reader)) sendResults(reader, message, body);
    }
  }

  /** Readers are told whatever the disk says. @throws BurlaError BURLA_STORAGE */
  finish(finished: Finished, body: Uint8Array, summary: JobSummary): void {
    this.finished = finished;
    this.#finishedBody = body;
    this.endedSummary = summary;
    this.#values = null;
    this.#over.abort();
    try {
      // In this order: a main that dies in between finds the job unfinished, and ends it again.
      writeSummary(this.directory, summary, this.#files);
      if (!this.#discarded) this.log.append(finished, body);
      forgetEnvironment(this.directory);
    } finally {
      this.lines.end();
      for (const chunkId of [...this.#chunks.keys()]) this.forgetChunk(chunkId);
      for (const reader of [...this.#readers.values()]) this.#pump(reader);
    }
  }

  /** @throws BurlaError BURLA_NO_SUCH_JOB when the results that follow are not kept any more. */
  checkKept(afterSeq: number): void {
    if (this.#discarded) throw new BurlaError("BURLA_NO_SUCH_JOB", `the results of ${this.jobId} were taken by its own program; only those of a detached job are kept`);
    if (afterSeq >= this.log.resultsAfter) return;
    throw new BurlaError("BURLA_NO_SUCH_JOB", `the first results of ${this.jobId} were taken by its own program, and are too many to be kept; those of a detached job are`);
  }

  /** Up to this sequence number nobody will ask for results again: not a reader, nor the program that is gone for a moment. */
  get takenByAll(): number {
    if (this.spec.detach || this.owner === null || this.readers === 0) return 0;
    return Math.min(...[...this.#readers.values()].map(({ ackedSeq }) => ackedSeq));
  }

  /** @param linesAfter as in the message `attach`. */
  attach(connection: ReaderConnection, afterSeq: number, linesAfter: number | null): void {
    const sentSeq = Math.min(afterSeq, this.#lastSeq);
    const reader: Reader = { connection, sentSeq, ackedSeq: sentSeq, unacked: [], unackedBytes: 0, finishedSent: false, droppedLines: 0, droppedNode: "main" as NodeId };
    this.#readers.set(connection, reader);
    if (linesAfter !== null) {
      for (const { body, ...lines } of this.lines.after(linesAfter)) sendLines(reader, { type: "logs", jobId: this.jobId, ...lines }, body);
    }
    this.#pump(reader);
  }

  /** The connection has sent all that waited. */
  roomFor(connection: ReaderConnection): void {
    const reader = this.#readers.get(connection);
    if (reader === undefined) return;
    this.#tellDropped(reader);
    this.#pump(reader);
  }

  detach(connection: ReaderConnection): void {
    this.#readers.delete(connection);
    if (this.owner === connection) this.owner = null;
  }

  acked(connection: ReaderConnection, seq: number): void {
    const reader = this.#readers.get(connection);
    if (reader === undefined) return;
    reader.ackedSeq = Math.max(reader.ackedSeq, Math.min(seq, reader.sentSeq));
    for (let oldest = reader.unacked[0]; oldest !== undefined && oldest.seq <= seq; oldest = reader.unacked[0]) {
      reader.unacked.shift();
      reader.unackedBytes -= oldest.bytes;
    }
    this.#pump(reader);
  }

  broadcast(message: MainToClient): void {
    for (const { connection } of this.#readers.values()) connection.send(message);
  }

  /** A later message makes this one old: a reader for whom much waits does without. */
  tellProgress(message: Of<MainToClient, "progress">): void {
    for (const { connection } of this.#readers.values()) if (connection.unsentBytes <= MAX_WAITING_RESULT_BYTES) connection.send(message);
  }

  sendLines(lines: NewLines, body: Uint8Array): void {
    if (!this.lines.append(lines, body)) return;
    const { nodeId, droppedLines } = lines;
    const message: Lines = { type: "logs", jobId: this.jobId, nodeId, droppedLines, position: this.lines.position };
    for (const reader of this.#readers.values()) sendLines(reader, message, body);
  }

  /** Inputs and results go from disk; the summary and the lines stay. */
  discardData(): void {
    if (this.#discarded) return;
    this.#discarded = true;
    this.log.discard();
  }

  close(): void {
    if (!this.#discarded) this.log.close();
    this.lines.close();
  }

  /** A reader whose results the disk does not give back is turned away. */
  #pump(reader: Reader): void {
    try {
      this.#sendStored(reader);
    } catch (error) {
      if (!(error instanceof BurlaError)) throw error;
      this.detach(reader.connection);
      reader.connection.send({ type: "refused", jobId: this.jobId, code: error.code, message: messageOf(error) });
    }
  }

  /** Lines that were dropped and not followed by others. */
  #tellDropped(reader: Reader): void {
    const { droppedLines } = reader;
    if (droppedLines === 0) return;
    reader.droppedLines = 0;
    reader.connection.send({ type: "logs", jobId: this.jobId, nodeId: reader.droppedNode, droppedLines, position: this.lines.position }, NO_LINES);
  }

  #sendStored(reader: Reader): void {
    while (reader.sentSeq < this.#lastSeq && hasRoom(reader) && !this.#discarded) {
      const { message, body } = this.log.results(reader.sentSeq + 1);
      sendResults(reader, message, body);
    }
    if (this.finished === null || reader.sentSeq < this.#lastSeq || reader.finishedSent) return;
    reader.finishedSent = true;
    this.#tellDropped(reader);
    reader.connection.send(this.finished, this.#finishedBody);
  }
}

/** A reader that takes nothing for long gets no lines, which would fill this process's memory, but their count. */
function sendLines(reader: Reader, message: Lines, body: Uint8Array): void {
  const droppedLines = message.droppedLines + reader.droppedLines;
  if (reader.connection.unsentBytes > MAX_WAITING_LOG_BYTES) {
    reader.droppedLines = droppedLines + countEntries(body);
    reader.droppedNode = message.nodeId;
    return;
  }
  reader.droppedLines = 0;
  reader.connection.send({ ...message, droppedLines }, body);
}

/** The disk keeps what does not fit into what the reader may have unread, or its socket has not taken. */
function hasRoom({ unackedBytes, connection }: Reader): boolean {
  return unackedBytes < MAX_WINDOW_BYTES && connection.unsentBytes < MAX_WAITING_RESULT_BYTES;
}

function sendResults(reader: Reader, message: Results, body: Body): void {
  reader.connection.send(message, body);
  reader.sentSeq = message.seq;
  reader.unacked.push({ seq: message.seq, bytes: body.byteLength });
  reader.unackedBytes += body.byteLength;
}
