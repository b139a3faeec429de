/** What runs the cells of one notebook in this window: its kernel, once there is one, and a queue. */
import type * as vscode from "vscode";
import type { ArmedRun, ExecutionOutcome } from "@burla/kernel-bridge";
import type { Asking } from "../clusters/questions.ts";
import { Declined, troubleOf } from "../failure.ts";
import type { Snapshot } from "../keeper/messages.ts";
import { CellRun, type ShownOutputs } from "./cell-run.ts";
import { unlessAborted } from "../unless-aborted.ts";
import type { NotebookKernel } from "./notebook-kernel.ts";

/** Makes a cell ready for the cluster. @throws Declined when the user does not want that. */
export type Prepare = (asking: Asking) => Promise<ArmedRun>;

export interface SessionParts {
  /** Starts a kernel. Its outputs are kept in `shown`. */
  start(shown: ShownOutputs): Promise<NotebookKernel>;
  /** The kernel is there, or is not any more. */
  onKernel(kernel: NotebookKernel | null): void;
}

interface Waiting {
  readonly run: CellRun;
  readonly prepare: Prepare | null;
}

export class Session {
  readonly #parts: SessionParts;
  readonly #shown: ShownOutputs = new Map();
  #kernel: NotebookKernel | undefined;
  /** A kernel that was left is looked for: a cell that is run meanwhile waits for it. */
  #resuming: Promise<unknown> | undefined;
  #queue: Waiting[] = [];
  #current: { readonly abort: AbortController; isInKernel: boolean } | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** After what was given before. @param left what shows the job that is taken up again. */
  add(execution: vscode.NotebookCellExecution, prepare: Prepare | null, left: vscode.NotebookCellOutput | null = null): void {
    this.#queue.push({ run: new CellRun(execution, this.#shown, left), prepare });
    if (this.#current === undefined) void this.#work();
  }

  /** A kernel that an earlier window has left, with the execution that goes on there. */
  async resume(open: (shown: ShownOutputs) => Promise<{ readonly kernel: NotebookKernel; readonly left: readonly Snapshot[] }>, executionOf: (snapshot: Snapshot) => vscode.NotebookCellExecution | null): Promise<void> {
    const opening = open(this.#shown);
    this.#resuming = opening.catch(() => undefined);
    const { kernel, left } = await opening;
    this.#setKernel(kernel);
    for (const snapshot of left) {
      const execution = executionOf(snapshot);
      if (execution === null) continue;
      const run = new CellRun(execution, this.#shown);
      const current = { abort: new AbortController(), isInKernel: true };
      this.#current = current;
      kernel.resume(run, snapshot);
      void run.ended.then(() => this.#next(current));
    }
  }

  /** Stops what runs, in every phase, and what waits. */
  async interrupt(): Promise<void> {
    this.#abortWaiting();
    this.#current?.abort.abort();
    if (this.#current?.isInKernel === true) await this.#kernel?.interrupt();
  }

  async restart(): Promise<void> {
    this.#abortWaiting();
    if (this.#kernel === undefined) return;
    await this.#kernel.restart();
  }

  /** The notebook is closed, or another kernel is chosen: this one ends. */
  end(): void {
    this.#abortWaiting();
    this.#current?.abort.abort();
    this.#kernel?.end();
    this.forget();
  }

  /** The window goes; the kernel waits for it a while. */
  leave(): void {
    this.#kernel?.leave();
  }

  forget(): void {
    this.#setKernel(undefined);
  }

  get hasKernel(): boolean {
    return this.#kernel !== undefined;
  }

  async #work(): Promise<void> {
    const next = this.#queue.shift();
    if (next === undefined) return;
    const current = { abort: new AbortController(), isInKernel: false };
    this.#current = current;
    const cancelled = next.run.token.onCancellationRequested(() => void this.interrupt().catch(() => undefined));
    const outcome = await this.#runOne(next, current);
    cancelled.dispose();
    if (outcome !== "ok") this.#abortWaiting();
    this.#next(current);
  }

  #next(current: object): void {
    if (this.#current !== current) return;
    this.#current = undefined;
    void this.#work();
  }

  async #runOne({ run, prepare }: Waiting, current: { readonly abort: AbortController; isInKernel: boolean }): Promise<ExecutionOutcome> {
    const { signal } = current.abort;
    run.start();
    try {
      const armed = prepare === null ? null : await unlessAborted(prepare({ signal, onQuestion: (question) => run.ask(question) }), signal);
      const kernel = await this.#ensureKernel(signal);
      current.isInKernel = true;
      return await kernel.run(run, armed);
    } catch (error) {
      if (signal.aborted || error instanceof Declined) run.end("aborted");
      else run.fail("Kernel", wordsOf(error));
      return run.ended;
    }
  }

  async #ensureKernel(signal: AbortSignal): Promise<NotebookKernel> {
    await this.#resuming;
    if (this.#kernel !== undefined && !this.#kernel.isDead) return this.#kernel;
    this.#kernel?.end();
    this.#shown.clear();
    const starting = this.#parts.start(this.#shown);
    try {
      const kernel = await unlessAborted(starting, signal);
      this.#setKernel(kernel);
      return kernel;
    } catch (error) {
      // One that comes later is for nobody.
      void starting.then((late) => late.end(), () => undefined);
      throw error;
    }
  }

  #setKernel(kernel: NotebookKernel | undefined): void {
    if (this.#kernel === kernel) return;
    this.#kernel = kernel;
    this.#parts.onKernel(kernel ?? null);
  }

  #abortWaiting(): void {
    for (const { run } of this.#queue.splice(0)) run.end("aborted");
  }
}

function wordsOf(error: unknown): string {
  const { message, cure, code } = troubleOf(error);
  return code === "" ? message : `${message}. ${cure}`;
}
