/** One run: a function over inputs. It owns the program that reads the job, and what the views show of it. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import * as vscode from "vscode";
import type { Question } from "../clusters/questions.ts";
import { claimFile, type JobProgress, type JobRequest, type Problem, type Row, type RunnerEvent } from "../runner/messages.ts";
import { isOver, type RunRecord } from "./record.ts";
import { RowStore } from "./row-store.ts";
import type { RunnerProgram } from "./runner-link.ts";
import { RunnerProcess, type RunnerEnd } from "./runner-process.ts";
import { readRows } from "./spool-file.ts";

/** A cluster that takes the job. */
export interface RunCluster {
  readonly id: string;
  /** For the runner. */
  readonly target: string | { readonly url: string; readonly token: string };
}

/** How a runner is started here. */
export interface RunEnvironment {
  readonly program: RunnerProgram;
  readonly inputTimeoutMs: number;
  readonly outlivesWindow: boolean;
}

/** A runner whose window went away says within this time that it writes no more; a runner that is gone says nothing. */
const CLAIM_TIMEOUT_MS = 3_000;
const CLAIM_LOOK_MS = 50;

const LEFT_TOO_LONG: Problem = {
  code: null,
  message: "The job was cancelled while this window was away: after a minute a window counts as closed, unless somebody cancelled it.",
  cure: "With the setting burla.run.onWindowClose at “continue”, runs go on without a window.",
  place: null,
};

export type RunChange =
  /** Phase, progress or problem. */
  | { readonly kind: "state" }
  | { readonly kind: "rows"; readonly rows: readonly Row[] }
  | { readonly kind: "printed"; readonly lines: readonly string[] }
  /** A job begins. */
  | { readonly kind: "started" }
  /** The cluster has taken the job: it can be asked about it. */
  | { readonly kind: "known"; readonly jobId: string };

export class Run implements vscode.Disposable {
  #rows = new RowStore();
  #isLoaded = false;
  readonly #changed = new vscode.EventEmitter<RunChange>();
  readonly onDidChange = this.#changed.event;
  #record: RunRecord;
  #progress: JobProgress | null = null;
  #question: Question | null = null;
  #process: RunnerProcess | undefined;
  /** By this window. */
  #isCancelled = false;
  /** Lines of the spool. */
  #lines = 0;
  /** The job that the cluster is known to have taken. */
  #knownJobId = "";

  constructor(record: RunRecord) {
    this.#record = record;
  }

  get record(): RunRecord {
    return this.#record;
  }

  /** Empty until they were read of a run of an earlier window, or of one that nobody has looked at for long. */
  get rows(): RowStore {
    return this.#rows;
  }

  /** Of the job that runs; null before it has begun, and after it. */
  get progress(): JobProgress | null {
    return this.#progress;
  }

  /** What the run waits for the user to say; null when it waits for nothing. */
  get question(): Question | null {
    return this.#question;
  }

  setQuestion(question: Question | null): void {
    this.#question = question;
    this.#changed.fire({ kind: "state" });
  }

