/** Keeps the last lines of a log, so that a job that prints without end does not fill the editor's memory. */
import type { JobLogLine } from "burla/control";

export interface Batch {
  readonly lines: readonly JobLogLine[];
  /** Lines that came before these and are not shown. */
  readonly leftOut: number;
  /** What is shown already must go, to make room. */
  readonly clear: boolean;
}

export class LogWindow {
  readonly #maxLines: number;
  #pending: JobLogLine[] = [];
  #shown = 0;
  #leftOut = 0;

  constructor(maxLines: number) {
    this.#maxLines = maxLines;
  }

  add(line: JobLogLine): void {
    this.#pending.push(line);
    // In large steps, since each one moves all lines.
    if (this.#pending.length >= 2 * this.#maxLines) this.#dropOldest();
  }

  /** What is to be shown now; null when there is nothing new. */
  take(): Batch | null {
    if (this.#pending.length === 0) return null;
    if (this.#pending.length > this.#maxLines) this.#dropOldest();
    const clear = this.#shown + this.#pending.length > this.#maxLines;
    if (clear) {
      this.#leftOut += this.#shown;
      this.#shown = 0;
    }
    const lines = this.#pending;
    this.#pending = [];
    this.#shown += lines.length;
    return { lines, leftOut: clear || this.#shown === lines.length ? this.#leftOut : 0, clear };
  }

  #dropOldest(): void {
    const dropped = this.#pending.length - this.#maxLines;
    this.#pending = this.#pending.slice(dropped);
    this.#leftOut += dropped;
  }
}

/** Such as `[12] text`, or `[setup] text`; other lines outside of any call have no index. */
export function lineText({ index, origin, text }: Pick<JobLogLine, "index" | "origin" | "text">): string {
  if (origin === "setup") return `[setup] ${text}`;
  return index < 0 ? text : `[${index}] ${text}`;
}

/** With its time and stream, for the full log. */
export function fullLineText(line: JobLogLine): string {
  return `${new Date(line.timeMs).toISOString()} ${line.stream === "stderr" ? "stderr" : "stdout"} ${lineText(line)}\n`;
}
