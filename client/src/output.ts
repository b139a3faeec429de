/** What a person sees while a job runs: the lines of its calls, and one line that shows how far it is. */
import { isUpdate } from "@burla/protocol";
import type { LogLine, Progress } from "./types.ts";

const REDRAW_MS = 100;
/** Without a terminal, a line of progress is printed this often. */
const PLAIN_MS = 5_000;
const BAR_WIDTH = 24;
const NEWLINE = 0x0a;
/** Of a terminal that does not say. */
const DEFAULT_COLUMNS = 80;

export interface JobOutput {
  /** Gives what `onLog` returns: a promise, where it is asynchronous. */
  line(line: LogLine): unknown;
  /** Gives what the function `progress` returns. */
  progress(progress: Progress): unknown;
  /** Takes the progress line off the screen until the next state, so that something else can be printed. */
  clear(): void;
  /** Leaves the last state on the screen. */
  end(): void;
}

export interface OutputOptions {
  readonly name: string;
  readonly onLog: ((line: LogLine) => void) | undefined;
  readonly progress: boolean | ((progress: Progress) => void);
  /** Where lines go that calls print on stdout. Default: this program's own stdout. */
  readonly stdout?: NodeJS.WritableStream;
}

export function createOutput(options: OutputOptions): JobOutput {
  const live = options.progress === true ? new LiveLine(options.name, process.stderr) : undefined;
  const report = typeof options.progress === "function" ? options.progress : undefined;
  return {
    line: (line) => {
      if (options.onLog !== undefined) return options.onLog(line);
      if (isUpdate(line.text)) return;
      live?.clear();
      return (line.stream === "stdout" ? (options.stdout ?? process.stdout) : process.stderr).write(`${tagOf(line)}${line.text}\n`);
    },
    progress: (progress) => {
      live?.show(progress);
      return report?.(progress);
    },
    clear: () => live?.clear(),
    end: () => live?.end(),
  };
}

/** Such as `[12] `, or `[setup] `; other lines outside of any call have none. */
export function tagOf({ index, origin }: Pick<LogLine, "index" | "origin">): string {
  if (origin === "setup") return "[setup] ";
  return index < 0 ? "" : `[${index}] `;
}

/** Such as `score  ━━━━━━╌╌╌╌ 512/1,000  2 failed  340/s  about 2 s left`. */
export function progressText(name: string, progress: Progress, elapsedMs: number): string {
  if (progress.phase !== "running") return `${name}  ${progress.reason || progress.phase}`;
  const settled = progress.done + progress.failed;
  const perSecond = elapsedMs > 0 ? (settled * 1000) / elapsedMs : 0;
  const count = (value: number) => value.toLocaleString("en-US");
  const parts = [name, progress.total === null ? `${count(settled)} of so far ${count(progress.pushed)}` : `${bar(settled / Math.max(1, progress.total))} ${count(settled)}/${count(progress.total)}`];
  if (progress.failed > 0) parts.push(`${count(progress.failed)} failed`);
  if (perSecond > 0) parts.push(`${perSecond >= 10 ? count(Math.round(perSecond)) : perSecond.toFixed(1)}/s`);
  if (progress.total !== null && perSecond > 0 && settled < progress.total) parts.push(`about ${duration((progress.total - settled) / perSecond)} left`);
  return parts.join("  ");
}

function bar(share: number): string {
  const filled = Math.round(Math.min(1, share) * BAR_WIDTH);
  return "━".repeat(filled) + "╌".repeat(BAR_WIDTH - filled);
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/**
 * Redraws one line of a terminal; without one, prints a line now and then, and at once when a job begins to wait, or goes on.
 * The last state of a burst is always shown: nothing may follow it for long.
 */
class LiveLine {
  readonly #name: string;
  readonly #stream: NodeJS.WriteStream;
  readonly #startedMs = performance.now();
  #last: Progress | undefined;
  #drawnMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #onScreen = false;
  #drawing = false;
  /** What was printed last has no end of line yet: a redraw would take it away. */
  #isInLine = false;
  readonly #restore: (() => void)[] = [];

  constructor(name: string, stream: NodeJS.WriteStream) {
    this.#name = name;
    this.#stream = stream;
    if (stream.isTTY) this.#restore = [process.stdout, process.stderr].map((other) => this.#makeRoomFor(other));
  }

  show(progress: Progress): void {
    const isNews = !this.#stream.isTTY && stateOf(this.#last) !== stateOf(progress);
    this.#last = progress;
    if (isNews) this.#draw();
    else this.#drawSoon();
  }

  clear(): void {
    if (!this.#onScreen) return;
    this.#write("\r\u001b[2K");
    this.#onScreen = false;
    this.#drawSoon();
  }

  end(): void {
    clearTimeout(this.#timer);
    for (const restore of this.#restore.splice(0)) restore();
    if (this.#last === undefined) return;
    this.#draw();
    if (this.#onScreen) this.#write("\n");
    this.#onScreen = false;
    this.#last = undefined;
  }

  #drawSoon(): void {
    if (this.#timer !== undefined) return;
    const waitMs = this.#drawnMs + (this.#stream.isTTY ? REDRAW_MS : PLAIN_MS) - performance.now();
    if (waitMs <= 0) return this.#draw();
    this.#timer = setTimeout(() => this.#draw(), waitMs).unref();
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#last === undefined) return;
    this.#drawnMs = performance.now();
    const text = progressText(this.#name, this.#last, this.#drawnMs - this.#startedMs);
    if (!this.#stream.isTTY) return this.#write(`${text}\n`);
    if (this.#isInLine) return;
    this.#write(`\r\u001b[2K${text.slice(0, (this.#stream.columns || DEFAULT_COLUMNS) - 1)}`);
    this.#onScreen = true;
  }

  #write(text: string): void {
    this.#drawing = true;
    this.#stream.write(text);
    this.#drawing = false;
  }

  /** What the program itself prints takes the place of the line, which is drawn again below it. */
  #makeRoomFor(other: NodeJS.WriteStream): () => void {
    const original = other.write;
    const write = (...parts: Parameters<typeof original>): boolean => {
      if (!this.#drawing) {
        this.clear();
        this.#isInLine = !endsLine(parts[0]);
      }
      return original.apply(other, parts);
    };
    other.write = write as typeof original;
    return () => {
      if (other.write === write) other.write = original;
    };
  }
}

function stateOf(progress: Progress | undefined): string {
  return progress === undefined || progress.phase === "running" ? String(progress?.phase) : `${progress.phase} ${progress.reason}`;
}

function endsLine(written: unknown): boolean {
  if (typeof written === "string") return written.endsWith("\n");
  return written instanceof Uint8Array && written.at(-1) === NEWLINE;
}
