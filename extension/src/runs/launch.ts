/** Starts runs: finds a cluster, then the program, then follows the job to its end. */
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as vscode from "vscode";
import type { Question } from "../clusters/questions.ts";
import type { RunnableFunction } from "../functions/meant.ts";
import { saveSources } from "../functions/save-sources.ts";
import { sourceLabel } from "../inputs/sources.ts";
import { Declined, report, troubleOf } from "../failure.ts";
import type { InputSource, Request, RunnerEvent } from "../runner/messages.ts";
import { inputTimeoutMs, localOptions, runsOutliveWindow } from "../settings.ts";
import type { Shell } from "../shell.ts";
import { requireTrust } from "../trust.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { VIEWS } from "../contributions.ts";
import { isPythonFile, type PythonPrograms } from "./python-programs.ts";
import type { Run, RunCluster, RunEnvironment } from "./run.ts";
import { RunnerProcess } from "./runner-process.ts";
import { unfinished, type Runs } from "./runs.ts";

export interface LauncherParts {
  readonly context: vscode.ExtensionContext;
  readonly shell: Pick<Shell, "output" | "hub" | "known" | "logs" | "ensureCluster">;
  readonly runs: Runs;
  readonly python: PythonPrograms;
}

export interface RunOptions {
  /** Cancels the run. */
  readonly signal?: AbortSignal;
  /** The first of the inputs could be read. */
  readonly onTaken?: () => unknown;
  /** Tries the first so many inputs alone. */
  readonly limit?: number;
}

export class Launcher {
  readonly #parts: LauncherParts;
  /** Ends the wait for a cluster. */
  readonly #waits = new WeakMap<Run, AbortController>();

  constructor(parts: LauncherParts) {
    this.#parts = parts;
  }

  /** Shows the run, and follows it to its end. Resolves then. */
  async run(fn: RunnableFunction, source: InputSource, { signal, onTaken, limit }: RunOptions = {}): Promise<Run> {
    requireTrust("Running a function");
    const folder = folderOf(fn.uri);
    const id = randomUUID();
    const directory = join((this.#parts.context.storageUri ?? this.#parts.context.globalStorageUri).fsPath, "runs", id);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const run = this.#parts.runs.add({
      id, folder, fn: fn.ref, label: fn.label, source,
      file: fn.uri.fsPath,
      sourceLabel: sourceLabel(source, folder),
      spool: join(directory, "results.ndjson"),
      phase: "preparing",
      startedAt: Date.now(),
      workedFrom: null, endedAt: null, total: null, problem: null, job: null,
      trial: limit === undefined ? null : { limit, of: null, workers: 0 },
    });
    if (onTaken !== undefined) onceTaken(run, onTaken);
    signal?.addEventListener("abort", () => this.cancel(run), { once: true });
    await this.#start(run, null);
    return run;
  }

  /** Runs the inputs that failed once more, with the function as it is now. */
  async rerunFailed(run: Run): Promise<void> {
    if (run.isOver) await run.load();
    const indexes = run.rows.failedIndexes();
    if (indexes.length === 0) throw new Error("no input of this run has failed");
    if (!run.isOver) throw new Error("the run is still under way");
    await this.#start(run, indexes);
  }

  /** All of it anew, as a run of its own; all inputs of one that has tried some. */
  async runAgain({ record }: Run): Promise<void> {
    await this.run({ uri: vscode.Uri.file(record.file), ref: record.fn, label: record.label }, record.source);
  }

  cancel(run: Run): void {
    this.#waits.get(run)?.abort();
    run.cancel();
  }

