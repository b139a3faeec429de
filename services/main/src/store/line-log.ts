/** The lines that a job's calls printed, for `burla logs`: capped, with what was dropped counted. */
import { renameSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { BurlaError, countEntries, DamageError, logEntriesSchema, MAX_JOB_LOG_BYTES, messageOf, pack, unpack, type LogEntry, type NodeId } from "@burla/protocol";
import type { OpenFiles } from "./open-files.ts";
import { RecordFile, type StoredRecord } from "./record-file.ts";

export interface LoggedLines {
  readonly nodeId: string;
  readonly droppedLines: number;
  readonly entries: LogEntry[];
}

/** Lines on their way from a node. */
export interface NewLines {
  readonly nodeId: NodeId;
  /** The node service, by its run: its numbers begin anew with it. */
  readonly sender: string;
  /** Its number of this message. */
  readonly nodeSeq: number;
  readonly droppedLines: number;
}

const headerSchema = v.object({ nodeId: v.string(), droppedLines: v.number(), sender: v.optional(v.string(), ""), nodeSeq: v.optional(v.number(), 0) });

type Header = Required<v.InferOutput<typeof headerSchema>>;

/** What is dropped is counted by a record without lines. */
const NO_LINES = pack([]);

export class LineLog {
  readonly #files: OpenFiles;
  #file: RecordFile;
  readonly #followers = new Set<() => void>();
  #ended = false;
  #isClosed = false;
  /** The disk had no room for them: no reason to end a job. Told with the next that it takes, or where the log ends. */
  #refused: { lines: number; nodeId: string } = { lines: 0, nodeId: "" };
  /** By sender, the number of its last message here; null as long as the file of an earlier main was not looked at. */
  #lastSeqs: Map<string, number> | null;

  constructor(directory: string, files: OpenFiles) {
    this.#files = files;
    this.#file = new RecordFile(join(directory, "lines.log"), files);
    this.#lastSeqs = this.#file.size === 0 ? new Map() : null;
  }

  /** Where the next lines will be: readers go on from there. */
  get position(): number {
    return this.#file.size;
  }

  /** @returns false for lines that are here already: a node sends again what it does not know to be stored. */
  append({ nodeId, sender, nodeSeq, droppedLines }: NewLines, body: Uint8Array): boolean {
    this.#lastSeqs ??= this.#readSeqs();
    if ((this.#lastSeqs.get(sender) ?? 0) >= nodeSeq) return false;
    this.#lastSeqs.set(sender, nodeSeq);
    const header = { nodeId, droppedLines, sender, nodeSeq };
    if (this.#file.size + body.byteLength <= MAX_JOB_LOG_BYTES) this.#store(header, body);
    else this.#store({ ...header, droppedLines: droppedLines + countEntries(body) }, NO_LINES);
    this.#wakeFollowers();
    return true;
  }

  /** The records behind a position, and what was dropped behind them; none where no record begins. */
  *after(position: number): Generator<{ nodeId: NodeId; droppedLines: number; position: number; body: Uint8Array }> {
    let next = position;
    try {
      for (const record of this.#file.replay(position)) {
        const { nodeId, droppedLines } = headerOf(record);
        next = record.offset + record.bytes;
        yield { nodeId: nodeId as NodeId, droppedLines, position: next, body: record.body() };
      }
      const { lines, nodeId } = this.#refused;
      // Who was here before has seen them.
      if (lines > 0 && position === 0) yield { nodeId: nodeId as NodeId, droppedLines: lines, position: next, body: NO_LINES };
    } catch (error) {
      if (!(error instanceof BurlaError || error instanceof v.ValiError)) throw error;
      if (next === position && position > 0) return;
      yield { nodeId: "main" as NodeId, droppedLines: 0, position: this.#file.size, body: pack([noticeOf(error)]) };
    }
  }

  /** The job has ended: who follows is done when the lines so far are read. */
  end(): void {
    const { lines, nodeId } = this.#refused;
    if (lines > 0 && !this.#isClosed) this.#store({ nodeId, droppedLines: 0, sender: "", nodeSeq: 0 }, NO_LINES);
    this.#ended = true;
    this.#wakeFollowers();
  }

  /**
   * Lines from the first to the last that is there, and how many were dropped behind it; with `follow`, on until `end`.
   * The signal ends it early. Where they cannot be read, a line says so, and is the last.
   */
  async *read({ follow, signal }: { follow: boolean; signal: AbortSignal }): AsyncGenerator<LoggedLines> {
    let next = 0;
    try {
      for (;;) {
        for (const record of this.#file.replay(next)) {
          next = record.offset + record.bytes;
          yield { ...headerOf(record), entries: v.parse(logEntriesSchema, unpack(record.body())) };
          if (signal.aborted) return;
        }
        if (!follow || this.#ended || signal.aborted) break;
        if (next === this.#file.size) await this.#changed(signal);
      }
    } catch (error) {
      if (!(error instanceof BurlaError || error instanceof v.ValiError)) throw error;
      yield { nodeId: "main", droppedLines: 0, entries: [noticeOf(error)] };
      return;
    }
    const { lines, nodeId } = this.#refused;
    if (lines > 0 && !signal.aborted) yield { nodeId, droppedLines: lines, entries: [] };
  }

  /** Who reads is told that there is nothing more to be read. */
  close(): void {
    this.end();
    this.#isClosed = true;
    this.#file.close();
  }

  #store(header: Header, body: Uint8Array): void {
    try {
      this.#file.append({ ...header, droppedLines: header.droppedLines + this.#refused.lines }, body);
      this.#refused = { lines: 0, nodeId: "" };
    } catch (error) {
      if (!(error instanceof BurlaError)) throw error;
      this.#refused = { lines: this.#refused.lines + header.droppedLines + countEntries(body), nodeId: header.nodeId };
    }
  }

  #readSeqs(): Map<string, number> {
    const seqs = new Map<string, number>();
    try {
      for (const record of this.#file.replay()) {
        const { sender, nodeSeq } = parse(record);
        seqs.set(sender, Math.max(seqs.get(sender) ?? 0, nodeSeq));
      }
    } catch (error) {
      if (!(error instanceof DamageError || error instanceof v.ValiError)) throw error;
      this.#putAside(error);
    }
    return seqs;
  }

  /** Nobody would find what is appended to a damaged file. */
  #putAside(error: Error): void {
    const { path } = this.#file;
    this.#file.close();
    renameSync(path, `${path}.damaged`);
    this.#file = new RecordFile(path, this.#files);
    this.#file.append({ nodeId: "main", droppedLines: 0, sender: "", nodeSeq: 0 }, pack([noticeOf(error)]));
  }

  #changed(signal: AbortSignal): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      const settle = () => {
        this.#followers.delete(settle);
        signal.removeEventListener("abort", settle);
        resolve();
      };
      this.#followers.add(settle);
      signal.addEventListener("abort", settle);
    });
  }

  #wakeFollowers(): void {
    for (const wake of [...this.#followers]) wake();
  }
}

function parse({ header }: StoredRecord): Header {
  return v.parse(headerSchema, header);
}

function headerOf(record: StoredRecord): { nodeId: string; droppedLines: number } {
  const { nodeId, droppedLines } = parse(record);
  return { nodeId, droppedLines };
}

/** In the place of lines that cannot be read. */
function noticeOf(error: Error): LogEntry {
  return [-1, 2, Date.now(), `… lines are missing here: ${messageOf(error).split("\n")[0] ?? ""}`];
}
