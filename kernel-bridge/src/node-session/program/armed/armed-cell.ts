/** One execution of a cell on the cluster: its last statement's map, or the cell as one call. The client does the work. */
import type * as Burla from "burla";
import type { ArmedRun } from "../../../kernel.ts";
import type { CellMaps } from "../cells/cell-maps.ts";
import type { MapShape } from "../cells/last-statement.ts";
import type { CurrentExecution } from "../current.ts";
import type { Reporter } from "../reporter.ts";
import type { TypeScript } from "../typescript.ts";
import { isAsync, needsOf, remoteCallback, wrappers } from "./callback.ts";
import { readInputs, type MapInputs } from "./inputs.ts";
import { failedAgain, type KeptRun, type KeptRuns } from "./kept.ts";
import { JobTracker } from "./tracker.ts";

export interface ArmedCellOptions {
  readonly run: ArmedRun;
  readonly execution: CurrentExecution;
  readonly label: string;
  readonly burla: typeof Burla;
  readonly ts: TypeScript;
  readonly reporter: Reporter;
  readonly maps: CellMaps;
  readonly kept: KeptRuns;
}

type AnyFunction = (...args: never[]) => unknown;
type Stream = Burla.RemoteResults<unknown>;

export class ArmedCell {
  readonly #options: ArmedCellOptions;

  constructor(options: ArmedCellOptions) {
    this.#options = options;
  }

  /** What the expression gives. @throws what the function throws; the rest of the map has run then. */
  async map(receiver: unknown, fn: unknown, shape: MapShape): Promise<unknown> {
    const { attachTo } = this.#options.run;
    if (attachTo !== null) return this.#attached(attachTo, shape);
    const whole = wholeOf(receiver, fn, shape);
    // Neither can go right: the language says best what is wrong.
    if (receiver === null || receiver === undefined) return shape.isOptional ? undefined : whole();
    if (typeof fn !== "function") return whole();
    const inputs = readInputs(receiver, shape);
    const needs = needsOf(this.#options.ts, fn as AnyFunction);
    if (inputs === undefined || (needs === "array" && !isOneArgument(fn, shape))) return this.#one(whole, nameOf(fn, this.#options.label));
    const results = await this.#mapped(inputs, fn as AnyFunction, needs === "value" ? "value" : "index", shape);
    return shape.around === "none" && isAsync(fn as AnyFunction) ? inputs.collect(results.map((result) => Promise.resolve(result))) : inputs.collect(results);
  }

  /** The cell as one call. @returns its value and its variables. */
  async call(body: () => Promise<CallResult>): Promise<CallResult> {
    const { attachTo } = this.#options.run;
    if (attachTo === null) return (await this.#one(body, this.#options.label)) as CallResult;
    const [result] = await this.#read(this.#attach(attachTo), { name: this.#options.label, how: "call", total: 1, indexes: null });
    return result as CallResult;
  }

  async #mapped(inputs: MapInputs, fn: AnyFunction, needs: "value" | "index", shape: MapShape): Promise<unknown[]> {
    const { cellId } = this.#options.run;
    const kept = this.#options.run.onlyInputs === null ? undefined : this.#keptFor(inputs);
    const onlyInputs = kept === undefined ? null : failedAgain(kept, this.#options.run.onlyInputs ?? [], inputs.present);
    const indexes = indexesOf(inputs, onlyInputs);
    const values = indexes === null ? inputs.values : pairs(inputs, indexes, onlyInputs);
    const stream = this.#start(remoteCallback(fn, needs, indexes !== null), values, nameOf(fn, this.#options.label));
    const outcome = await this.#settle(stream, { name: nameOf(fn, this.#options.label), how: "map", total: indexes?.length ?? inputs.count, indexes });
    const run = merged(kept, outcome, onlyInputs, inputs);
    if (shape.around === "allSettled") return settledResults(run);
    this.#options.kept.set(cellId, run);
    throwFirst(run);
    return run.results;
  }

  #keptFor(inputs: MapInputs): KeptRun {
    const kept = this.#options.kept.get(this.#options.run.cellId);
    if (kept === undefined) throw new Error("the results of the earlier run are gone, since the session was restarted or the cell was changed: run the cell again");
    if (inputs.count !== null && inputs.count !== kept.count) throw new Error(`the cell had ${kept.count} inputs when some of them failed and has ${inputs.count} now: run the cell again`);
    return kept;
  }

  async #attached(jobId: string, shape: MapShape): Promise<unknown> {
    const outcome = await this.#settle(this.#attach(jobId), { name: jobId, how: "map", total: null, indexes: null });
    const run = { ...outcome, results: filled(outcome.results, outcome.count) };
    if (shape.around === "allSettled") return settledResults(run);
    this.#options.kept.set(this.#options.run.cellId, run);
    throwFirst(run);
    return run.results;
  }