  get isOver(): boolean {
    return isOver(this.#record.phase);
  }

  /** Why the run waits, in words. */
  setPhase(phase: RunRecord["phase"], problem: Problem | null = null): void {
    this.#update({ phase, problem, endedAt: isOver(phase) ? Date.now() : null });
  }

  /** Runs all inputs, or those alone. Resolves at the end of the job, however it ends. */
  async start(cluster: RunCluster, environment: RunEnvironment, indexes: readonly number[] | null): Promise<void> {
    const { file, fn, source, spool, trial } = this.#record;
    if (indexes !== null) await this.load();
    this.#isLoaded = true;
    const request: JobRequest = {
      type: "run", limit: indexes === null ? (trial?.limit ?? null) : null, file, fn, inputs: source, inputTimeoutMs: environment.inputTimeoutMs, cluster: cluster.target, spool,
      outlivesWindow: environment.outlivesWindow, indexes: indexes === null ? null : [...indexes],
    };
    await this.#follow(request, cluster, environment);
  }

  /** Goes on with the job that an earlier window has left running. Resolves at its end. */
  async resume(cluster: RunCluster, environment: RunEnvironment): Promise<void> {
    const { job, spool } = this.#record;
    if (job === null) return this.setPhase("cancelled", { code: null, message: "the window was closed before the job had begun", cure: "Run it again.", place: null });
    await claim(spool);
    await this.load();
    const request: JobRequest = { type: "attach", jobId: job.jobId, from: this.#lines - job.firstLine, cluster: cluster.target, spool, outlivesWindow: environment.outlivesWindow, indexes: job.indexes };
    await this.#follow(request, cluster, environment);
  }

  /** Reads the rows that the spool has, unless they are there. */
  async load(): Promise<void> {
    if (this.#isLoaded || !existsSync(this.#record.spool)) return;
    this.#isLoaded = true;
    for await (const rows of readRows(this.#record.spool)) this.#add(rows);
  }

  /** Lets go of the rows of a run that is over: its file has them. */
  unload(): void {
    if (!this.isOver) return;
    this.#rows = new RowStore();
    this.#lines = 0;
    this.#isLoaded = false;
  }

  /** How many workers there are for a run that tries some inputs: all would have them. */
  noteWorkers(workers: number): void {
    const { trial } = this.#record;
    if (trial === null || workers <= trial.workers) return;
    this.#noteTrial({ workers });
    this.#changed.fire({ kind: "state" });
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#process?.cancel();
  }

  /** The window goes. */
  dispose(): void {
    this.#process?.leave();
    this.#changed.dispose();
  }

  async #follow(request: JobRequest, cluster: RunCluster, { program }: RunEnvironment): Promise<void> {
    const firstLine = request.type === "attach" ? (this.#record.job?.firstLine ?? 0) : this.#lines;
    const onEvent = (event: RunnerEvent) => this.#hear(event, { clusterId: cluster.id, indexes: request.indexes, firstLine });
    this.#update({ phase: "running", problem: null, endedAt: null, ...(request.type === "attach" ? {} : { workedFrom: null }) });
    this.#isCancelled = false;
    this.#process = new RunnerProcess({ program, cwd: this.#record.folder, request, onEvent });
    const { outcome, problem } = await this.#process.ended;
    const isOthers = request.type === "attach" && outcome === "cancelled" && !this.#isCancelled;
    this.#finish({ outcome, problem: isOthers ? LEFT_TOO_LONG : problem });
  }

  #hear(event: RunnerEvent, job: Omit<NonNullable<RunRecord["job"]>, "jobId">): void {
    if (event.type === "progress" || event.type === "rows") this.#taken();
    switch (event.type) {
      case "started":
        this.#update({ job: { ...job, jobId: event.jobId }, workedFrom: this.#record.workedFrom ?? Date.now() });
        return this.#changed.fire({ kind: "started" });
      case "progress":
        this.#progress = event.progress;
        this.noteWorkers(event.progress.workers);
        // Progress comes late to a short job: it has worked since it began, unless it is said to wait.
        if (event.progress.phase === "waiting" && event.progress.done + event.progress.failed === 0) this.#record = { ...this.#record, workedFrom: Date.now() };
        if (job.indexes === null && event.progress.total !== null) this.#record = { ...this.#record, total: event.progress.total };
        return this.#changed.fire({ kind: "state" });
      case "counted":
        return this.#noteTrial({ of: event.inputs });
      case "rows":
        return this.#add(event.rows);
      case "printed":
        return this.#changed.fire({ kind: "printed", lines: event.lines });
      case "explained":
      case "saved":
      case "ended":
        return;
    }
  }

  #noteTrial(change: Partial<NonNullable<RunRecord["trial"]>>): void {
    const { trial } = this.#record;
    if (trial !== null) this.#record = { ...this.#record, trial: { ...trial, ...change } };
  }

  #taken(): void {
    const jobId = this.#record.job?.jobId ?? "";
    if (this.#knownJobId === jobId) return;
    this.#knownJobId = jobId;
    this.#changed.fire({ kind: "known", jobId });
  }

  #add(rows: readonly Row[]): void {
    this.#lines += rows.length;
    this.#rows.add(rows);
    this.#changed.fire({ kind: "rows", rows });
  }

  #finish({ outcome, problem }: RunnerEnd): void {
    this.#process = undefined;
    this.#progress = null;
    this.#update({ phase: outcome, problem: outcome === "done" || problem?.code === "BURLA_CANCELLED" ? null : problem, endedAt: Date.now(), ...(outcome === "done" ? { total: Math.max(this.#rows.count, this.#record.total ?? 0) } : {}) });
  }

  #update(change: Partial<RunRecord>): void {
    this.#record = { ...this.#record, ...change };
    this.#changed.fire({ kind: "state" });
  }
}

/** Takes the run over from the runner of the window that was here before, if that still lives. */
async function claim(spool: string): Promise<void> {
  const file = claimFile(spool);
  await writeFile(file, "");
  const endMs = performance.now() + CLAIM_TIMEOUT_MS;
  while (existsSync(file) && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, CLAIM_LOOK_MS));
}
