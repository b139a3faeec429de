/** One execution of a cell on the cluster: its maps one after the other, or the cell as one call. The client does the work. */
import type { CellPlan } from "../cells/plan/plan.ts";
import type { MapShape } from "../cells/plan/sites.ts";
import type { TypeScript } from "../typescript.ts";
import { filled, indexesOf, merged, pairs } from "./again.ts";
import { collecting, holding, isAsync, needsOf, readPromised, remoteCallback, tellingPromises, wrappers } from "./callback.ts";
import { readInputs, readTurns, type MapInputs } from "./inputs.ts";
import { JobRunner, type JobRunnerOptions } from "./job.ts";
import { failedAgain, type KeptRun, type KeptRuns } from "./kept.ts";
import { shaped, throwFirst } from "./shapes.ts";
import { CellSteps } from "./steps.ts";
import { travelOf, type Travel } from "./travel.ts";

export interface ArmedCellOptions extends Omit<JobRunnerOptions, "steps"> {
  readonly ts: TypeScript;
  readonly kept: KeptRuns;
}

/** What a rewritten cell says of one of its maps. */
export type MapCall = MapShape & CallSite;

interface CallSite {
  readonly line: number;
  /** Whether it takes up the job that was begun before. */
  readonly attach?: boolean;
}

/** The same of a loop. */
export interface LoopCall extends CallSite {
  readonly name: string;
}

/** A statement of a loop that puts something in its place: which one, with what. */
export type Collected = readonly [kind: number, values: readonly unknown[]];

type AnyFunction = (...args: never[]) => unknown;

/** How the calls of a map become a job. */
interface Mapping {
  readonly fn: AnyFunction;
  readonly needs: "value" | "index";
  /** What is put around the function. */
  readonly wrap: (fn: AnyFunction) => AnyFunction;
  readonly inputs: MapInputs;
  readonly name: string;
  readonly line: number;
  readonly maxParallelism?: number | undefined;
  readonly travel: Travel;
}

export class ArmedCell {
  readonly #options: ArmedCellOptions;
  readonly #plan: CellPlan;
  readonly #steps: CellSteps;
  readonly #runner: JobRunner;
  #jobs = 0;

  constructor(options: ArmedCellOptions, plan: CellPlan) {
    this.#options = options;
    this.#plan = plan;
    this.#steps = new CellSteps(plan);
    this.#runner = new JobRunner({ ...options, steps: this.#steps });
    if (options.run.onlyInputs === null && options.run.attachTo === null) options.kept.forget(options.run.cellId);
  }