  async #one(body: () => unknown, name: string): Promise<unknown> {
    const [result] = await this.#read(this.#start(body as AnyFunction, [0], name), { name, how: "call", total: 1, indexes: null });
    return result;
  }

  async #read(stream: TrackedStream, job: JobFacts): Promise<unknown[]> {
    const run = await this.#settle(stream, job);
    throwFirst(run);
    return run.results;
  }

  #start(fn: AnyFunction, inputs: Iterable<unknown>, name: string): TrackedStream {
    const { burla } = this.#options;
    // Detached for the cluster: a window that is reloaded must find the job running.
    return (listeners) => burla.remoteParallelMap(fn as (input: unknown) => unknown, inputs, { ...listeners, name, onError: "continue", detach: true });
  }

  #attach(jobId: string): TrackedStream {
    return (listeners) => this.#options.burla.attach(jobId, { ...listeners, onError: "continue" });
  }

  /** Reads all of a job, and shows how it is. An interrupted cell does not end before it is shown how that went. */
  #settle(start: TrackedStream, facts: JobFacts): Promise<KeptRun> {
    const settled = this.#follow(start, facts);
    this.#options.execution.holdFor(settled);
    return settled;
  }

  async #follow(start: TrackedStream, { name, how, total, indexes }: JobFacts): Promise<KeptRun> {
    const { run, execution, label, reporter, maps } = this.#options;
    const indexOf = (index: number): number => indexes?.[index] ?? index;
    const tracker = new JobTracker({ head: { name, cluster: run.clusterName, how, total }, reporter, maps, label, indexOf });
    // By force, what follows may never come to its end.
    execution.onInterrupted(() => tracker.end("cancelled"));
    const outcome: KeptRun = { results: [], failures: new Map(), count: 0 };
    let count = 0;
    try {
      const stream = start({ onLog: (line) => tracker.line(line), progress: (progress) => tracker.progress(progress), cluster: clusterOf(run) });
      this.#cancelWith(stream, execution.signal);
      for await (const entry of stream.settled()) {
        count++;
        const index = indexOf(entry.index);
        if (entry.status === "fulfilled") {
          outcome.results[entry.index] = entry.value;
          tracker.result(index, entry.value);
        } else {
          const reason = withoutWrappers(entry.reason);
          outcome.failures.set(entry.index, reason);
          tracker.failure(index, reason);
        }
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

/** What a cell that is one call gives back. */
export interface CallResult {
  readonly value: unknown;
  readonly names: Readonly<Record<string, unknown>>;
  /** Other variables of the session that it has changed. */
  readonly changed: Readonly<Record<string, unknown>>;
}

type Listeners = Required<Pick<Burla.MapOptions, "onLog" | "progress" | "cluster">>;
type TrackedStream = (listeners: Listeners) => Stream;

interface JobFacts {
  readonly name: string;
  readonly how: "map" | "call";
  readonly total: number | null;
  /** The index in the map of each input of the job; null where they are the same. */
  readonly indexes: readonly number[] | null;
}

function clusterOf({ cluster }: ArmedRun): string | Burla.ClusterAddress {
  if (cluster === null) return "local";
  const { url, token, certificate } = cluster;
  return { url, token, ...(certificate !== null && { certificate }) };
}

function wholeOf(receiver: unknown, fn: unknown, { from, around }: MapShape): () => unknown {
  const suffix = around === "none" ? "" : around === "all" ? "All" : "AllSettled";
  return wrappers()[`${from}${suffix}`](receiver, fn);
}

/** `Array.from` gives its function no array. */
function isOneArgument(fn: object, { from }: MapShape): boolean {
  return from === "from" && (fn as AnyFunction).length <= 2 && !/\.\.\.|\barguments\b|\[native code\]/.test(Function.prototype.toString.call(fn));
}

function nameOf(fn: object, label: string): string {
  const { name } = fn as { name?: unknown };
  return typeof name === "string" && name !== "" ? name : label;
}

function indexesOf({ present }: MapInputs, onlyInputs: readonly number[] | null): readonly number[] | null {
  if (onlyInputs === null) return present;
  return present === null ? onlyInputs : onlyInputs.map((index) => present[index] ?? index);
}

/** Values with their index in the array. `only` counts the values that are there. */
function* pairs({ values }: MapInputs, indexes: readonly number[], only: readonly number[] | null): Generator<[unknown, number]> {
  const wanted = only === null ? null : new Map(only.map((position, at) => [position, at]));
  const found: [unknown, number][] = [];
  let position = 0;
  for (const value of values) {
    const at = wanted === null ? position : wanted.get(position);
    position++;
    if (at === undefined) continue;
    if (wanted === null) yield [value, indexes[at] as number];
    else found[at] = [value, indexes[at] as number];
  }
  yield* found;
}

function merged(kept: KeptRun | undefined, outcome: KeptRun, onlyInputs: readonly number[] | null, inputs: MapInputs): KeptRun {
  if (kept === undefined || onlyInputs === null) return { ...outcome, results: filled(outcome.results, inputs.count ?? outcome.count) };
  const results = [...kept.results];
  const failures = new Map(kept.failures);
  onlyInputs.forEach((index, at) => {
    failures.delete(index);
    if (outcome.failures.has(at)) failures.set(index, outcome.failures.get(at));
    else results[index] = outcome.results[at];
  });
  return { results, failures, count: kept.count };
}

/** Without gaps, of that length. */
function filled(results: unknown[], count: number): unknown[] {
  return results.length === count && !results.includes(undefined) ? results : Array.from({ length: count }, (_, index) => results[index]);
}

function settledResults({ results, failures }: KeptRun): unknown[] {
  return results.map((value, index) => (failures.has(index) ? { status: "rejected", reason: failures.get(index) } : { status: "fulfilled", value }));
}

function throwFirst({ failures }: KeptRun): void {
  if (failures.size === 0) return;
  let first = Infinity;
  for (const index of failures.keys()) first = Math.min(first, index);
  throw failures.get(first);
}

/** The user has not written the functions that we put around theirs. */
function withoutWrappers(reason: unknown): unknown {
  if (reason instanceof Error && typeof reason.stack === "string") {
    const stack = reason.stack.replaceAll(/\n\s+at [^\n]*burla:map:[^\n]*/g, "");
    if (stack !== reason.stack) Object.defineProperty(reason, "stack", { value: stack, configurable: true, writable: true, enumerable: false });
  }
  return reason;
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n", 1)[0] ?? "";
}
