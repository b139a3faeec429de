/** Entries of a job -> lines on stdout. */
import { BurlaError, messageOf } from "@burla/protocol";
import type { JobOutput } from "../output.ts";
import type { Settled } from "../types.ts";
import { countText } from "./texts.ts";
import type { Terminal } from "./terminal.ts";
import { errorToPlain, toJson } from "./value-json.ts";

export interface ResultLinesOptions {
  readonly terminal: Terminal;
  readonly view: JobOutput;
  /** Only the values of inputs that did not fail, without their index. */
  readonly valuesOnly: boolean;
  readonly json: boolean;
}

/** Failures told on stderr one by one; beyond it only their number. */
const MAX_TOLD_FAILURES = 5;

export class ResultLines {
  readonly #options: ResultLinesOptions;
  #count = 0;
  #failed = 0;

  constructor(options: ResultLinesOptions) {
    this.#options = options;
  }

  get failed(): number {
    return this.#failed;
  }

  get count(): number {
    return this.#count;
  }

  /** Resolves when the reader of stdout has room. */
  add(entry: Settled<unknown>): Promise<void> | undefined {
    const { terminal, view, valuesOnly, json } = this.#options;
    this.#count++;
    if (terminal.stdout.isTTY) view.clear();
    if (entry.status === "fulfilled") return terminal.line(valuesOnly ? toJson(entry.value) : `{"index":${entry.index},"value":${toJson(entry.value)}}`);
    this.#failed++;
    if (!json && this.#failed <= MAX_TOLD_FAILURES) {
      view.clear();
      terminal.say(`burla: input ${entry.index} failed: ${failureLines(entry.reason)}`);
    }
    return valuesOnly ? undefined : terminal.line(`{"index":${entry.index},"error":${JSON.stringify(errorToPlain(entry.reason))}}`);
  }

  /** Says how many failed, where it is more than what was told. */
  end(): void {
    if (this.#failed <= 1 || this.#options.json) return;
    this.#options.terminal.say(`burla: ${this.#failed.toLocaleString("en-US")} of ${countText(this.#count, "input")} failed`);
  }
}

/** The error of a call: name, message, and the lines of the user's own stack. */
function failureLines(reason: unknown): string {
  if (reason instanceof BurlaError) return reason.message;
  if (!(reason instanceof Error)) return `${toJson(reason)} was thrown`;
  const { stack } = reason;
  return stack?.includes(reason.message) === true ? stack : `${reason.name}: ${messageOf(reason)}`;
}
