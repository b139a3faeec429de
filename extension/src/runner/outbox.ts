/** Gathers what a job tells, so that the extension hears of it some times a second and not once per input. */
import { MAX_LINES_PER_EVENT, MAX_ROWS_PER_EVENT, type JobLine, type JobProgress, type RunnerEvent } from "./messages.ts";
import type { RowAndLine } from "./rows.ts";
import type { Spool } from "./spool.ts";

const FLUSH_MS = 60;

/** Says an event. Resolves when there is room for the next. */
export type Say = (event: RunnerEvent) => Promise<void>;

export class Outbox {
  readonly #spool: Spool;
  readonly #say: Say;
  readonly #maxLines: number;
  #rows: RowAndLine[] = [];
  #lines: JobLine[] = [];
  #progress: JobProgress | undefined;
  #toldLines = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Events leave one after the other. */
  #tail: Promise<void> = Promise.resolve();

  constructor(spool: Spool, say: Say, maxLines: number) {
    this.#spool = spool;
    this.#say = say;
    this.#maxLines = maxLines;
  }

  /** @returns a promise when more has gathered than fits into one event: the job should wait for it. */
  row(entry: RowAndLine): Promise<void> | undefined {
    this.#rows.push(entry);
    if (this.#rows.length >= MAX_ROWS_PER_EVENT) return this.flush();
    this.#soon();
    return undefined;
  }

  line(line: JobLine): void {
    if (this.#toldLines >= this.#maxLines) this.#dropped++;
    else {
      this.#toldLines++;
      this.#lines.push(line);
    }
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
    const lines = this.#lines.splice(0);
    const progress = this.#progress;
    this.#progress = undefined;
    const run = this.#tail.then(() => this.#send(rows, lines, progress));
    this.#tail = run.catch(() => undefined);
    return run;
  }

  async #send(entries: RowAndLine[], lines: JobLine[], progress: JobProgress | undefined): Promise<void> {
    for (let at = 0; at < lines.length || (at === 0 && this.#dropped > 0); at += MAX_LINES_PER_EVENT) {
      await this.#say({ type: "lines", lines: lines.slice(at, at + MAX_LINES_PER_EVENT), dropped: this.#dropped });
    }
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
