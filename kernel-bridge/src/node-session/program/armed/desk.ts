/** Where rewritten cells ask for the cluster: knows which execution is armed, and has the client at hand. */
import { pathToFileURL } from "node:url";
import type * as Burla from "burla";
import type { ArmedRun } from "../../../kernel.ts";
import type { CellMaps } from "../cells/cell-maps.ts";
import type { CellPlan } from "../cells/plan/plan.ts";
import type { CurrentExecution } from "../current.ts";
import type { Reporter } from "../reporter.ts";
import type { CellMode } from "../run-cell.ts";
import { loadTypeScript } from "../typescript.ts";
import { ArmedCell, type CallResult, type Collected, type LoopCall, type MapCall } from "./armed-cell.ts";
import { KeptRuns } from "./kept.ts";

export interface DeskOptions {
  /** The client: the file that `import "burla"` gives. */
  readonly burla: string;
  readonly reporter: Reporter;
  readonly maps: CellMaps;
}

export class ArmedDesk {
  readonly #options: DeskOptions;
  readonly #kept = new KeptRuns();
  #cell: ArmedCell | undefined;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** What is there of the last map of a cell, whatever became of the cell. */
  get last(): Pick<KeptRuns, "settled"> {
    return { settled: () => this.#kept.settled() };
  }

  /** Loads the client. @throws what its import throws. */
  prepare(): Promise<typeof Burla> {
    return import(pathToFileURL(this.#options.burla).href) as Promise<typeof Burla>;
  }

  /** The execution that begins. @returns how its cell is to be rewritten. @throws Interrupted */
  async begin(run: ArmedRun | null, label: string, execution: CurrentExecution): Promise<CellMode> {
    this.#cell = undefined;
    if (run === null) return { where: "here" };
    const { reporter, maps } = this.#options;
    const [burla, ts] = await Promise.all([this.prepare(), loadTypeScript()]);
    // Another one may have begun meanwhile.
    execution.signal.throwIfAborted();
    const options = { run, execution, label, burla, ts, reporter, maps, kept: this.#kept };
    const planned = (plan: CellPlan): void => {
      execution.signal.throwIfAborted();
      this.#cell = new ArmedCell(options, plan);
    };
    return { where: "cluster", attachStep: run.attachTo === null ? null : (run.attachStep ?? 0), planned };
  }

  /** The cell has come to its end, and has not failed. */
  finish(run: ArmedRun | null): void {
    if (run !== null) this.#kept.forget(run.cellId);
  }

  /** Called by a cell, in the place of a map. */
  map(site: MapCall, receiver: unknown, fn: unknown, options?: { readonly concurrency?: number }): Promise<unknown> {
    return this.#current().map(site, receiver, fn, options);
  }

  /** Called by a cell, in the head of what stands for a loop that collects. */
  loop(loop: LoopCall, turns: Iterable<unknown> | AsyncIterable<unknown>, turn: (...args: never[]) => unknown): Promise<Iterable<Collected>> {
    return this.#current().loop(loop, turns, turn);
  }

  /** Called by a cell that is one call, with all of it. */
  call(body: () => Promise<CallResult>): Promise<CallResult> {
    return this.#current().call(body);
  }

  #current(): ArmedCell {
    if (this.#cell === undefined) throw new Error("the cell that asks for the cluster was interrupted");
    return this.#cell;
  }
}