  /** What the expression gives. @throws what the expression throws; the rest of the map has run then. */
  async map(site: MapCall, receiver: unknown, fn: unknown, options?: { readonly concurrency?: number }): Promise<unknown> {
    const attached = await this.#attached("map", site);
    // Of the function nothing is known; what stands around it is made for promises.
    if (attached !== undefined) return shaped(attached, { ...site, isAsync: site.around !== "none", collect: (results) => results });
    const whole = wholeOf(receiver, fn, site);
    // Neither can go right: the language says best what is wrong.
    if (receiver === null || receiver === undefined) return site.isOptional ? undefined : whole();
    if (typeof fn !== "function") return whole();
    const inputs = readInputs(receiver, site);
    const needs = needsFor(this.#options.ts, fn as AnyFunction, site);
    const isTest = site.from === "filter" && isAsync(fn as AnyFunction);
    const travel = inputs === undefined || !Array.isArray(inputs.values) ? "data" : travelOf(inputs.values);
    if (inputs === undefined || needs === "array" || isTest || travel === "stays") return this.#steps.isSequence ? whole() : this.#one(whole, nameOf(fn, this.#options.label), site.line);
    const all = isAsync(fn as AnyFunction);
    const wrap = all || (site.around === "all" && site.isAwaited) ? (one: AnyFunction) => one : tellingPromises;
    const run = await this.#mapped({ fn: fn as AnyFunction, needs, wrap, inputs, name: nameOf(fn, this.#options.label), line: site.line, maxParallelism: finite(options?.concurrency), travel });
    return shaped(run, { ...site, isAsync: all, collect: inputs.collect });
  }

  /** What the turns of a loop have collected, in their order. */
  async loop(site: LoopCall, turns: Iterable<unknown> | AsyncIterable<unknown>, turn: AnyFunction): Promise<Iterable<Collected>> {
    const attached = await this.#attached("map", site);
    if (attached !== undefined) return replayed(attached);
    const inputs = await readTurns(turns);
    const travel = travelOf(inputs.values);
    return replayed(travel === "stays" ? await turnedHere(inputs.values, turn) : await this.#mapped({ ...site, fn: turn, needs: "value", wrap: collecting, inputs, travel }));
  }

  /** The cell as one call. @returns its value and its variables. */
  async call(body: () => Promise<CallResult>): Promise<CallResult> {
    const attached = await this.#attached("call", { line: 1, attach: true });
    if (attached === undefined) return (await this.#one(body, this.#options.label, 1)) as CallResult;
    throwFirst(attached);
    return attached.results[0] as CallResult;
  }

  /** The job that was begun before, if it is the one of this map. */
  async #attached(how: "map" | "call", { line, attach }: CallSite): Promise<KeptRun | undefined> {
    const { attachTo, attachStep } = this.#options.run;
    const isIt = attach ?? (!this.#plan.isStraight && this.#jobs === (attachStep ?? 0));
    if (attachTo === null || !isIt) return undefined;
    const job = attachStep ?? 0;
    this.#jobs = job + 1;
    this.#steps.skipTo(job);
    const name = how === "call" ? this.#options.label : attachTo;
    const outcome = await this.#runner.attach(attachTo, { name, how, line, total: how === "call" ? 1 : null, indexes: null });
    const run = { ...outcome, results: filled(outcome.results, outcome.count) };
    this.#options.kept.set(this.#options.run.cellId, job, run);
    return run;
  }

  async #mapped({ fn, needs, wrap, inputs, name, line, maxParallelism, travel }: Mapping): Promise<KeptRun> {
    const { run: { cellId, onlyInputs }, kept: allKept } = this.#options;
    const job = this.#jobs++;
    const kept = this.#keptFor(job, inputs);
    if (kept !== undefined && kept.failures.size === 0) {
      this.#steps.begin(line, () => ({ done: kept.count, failed: 0, elapsedMs: 0 }));
      return kept;
    }
    const again = kept === undefined ? null : failedAgain(kept, onlyInputs ?? [], inputs.present);
    const indexes = indexesOf(inputs, again);
    const values = indexes === null ? inputs.values : pairs(inputs, indexes, again);
    const facts = { name, how: "map" as const, line, total: indexes?.length ?? inputs.count, indexes, maxParallelism };
    const called = remoteCallback(wrap(fn), needs, indexes !== null);
    const held = travel === "captured" ? [...values] : null;
    const outcome = await (held === null ? this.#runner.start(called, values, facts) : this.#runner.start(holding(called, held), held.keys(), facts));
    const run = merged(kept, outcome, again, inputs);
    allKept.set(cellId, job, run);
    return run;
  }

  /** What an earlier run of the cell has left of the job, when only what failed is to run. */
  #keptFor(job: number, inputs: MapInputs): KeptRun | undefined {
    const { run: { cellId, onlyInputs, attachTo }, kept: allKept } = this.#options;
    if (onlyInputs === null && attachTo === null) return undefined;
    if (onlyInputs !== null && !allKept.knows(cellId)) throw new Error("the results of the earlier run are gone, since the session was restarted or the cell was changed: run the cell again");
    const kept = allKept.get(cellId, job);
    // A cell that takes up a job runs what has failed before it as a whole.
    if (kept === undefined || (onlyInputs === null && kept.failures.size > 0)) return undefined;
    if (inputs.count !== null && inputs.count !== kept.count) throw new Error(`the cell had ${kept.count} inputs when some of them failed and has ${inputs.count} now: run the cell again`);
    return kept;
  }

  async #one(body: () => unknown, name: string, line: number): Promise<unknown> {
    this.#jobs++;
    const run = await this.#runner.start(body as AnyFunction, [0], { name, how: "call", line, total: 1, indexes: null });
    throwFirst(run);
    return run.results[0];
  }
}

/** What a cell that is one call gives back. */
export interface CallResult {
  readonly value: unknown;
  readonly names: Readonly<Record<string, unknown>>;
  /** Those of its variables that cannot be sent back, and why. */
  readonly lost: readonly (readonly [name: string, reason: string])[];
  /** Other variables of the session that it has changed. */
  readonly changed: Readonly<Record<string, unknown>>;
}

function* replayed(run: KeptRun): Generator<Collected> {
  for (const [index, collected] of run.results.entries()) {
    // A turn that has failed may have collected something before.
    for (const [kind, values] of (collected ?? []) as readonly Collected[]) yield [kind, values.map(asPromised)];
    if (run.failures.has(index)) throw run.failures.get(index);
  }
}

/** The turns of a loop that goes over what has its place here, one after the other as ever. */
async function turnedHere(turns: readonly unknown[], turn: AnyFunction): Promise<KeptRun> {
  const run: KeptRun = { results: [], failures: new Map(), promised: new Set(), count: turns.length };
  for (const [index, values] of turns.entries()) {
    const out: Collected[] = [];
    run.results.push(out);
    try {
      await (turn as (values: unknown, out: Collected[]) => Promise<void>)(values, out);
    } catch (error) {
      run.failures.set(index, error);
      break;
    }
  }
  return run;
}

function asPromised(one: unknown): unknown {
  const { value, isPromised } = readPromised(one);
  return isPromised ? Promise.resolve(value) : value;
}

function wholeOf(receiver: unknown, fn: unknown, { from, around }: MapShape): () => unknown {
  const suffix = around === "none" ? "" : around === "all" ? "All" : "AllSettled";
  const make = wrappers().whole[from === "pMap" ? "fromAll" : `${from}${suffix}`];
  if (make === undefined) throw new Error(`there is no map of the form ${from}${suffix}`);
  return make(receiver, fn);
}

function needsFor(ts: TypeScript, fn: AnyFunction, site: MapShape): "value" | "index" | "array" {
  // Of p-map, functions get the index in any case, and no array.
  if (site.from === "pMap") return "index";
  const needs = needsOf(ts, fn);
  if (needs !== "array") return needs;
  return isOneArgument(fn, site) ? "index" : "array";
}

/** `Array.from` gives its function no array. */
function isOneArgument(fn: object, { from }: MapShape): boolean {
  return from === "from" && (fn as AnyFunction).length <= 2 && !/\.\.\.|\barguments\b|\[native code\]/.test(Function.prototype.toString.call(fn));
}

function finite(concurrency: number | undefined): number | undefined {
  return concurrency !== undefined && Number.isSafeInteger(concurrency) && concurrency > 0 ? concurrency : undefined;
}

function nameOf(fn: object, label: string): string {
  const { name } = fn as { name?: unknown };
  return typeof name === "string" && name !== "" ? name : label;
}
