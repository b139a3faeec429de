/** Inputs that the user's own code makes: evaluated in a process of their own, which can hang, end or print as it likes. */
import { fork, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bundleCapture, captureExpression, captureNamed, UsageError, writeBundle, type Capture } from "burla/tools";
import type { EvaluationAnswer, EvaluationRequest } from "./evaluation.ts";
import type { InputSource } from "./messages.ts";
import { clip } from "./text.ts";

export interface EvaluateOptions {
  readonly what: Extract<InputSource, { kind: "expression" | "export" }>;
  /** The file whose names the expression may use. */
  readonly file: string;
  /** Longest wait for a further input. */
  readonly timeoutMs: number;
  /** Takes the lines that the code prints. */
  readonly onLine: (line: string, stream: "stdout" | "stderr") => void;
}

const MAX_LABEL_LENGTH = 60;
/** What the process has printed is read to its end, unless a child that it left behind keeps its output open. */
const MAX_CLOSING_MS = 5_000;

/** @throws UsageError or CaptureError, now or while it is iterated. */
export async function evaluateInputs(options: EvaluateOptions): Promise<EvaluatedInputs> {
  return new EvaluatedInputs(await captureInputs(options), options);
}

/** Inputs that can be iterated once. */
export class EvaluatedInputs implements AsyncIterable<unknown> {
  readonly #capture: Capture;
  readonly #options: EvaluateOptions;
  #count: number | null = null;

  constructor(capture: Capture, options: EvaluateOptions) {
    this.#capture = capture;
    this.#options = options;
  }

  /** How many there are, known from the first one on; null where only making all of them would tell. */
  get count(): number | null {
    return this.#count;
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return readInputs(this.#capture, this.#options, (count) => (this.#count = count));
  }
}

function captureInputs({ what, file }: EvaluateOptions): Promise<Capture> {
  return what.kind === "export" ? captureNamed({ file, name: what.name }) : captureExpression(file, what.text, "the inputs");
}

async function* readInputs(capture: Capture, options: EvaluateOptions, onCount: (count: number | null) => void): AsyncGenerator<unknown> {
  const label = options.what.kind === "export" ? options.what.name : clip(options.what.text.replace(/\s+/g, " "), MAX_LABEL_LENGTH);
  const folder = await mkdtemp(join(tmpdir(), "burla-inputs-"));
  let evaluation: Evaluation | undefined;
  try {
    const bundle = await writeBundle(await bundleCapture(capture), folder);
    evaluation = new Evaluation({ bundle, label }, options);
    for (;;) {
      const answer = await evaluation.next();
      if (answer.kind === "error") throw new UsageError(answer.message, answer.cure);
      if (answer.kind === "end") return;
      onCount(answer.of);
      yield* answer.values;
    }
  } finally {
    await evaluation?.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The process, asked for one batch at a time. */
class Evaluation {
  readonly #child: ChildProcess;
  readonly #label: string;
  readonly #timeoutMs: number;
  /** It has ended, and all that it printed was heard. */
  readonly #closed: Promise<void>;

  constructor(request: EvaluationRequest, { timeoutMs, onLine }: EvaluateOptions) {
    this.#label = request.label;
    this.#timeoutMs = timeoutMs;
    this.#child = fork(fileURLToPath(new URL("./evaluator.mjs", import.meta.url)), [], { serialization: "advanced", stdio: ["ignore", "pipe", "pipe", "ipc"] });
    for (const stream of ["stdout", "stderr"] as const) {
      const source = this.#child[stream];
      if (source !== null) createInterface({ input: source }).on("line", (line) => onLine(line, stream));
    }
    this.#closed = new Promise((resolve) => this.#child.once("close", () => resolve()));
    this.#child.send(request);
  }

  next(): Promise<EvaluationAnswer> {
    return new Promise((resolve) => {
      const settle = (answer: EvaluationAnswer) => {
        clearTimeout(timer);
        this.#child.removeListener("message", settle).removeListener("exit", ended).removeListener("error", failed);
        resolve(answer);
      };
      const fail = (message: string, cure: string) => settle({ kind: "error", message: `${this.#label}: ${message}`, cure });
      const ended = (code: number | null, signal: string | null) => fail(`the process that evaluates the inputs ended with ${signal ?? `code ${code}`}`, "Inputs must not end their process: look for process.exit.");
      const failed = (error: Error) => fail(error.message, "The program that evaluates inputs could not be started or heard.");
      const timer = setTimeout(() => fail(`no further input in ${this.#timeoutMs / 1000} s`, "Write the inputs to a file, or raise the setting burla.inputs.timeoutSeconds."), this.#timeoutMs);
      this.#child.on("message", settle).once("exit", ended).once("error", failed);
      if (this.#child.connected) this.#child.send("next");
      else ended(this.#child.exitCode, this.#child.signalCode);
    });
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await Promise.race([this.#closed, delay(MAX_CLOSING_MS, undefined, { ref: false })]);
  }
}
