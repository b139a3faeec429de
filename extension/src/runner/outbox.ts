/** Gathers what a job tells, so that the extension hears of it some times a second and not once per input. */
import { MAX_LINE_LENGTH, MAX_PRINTED_LINES, MAX_ROWS_PER_EVENT, type JobProgress, type RunnerEvent } from "./messages.ts";
import type { RowAndLine } from "./rows.ts";
import type { Spool } from "./spool.ts";
import { clip } from "./text.ts";

const FLUSH_MS = 60;

/** Says an event. Resolves when there is room for the next. */
export type Say = (event: RunnerEvent) => Promise<void>;

export class Outbox {
  readonly #spool: Spool;
  readonly #say: Say;
  #rows: RowAndLine[] = [];
  #printed: string[] = [];
  #printedCount = 0;
  #progress: JobProgress | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Events leave one after the other. */
  #tail: Promise<void> = Promise.resolve();

  constructor(spool: Spool, say: Say) {
    this.#spool = spool;
    this.#say = say;
  }

  /** @returns a promise when more has gathered than fits into one event: the job should wait for it. */
  row(entry: RowAndLine): Promise<void> | undefined {
    this.#rows.push(entry);
    if (this.#rows.length >= MAX_ROWS_PER_EVENT) return this.flush();
    this.#soon();
    return undefined;
  }

  /** Lines beyond the limit are dropped, with a word about it. */
  printed(line: string): void {
    if (++this.#printedCount <= MAX_PRINTED_LINES) this.#printed.push(this.#printedCount < MAX_PRINTED_LINES ? clip(line, MAX_LINE_LENGTH) : "… further lines are not shown");
    this.#soon();
  }

  progress(progress: JobProgress): void {
    this.#progress = progress;
    this.#soon();
  }

  /** Resolves when all that has gathered has been said. @throws when the spool cannot be written. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const rows = this.#rows.splice(0);
    const lines = this.#printed.splice(0);
    const progress = this.#progress;
    this.#progress = undefined;
    const run = this.#tail.then(() => this.#send(rows, lines, progress));
    this.#tail = run.catch(() => undefined);
    return run;
  }

  async #send(entries: RowAndLine[], lines: string[], progress: JobProgress | undefined): Promise<void> {
    if (lines.length > 0) await this.#say({ type: "printed", lines });
    for (let at = 0; at < entries.length; at += MAX_ROWS_PER_EVENT) {
      await this.#say({ type: "rows", rows: await this.#spool.add(entries.slice(at, at + MAX_ROWS_PER_EVENT)) });
    }
    if (progress !== undefined) await this.#say({ type: "progress", progress });
  }

  /** What cannot be written is found out by the last flush, which somebody waits for. */
  #soon(): void {
    this.#timer ??= setTimeout(() => void this.flush().catch(() => undefined), FLUSH_MS);
  }
}
