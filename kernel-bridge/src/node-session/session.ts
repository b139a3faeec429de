/**
 * The live kernel for TypeScript and JavaScript: a Node of the user's own, which ends with this process however this one
 * ends. Executions run one after the other; here is decided what each one hears.
 */
import { BurlaError, messageOf } from "@burla/protocol";
import type { ArmedRun, ExecuteOptions, KernelEvent, KernelStatus, LiveKernel } from "../kernel.ts";
import { deathNotice } from "./death-notice.ts";
import { Execution } from "./execution.ts";
import type { Report } from "./messages.ts";
import { SessionProcess, type SessionEnd, type SessionProcessOptions } from "./session-process.ts";

export type NodeSessionOptions = Pick<SessionProcessOptions, "program" | "nodePath" | "directory" | "language" | "burla"> &
  Partial<Pick<SessionProcessOptions, "memoryLimitMiB" | "env">>;

const START_TIMEOUT_MS = 30_000;
const PREPARE_TIMEOUT_MS = 30_000;
/** A job is cancelled within this time too, which needs the cluster's answer. */
const INTERRUPT_TIMEOUT_MS = 10_000;
const DISPOSE_TIMEOUT_MS = 3_000;
/** Longer than the program itself waits for the cluster to say that the job is cancelled. */
const CANCEL_TIMEOUT_MS = 6_000;
const MARK_TIMEOUT_MS = 500;
/** What is printed while no cell runs is kept for the next one, up to here. */
const MAX_LATE_LENGTH = 256 * 1024;

/** Starts a session. @throws BurlaError BURLA_KERNEL when its Node cannot be started. */
export async function startNodeSession(options: NodeSessionOptions): Promise<LiveKernel> {
  const session = new NodeSession(options);
  await session.begin();
  return session;
}

class NodeSession implements LiveKernel {
  readonly language: "typescript" | "javascript";
  readonly #options: NodeSessionOptions;
  readonly #listeners = new Set<(status: KernelStatus) => void>();
  readonly #armed = new Map<string, ArmedRun>();
  readonly #waiting: Execution[] = [];
  readonly #prepared: ((problem: string | null) => void)[] = [];
  #status: KernelStatus = "starting";
  #process: SessionProcess | undefined;
  #running: Execution | undefined;
  #count = 0;
  #late = "";
  #exitCode: number | null = null;

  constructor(options: NodeSessionOptions) {
    this.#options = options;
    this.language = options.language;
  }

  get status(): KernelStatus {
    return this.#status;
  }

