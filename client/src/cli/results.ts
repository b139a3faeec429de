/** Entries of a job -> lines on stdout. */
import { BurlaError, messageOf } from "@burla/protocol";
import type { JobOutput } from "../output.ts";
import type { Settled } from "../types.ts";
import type { ViewFlags } from "./options.ts";
import { countText, durationText } from "./texts.ts";
import type { Terminal } from "./terminal.ts";
import { errorToPlain, toJson } from "./value-json.ts";

export interface ResultLinesOptions {
  readonly terminal: Terminal;
  readonly view: JobOutput;
  /** What the last line calls the job. */
  readonly name: string;
  readonly flags: ResultFlags;
}

export interface ResultFlags extends ViewFlags {
  /** Only the values of inputs that did not fail, without their index. */
  readonly values?: boolean;
}

/** Failures told on stderr one by one; beyond it only their number. */
const MAX_TOLD_FAILURES = 5;

export class ResultLines {
  readonly #options: ResultLinesOptions;
  readonly #startedMs = performance.now();
  #count = 0;
  #failed = 0;

  constructor(options: ResultLinesOptions) {
    this.#options = options;
  }

  get failed(): number {
    return this.#failed;
  }

  /** Resolves when the reader of stdout has room. */
  add(entry: Settled<unknown>): Promise<void> | undefined {
    const { terminal, view, flags } = this.#options;
    this.#count++;
    if (terminal.stdout.isTTY) view.clear();
    if (entry.status === "fulfilled") return terminal.line(flags.values === true ? toJson(entry.value) : `{"index":${entry.index},"value":${toJson(entry.value)}}`);
    this.#failed++;
    if (flags.json !== true && this.#failed <= MAX_TOLD_FAILURES) {
      view.clear();
      terminal.say(`burla: input ${entry.index} failed: ${failureLines(entry.reason)}`);
    }
    return flags.values === true ? undefined : terminal.line(`{"index":${entry.index},"error":${JSON.stringify(errorToPlain(entry.reason))}}`);
  }

  /** Says how many there were, unless nobody wants to know and nothing went wrong. */
  end(): void {
    const { terminal, name, flags } = this.#options;
    if (flags.json === true) return;
    const isTold = flags.progress && flags.quiet !== true;
    const took = durationText(performance.now() - this.#startedMs);
    if (isTold) terminal.say(`${name}: ${countText(this.#count, "input")} in ${took}${this.#failed > 0 ? `, ${this.#failed.toLocaleString("en-US")} failed` : ""}`);
    else if (this.#failed > 1) terminal.say(`burla: ${this.#failed.toLocaleString("en-US")} of ${countText(this.#count, "input")} failed`);
  }
}

/** The error of a call: name, message, and the lines of the user's own stack. */
function failureLines(reason: unknown): string {
  if (reason instanceof BurlaError) return reason.message;
  if (!(reason instanceof Error)) return `${toJson(reason)} was thrown`;
  const { stack } = reason;
  return stack?.includes(reason.message) === true ? stack : `${reason.name}: ${messageOf(reason)}`;
}
