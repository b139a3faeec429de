/** The lines that a job's calls printed, for `burla logs`: capped, with what was dropped counted. */
import { join } from "node:path";
import * as v from "valibot";
import { logEntriesSchema, MAX_JOB_LOG_BYTES, unpack, type LogEntry } from "@burla/protocol";
import { RecordFile } from "./record-file.ts";

export interface LoggedLines {
  readonly nodeId: string;
  readonly droppedLines: number;
  readonly entries: LogEntry[];
}

const headerSchema = v.object({ nodeId: v.string(), droppedLines: v.number() });

export class LineLog {
  readonly #file: RecordFile;

  constructor(directory: string) {
    this.#file = new RecordFile(join(directory, "lines.log"));
  }

  append(nodeId: string, droppedLines: number, body: Uint8Array): void {
    if (this.#file.size + body.byteLength <= MAX_JOB_LOG_BYTES) this.#file.append({ nodeId, droppedLines }, body);
  }

  *read(): Generator<LoggedLines> {
    for (const { frame } of this.#file.replay()) {
      const { nodeId, droppedLines } = v.parse(headerSchema, frame.header);
      yield { nodeId, droppedLines, entries: v.parse(logEntriesSchema, unpack(frame.body)) };
    }
  }

  close(): void {
    this.#file.close();
  }
}
