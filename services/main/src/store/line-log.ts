/** The lines that a job's calls printed, for `burla logs`: capped, with what was dropped counted. */
import { join } from "node:path";
import * as v from "valibot";
import { BurlaError, countEntries, logEntriesSchema, MAX_JOB_LOG_BYTES, unpack, type LogEntry, type NodeId } from "@burla/protocol";
import { RecordFile } from "./record-file.ts";

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

export class LineLog {
  readonly #file: RecordFile;
  readonly #followers = new Set<() => void>();
  #ended = false;
  /** The disk had no room for them: no reason to end a job. Told with the next that it takes. */
  #refusedLines = 0;
  /** By sender, the number of its last message here; null as long as the file of an earlier main was not looked at. */
  #lastSeqs: Map<string, number> | null;

  constructor(directory: string) {
    this.#file = new RecordFile(join(directory, "lines.log"));
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
    if (this.#file.size + body.byteLength > MAX_JOB_LOG_BYTES) return true;
    try {
      this.#file.append({ nodeId, droppedLines: droppedLines + this.#refusedLines, sender, nodeSeq }, body);
      this.#refusedLines = 0;
    } catch (error) {
      if (!(error instanceof BurlaError)) throw error;
      this.#refusedLines += droppedLines + countEntries(body);
    }
    this.#wakeFollowers();
    return true;
  }

  /** The records behind a position; none where no record begins. */
  *after(position: number): Generator<{ nodeId: NodeId; droppedLines: number; position: number; body: Uint8Array }> {
    try {
      for (const { offset, frame } of this.#file.replay(position)) {
        const { nodeId, droppedLines } = v.parse(headerSchema, frame.header);
        yield { nodeId: nodeId as NodeId, droppedLines, position: offset + frame.bytes, body: frame.body };
      }
    } catch (error) {
      if (!(error instanceof BurlaError || error instanceof v.ValiError)) throw error;
    }
  }

  /** The job has ended: who follows is done when the lines so far are read. */
  end(): void {
    this.#ended = true;
    this.#wakeFollowers();
  }

  /** Lines from the first to the last that is there; with `follow`, on until `end`. The signal ends it early. */
  async *read({ follow, signal }: { follow: boolean; signal: AbortSignal }): AsyncGenerator<LoggedLines> {
    let next = 0;
    for (;;) {
      for (const { offset, frame } of this.#file.replay(next)) {
        next = offset + frame.bytes;
        const { nodeId, droppedLines } = v.parse(headerSchema, frame.header);
        yield { nodeId, droppedLines, entries: v.parse(logEntriesSchema, unpack(frame.body)) };
        if (signal.aborted) return;
      }
      if (!follow || this.#ended || signal.aborted) return;
      if (next === this.#file.size) await this.#changed(signal);
    }
  }

  close(): void {
    this.end();
    this.#file.close();
  }

  #readSeqs(): Map<string, number> {
    const seqs = new Map<string, number>();
    for (const { frame } of this.#file.replay()) {
      const { sender, nodeSeq } = v.parse(headerSchema, frame.header);
      seqs.set(sender, Math.max(seqs.get(sender) ?? 0, nodeSeq));
    }
    return seqs;
  }

  #changed(signal: AbortSignal): Promise<void> {
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
