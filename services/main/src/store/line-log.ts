/** The lines that a job's calls printed, for `burla logs`: capped, with what was dropped counted. */
import { join } from "node:path";
import * as v from "valibot";
import { BurlaError, logEntriesSchema, MAX_JOB_LOG_BYTES, unpack, type LogEntry } from "@burla/protocol";
import { RecordFile } from "./record-file.ts";

export interface LoggedLines {
  readonly nodeId: string;
  readonly droppedLines: number;
  readonly entries: LogEntry[];
}

const headerSchema = v.object({ nodeId: v.string(), droppedLines: v.number() });

export class LineLog {
  readonly #file: RecordFile;
  readonly #followers = new Set<() => void>();
  #ended = false;
  /** The disk had no room for them: no reason to end a job. Told with the next that it takes. */
  #refusedLines = 0;

  constructor(directory: string) {
    this.#file = new RecordFile(join(directory, "lines.log"));
  }

  append(nodeId: string, droppedLines: number, body: Uint8Array): void {
    if (this.#file.size + body.byteLength > MAX_JOB_LOG_BYTES) return;
    try {
      this.#file.append({ nodeId, droppedLines: droppedLines + this.#refusedLines }, body);
      this.#refusedLines = 0;
    } catch (error) {
      if (!(error instanceof BurlaError)) throw error;
      this.#refusedLines += droppedLines + countOf(body);
    }
    this.#wakeFollowers();
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

function countOf(body: Uint8Array): number {
  const entries = unpack(body);
  return Array.isArray(entries) ? entries.length : 0;
}