  onStatus(listener: (status: KernelStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Starts the program. @throws BurlaError BURLA_KERNEL */
  async begin(): Promise<void> {
    let ready: () => void = () => undefined;
    const isReady = new Promise<null>((resolve) => (ready = () => resolve(null)));
    this.#exitCode = null;
    const started: SessionProcess = new SessionProcess({
      ...this.#options,
      memoryLimitMiB: this.#options.memoryLimitMiB ?? null,
      env: this.#options.env ?? process.env,
      onReport: (report) => (this.#process !== started ? undefined : report.type === "ready" ? ready() : this.#hear(report)),
      onOutput: (name, text) => (this.#process === started ? this.#say({ type: "stream", name, text }) : undefined),
    });
    this.#process = started;
    const end = await within(Promise.race([isReady, started.ended]), START_TIMEOUT_MS, () => ({ code: null, signal: null, problem: "it did not answer in time" }));
    if (end !== null) {
      started.kill();
      this.#setStatus("dead");
      const how = end.problem ?? `it ended with ${end.signal ?? `code ${end.code}`}${this.#late === "" ? "" : `: ${this.#late.trim()}`}`;
      throw new BurlaError("BURLA_KERNEL", `the Node session could not be started with ${this.#options.nodePath}: ${how}`, {
        cure: "Choose a Node.js of version 20.19 or newer.",
      });
    }
    void started.ended.then((how) => this.#died(started, how));
    this.#setStatus("idle");
    this.#next();
  }

  execute(code: string, options: ExecuteOptions = {}): AsyncIterable<KernelEvent> {
    const execution = new Execution(code, options, this.#takeArmed(options.cellId));
    if (this.#status === "dead" || options.signal?.aborted === true) {
      execution.end(this.#status === "dead" ? "lost" : "aborted");
      return execution.events;
    }
    this.#waiting.push(execution);
    const onAbort = () => this.#abort(execution);
    options.signal?.addEventListener("abort", onAbort, { once: true });
    void execution.over.then(() => options.signal?.removeEventListener("abort", onAbort));
    this.#next();
    return execution.events;
  }

  async arm(run: ArmedRun): Promise<void> {
    if (this.#status === "dead") throw new BurlaError("BURLA_KERNEL", "the Node session has ended", { cure: "Restart it." });
    // A cell that is busy would keep the answer back: the client is then loaded when it is needed.
    const problem = this.#running === undefined ? await this.#prepare() : null;
    if (problem !== null) throw new BurlaError("BURLA_KERNEL", `the client could not be put into the Node session: ${problem}`, { cure: "Restart the session." });
    this.#armed.set(run.cellId, run);
  }

  /** @returns why the client cannot be loaded; null when it is. */
  #prepare(): Promise<string | null> {
    const answer = new Promise<string | null>((resolve) => this.#prepared.push(resolve));
    this.#process?.send({ type: "prepare" });
    return within(answer, PREPARE_TIMEOUT_MS, () => "it did not answer in time");
  }

  async interrupt(): Promise<void> {
    const running = this.#running;
    this.#abortWaiting();
    if (running === undefined) return;
    this.#process?.send({ type: "interrupt" });
    const isOver = await within(running.over.then(() => true), INTERRUPT_TIMEOUT_MS, () => false);
    if (!isOver) {
      throw new BurlaError("BURLA_KERNEL", "the Node session does not let itself be interrupted: it waits inside of native code", {
        cure: "Restart it; variables are lost.",
      });
    }
  }

  async restart(): Promise<void> {
    this.#setStatus("restarting");
    await this.#stop({ cancelsJob: true });
    this.#armed.clear();
    this.#count = 0;
    this.#late = "";
    await this.begin();
  }

  dispose(): Promise<void> {
    return this.#finish({ cancelsJob: true });
  }

  leave(): Promise<void> {
    return this.#finish({ cancelsJob: false });
  }

  async #finish(how: { readonly cancelsJob: boolean }): Promise<void> {
    await this.#stop(how);
    this.#setStatus("dead");
    this.#listeners.clear();
  }

  /** Ends the program; a running job is cancelled before, if the program still listens. Open executions are lost. */
  async #stop({ cancelsJob }: { readonly cancelsJob: boolean }): Promise<void> {
    const stopped = this.#process;
    if (cancelsJob && this.#running?.armed != null) {
      stopped?.send({ type: "interrupt" });
      await within(this.#running.over, CANCEL_TIMEOUT_MS, () => undefined);
    }
    this.#process = undefined;
    this.#loseAll();
    stopped?.kill();
    if (stopped !== undefined) await within(stopped.ended, DISPOSE_TIMEOUT_MS, () => undefined);
  }

  #takeArmed(cellId: string | undefined): ArmedRun | null {
    const run = cellId === undefined ? undefined : this.#armed.get(cellId);
    if (run !== undefined) this.#armed.delete(run.cellId);
    return run ?? null;
  }

  #next(): void {
    if (this.#running !== undefined || this.#status !== "idle") return;
    const execution = this.#waiting.shift();
    if (execution === undefined) return;
    this.#running = execution;
    if (!execution.isSilent) this.#count++;
    this.#setStatus("busy");
    execution.begin(this.#count);
    this.#sayLate(execution);
    const { code, options, armed, isSilent } = execution;
    this.#process?.send({
      type: "execute", code, armed: armed === null ? null : { ...armed, attachStep: armed.attachStep ?? 0, onlyInputs: armed.onlyInputs === null ? null : [...armed.onlyInputs] },
      label: isSilent ? "silent" : `cell ${this.#count}`,
      cellId: options.cellId ?? null,
      silent: isSilent,
      allowInput: options.allowInput ?? false,
    });
  }

  #abort(execution: Execution): void {
    if (execution === this.#running) return void this.interrupt().catch(() => undefined);
    const at = this.#waiting.indexOf(execution);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (!execution.isOver) execution.end("aborted");
  }

  #abortWaiting(): void {
    for (const execution of this.#waiting.splice(0)) execution.end("aborted");
  }

  #hear(report: Report): void {
    switch (report.type) {
      case "ready":
        return;
      case "prepared":
        return this.#prepared.shift()?.(report.problem);
      case "exiting":
        this.#exitCode = report.code;
        return;
      case "ended":
        return void this.#ended(report);
      case "value":
        return this.#say({ ...report, executionCount: this.#count });
      case "input":
        return this.#say({ type: "input", prompt: report.prompt, isPassword: report.isPassword, answer: (text) => this.#process?.send({ type: "answer", inputId: report.inputId, text }) });
      default:
        return this.#say(report);
    }
  }

  async #ended({ outcome, mark }: Extract<Report, { type: "ended" }>): Promise<void> {
    const execution = this.#running;
    await this.#process?.untilMark(mark, MARK_TIMEOUT_MS);
    if (execution === undefined || execution !== this.#running) return;
    this.#running = undefined;
    if (outcome === "error") this.#abortWaiting();
    execution.end(outcome);
    this.#setStatus("idle");
    this.#next();
  }

  #say(event: KernelEvent): void {
    if (this.#running !== undefined) return this.#running.say(event);
    const text = event.type === "stream" ? event.text : event.type === "error" ? `${event.traceback.join("\n")}\n` : "";
    this.#late = (this.#late + text).slice(-MAX_LATE_LENGTH);
  }

  /** What was printed, and what failed, after the end of the cell that has started it. */
  #sayLate(execution: Execution): void {
    if (this.#late === "" || execution.isSilent) return;
    execution.say({ type: "stream", name: "stderr", text: `${this.#late.replace(/\n?$/, "\n")}` });
    this.#late = "";
  }

  /** The program has ended by itself. A new one takes its place, unless this one has not run anything. */
  async #died(ended: SessionProcess, end: SessionEnd): Promise<void> {
    if (ended !== this.#process) return;
    this.#process = undefined;
    const wasRunning = this.#running !== undefined;
    const notice = deathNotice(end, { exitCode: this.#exitCode, memoryLimitMiB: this.#options.memoryLimitMiB ?? null });
    this.#say({ type: "error", name: "SessionEnded", message: notice, traceback: [notice] });
    this.#loseAll();
    if (!wasRunning && this.#count === 0) return this.#setStatus("dead");
    this.#setStatus("restarting");
    await this.begin().catch((error: unknown) => (this.#late += messageOf(error)));
  }

  #loseAll(): void {
    const lost = [this.#running, ...this.#waiting.splice(0)];
    this.#running = undefined;
    for (const execution of lost) execution?.end("lost");
    for (const settle of this.#prepared.splice(0)) settle("it has ended");
  }

  #setStatus(status: KernelStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of this.#listeners) listener(status);
  }
}

async function within<Value, Late>(promise: Promise<Value>, timeoutMs: number, late: () => Late): Promise<Value | Late> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<Late>((resolve) => (timer = setTimeout(() => resolve(late()), timeoutMs)));
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