  /** Goes on with what an earlier window has left under way. */
  resumeAll(): void {
    for (const run of unfinished(this.#parts.runs)) void this.#resume(run).catch((error: unknown) => this.#fail(run, error));
  }

  /** Asks the runner something that needs no cluster. @returns the event that answers. @throws Error with message and cure. */
  async ask<Type extends RunnerEvent["type"]>(request: Request, cwd: string, type: Type): Promise<Extract<RunnerEvent, { type: Type }>> {
    const { program } = await this.#environment(request.type === "explain" ? request.file : null);
    let answer: RunnerEvent | undefined;
    const runner = new RunnerProcess({ program, cwd, request, onEvent: (event) => (answer = event.type === type ? event : answer) });
    const { problem } = await runner.ended;
    if (answer === undefined) throw new Error(problem === null ? "the program that runs jobs said nothing" : `${problem.message} ${problem.cure}`.trim());
    return answer as Extract<RunnerEvent, { type: Type }>;
  }

  async #start(run: Run, indexes: readonly number[] | null): Promise<void> {
    requireTrust("Running a function");
    void vscode.commands.executeCommand(`${VIEWS.results}.focus`);
    run.setPhase("preparing");
    try {
      await saveSources(run.record.folder);
      const cluster = await this.#cluster(run);
      await this.#followed(run, cluster, run.start(cluster, await this.#environment(run.record.file), indexes));
      // A call on each processor, whatever few inputs were given.
      run.noteWorkers(this.#parts.shell.hub.state(cluster.id).status?.cpu ?? 0);
    } catch (error) {
      this.#fail(run, error);
    }
  }

  async #resume(run: Run): Promise<void> {
    const clusterId = run.record.job?.clusterId;
    const cluster: RunCluster = { id: clusterId ?? "", target: clusterId === undefined ? "local" : await this.#parts.shell.known.target(clusterId) };
    const { job, label } = run.record;
    if (job !== null) this.#parts.shell.logs.follow({ job: { jobId: job.jobId, name: label }, target: cluster.target });
    await run.resume(cluster, await this.#environment(run.record.file));
  }

  async #cluster(run: Run): Promise<RunCluster> {
    const abort = new AbortController();
    this.#waits.set(run, abort);
    try {
      const asking = { signal: abort.signal, onQuestion: (question: Question | null) => run.setQuestion(question) };
      // A start that is under way is not this run's alone, and goes on.
      const { ref, target } = await unlessAborted(this.#parts.shell.ensureCluster(asking), abort.signal);
      return { id: ref.id, target };
    } finally {
      this.#waits.delete(run);
    }
  }

  /** What the calls print goes to a channel of the job's own, what its inputs print to ours. */
  async #followed(run: Run, { target }: RunCluster, end: Promise<void>): Promise<void> {
    const { output, logs } = this.#parts.shell;
    const listener = run.onDidChange((change) => {
      if (change.kind === "known") logs.follow({ job: { jobId: change.jobId, name: run.record.label }, target });
      if (change.kind === "printed") for (const line of change.lines) output.info(`inputs of ${run.record.label}: ${line}`);
    });
    await end;
    listener.dispose();
  }

  #fail(run: Run, error: unknown): void {
    if (error instanceof Declined || (error instanceof Error && error.name === "AbortError")) return run.setPhase("cancelled");
    run.setPhase("failed", { ...troubleOf(error), place: null });
    report(this.#parts.shell.output, `Running ${run.record.label}`, error);
  }

  /** @param file of the function: its language says which program runs it. */
  async #environment(file: string | null): Promise<RunEnvironment> {
    return {
      program: file !== null && isPythonFile(file) ? await this.#parts.python.programFor(file) : { kind: "node", program: this.#parts.context.asAbsolutePath("extension/dist/runner.mjs"), nodePath: (await localOptions()).nodePath },
      inputTimeoutMs: inputTimeoutMs(),
      outlivesWindow: runsOutliveWindow(),
    };
  }
}

function onceTaken(run: Run, act: () => unknown): void {
  const listener = run.onDidChange(() => {
    if (run.rows.count === 0 && (run.progress?.pushed ?? 0) === 0) return;
    listener.dispose();
    act();
  });
}

/** Paths of inputs count from here, and it is the working directory of the calls. */
export function folderOf(uri: vscode.Uri): string {
  return vscode.workspace.getWorkspaceFolder(uri)?.uri.fsPath ?? join(uri.fsPath, "..");
}
