/** One job of a cell: the client runs it, and what becomes of it is shown as it goes on. */
import { randomUUID } from "node:crypto";
import type * as Burla from "burla";
import type { ArmedRun } from "../../../kernel.ts";
import type { CellMaps } from "../cells/cell-maps.ts";
import type { CurrentExecution } from "../current.ts";
import type { Reporter } from "../reporter.ts";
import { readPromised, readRejected, withoutWrappers } from "./callback.ts";
import type { KeptRun } from "./kept.ts";
import type { CellSteps } from "./steps.ts";
import { JobTracker } from "./tracker.ts";

export interface JobRunnerOptions {
  readonly run: ArmedRun;
  readonly execution: CurrentExecution;
  readonly label: string;
  readonly burla: typeof Burla;
  readonly reporter: Reporter;
  readonly maps: CellMaps;
  readonly steps: CellSteps;
}

/** What is known of a job before it runs. */
export interface JobFacts {
  readonly name: string;
  readonly how: "map" | "call";
  /** Line of the cell. */
  readonly line: number;
  readonly total: number | null;
  /** The index in the map of each input of the job; null where they are the same. */
  readonly indexes: readonly number[] | null;
  readonly maxParallelism?: number | undefined;
}

type AnyFunction = (...args: never[]) => unknown;
type Stream = Burla.RemoteResults<unknown>;
type Listeners = Required<Pick<Burla.MapOptions, "onLog" | "progress" | "cluster">>;
type TrackedStream = (listeners: Listeners) => Stream;

export class JobRunner {
  readonly #options: JobRunnerOptions;
  /** All jobs of a cell are shown in one place, one after the other. */
  readonly #displayId = randomUUID();
  #isShown = false;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
  }

  start(fn: AnyFunction, inputs: Iterable<unknown>, facts: JobFacts): Promise<KeptRun> {
    const { burla } = this.#options;
    const { name, maxParallelism } = facts;
    const limit = maxParallelism === undefined ? {} : { maxParallelism };
    // Detached for the cluster: a window that is reloaded must find the job running.
    return this.#settle((listeners) => burla.remoteParallelMap(fn as (input: unknown) => unknown, inputs, { ...listeners, ...limit, name, onError: "continue", detach: true }), facts);
  }

  attach(jobId: string, facts: JobFacts): Promise<KeptRun> {
    return this.#settle((listeners) => this.#options.burla.attach(jobId, { ...listeners, onError: "continue" }), facts, jobId);
  }

  /** Reads all of a job, and shows how it is. An interrupted cell does not end before it is shown how that went. */
  #settle(start: TrackedStream, facts: JobFacts, jobId?: string): Promise<KeptRun> {
    const settled = this.#follow(start, facts, jobId);
    this.#options.execution.holdFor(settled);
    return settled;
  }

  async #follow(start: TrackedStream, { name, how, line, total, indexes }: JobFacts, jobId?: string): Promise<KeptRun> {
    const { run, execution, label, reporter, maps, steps } = this.#options;
    const indexOf = (index: number): number => indexes?.[index] ?? index;
    const place = { displayId: this.#displayId, isShown: this.#isShown };
    this.#isShown = true;
    const tracker = new JobTracker({ head: { name, cluster: run.clusterName, how, total, ...(jobId !== undefined && { jobId }) }, reporter, maps, label, indexOf, steps, line, ...place });
    // By force, what follows may never come to its end.
    execution.onInterrupted(() => tracker.end("cancelled"));
    const outcome: KeptRun = { results: [], failures: new Map(), promised: new Set(), count: 0 };
    let count = 0;
    try {
      const stream = start({ onLog: (text) => tracker.line(text), progress: (progress) => tracker.progress(progress), cluster: clusterOf(run) });
      this.#cancelWith(stream, execution.signal);
      for await (const entry of stream.settled()) {
        count++;
        note(entry, outcome);
        if (entry.status === "fulfilled") tracker.result(indexOf(entry.index), outcome.results[entry.index]);
        else tracker.failure(indexOf(entry.index), outcome.failures.get(entry.index));
      }
    } catch (error) {
      tracker.end(execution.signal.aborted ? "cancelled" : "failed", execution.signal.aborted ? "" : firstLine(error));
      throw error;
    }
    tracker.end(outcome.failures.size === 0 ? "done" : "failed");
    return { ...outcome, count };
  }

  #cancelWith(stream: Stream, signal: AbortSignal): void {
    const cancel = () => this.#options.execution.holdFor(stream.cancel());
    if (signal.aborted) cancel();
    else signal.addEventListener("abort", cancel, { once: true });
  }
}

/** What one call has given, without what our own functions around it have added. */
function note(entry: Burla.Settled<unknown>, { results, failures, promised }: KeptRun): void {
  if (entry.status === "fulfilled") {
    const { value, isPromised } = readPromised(entry.value);
    results[entry.index] = value;
    if (isPromised) promised.add(entry.index);
    return;
  }
  const { reason, isPromised, collected } = readRejected(entry.reason);
  results[entry.index] = collected;
  failures.set(entry.index, withoutWrappers(reason));
  if (isPromised) promised.add(entry.index);
}

function clusterOf({ cluster }: ArmedRun): string | Burla.ClusterAddress {
  if (cluster === null) return "local";
  const { url, token, certificate } = cluster;
  return { url, token, ...(certificate !== null && { certificate }) };
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n", 1)[0] ?? "";
}
