/** Where rewritten cells ask for the cluster: knows which execution is armed, and has the client at hand. */
import { pathToFileURL } from "node:url";
import type * as Burla from "burla";
import type { ArmedRun } from "../../../kernel.ts";
import type { CellMaps } from "../cells/cell-maps.ts";
import type { MapShape } from "../cells/last-statement.ts";
import type { CurrentExecution } from "../current.ts";
import type { Reporter } from "../reporter.ts";
import type { CellMode } from "../run-cell.ts";
import { loadTypeScript } from "../typescript.ts";
import { ArmedCell, type CallResult } from "./armed-cell.ts";
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

  /** Loads the client. @throws what its import throws. */
  prepare(): Promise<typeof Burla> {
    return import(pathToFileURL(this.#options.burla).href) as Promise<typeof Burla>;
  }

  /** The execution that begins. @returns how its cell is to be rewritten. @throws Interrupted */
  async begin(run: ArmedRun | null, label: string, execution: CurrentExecution): Promise<CellMode> {
    this.#cell = undefined;
    if (run === null) return "here";
    const { reporter, maps } = this.#options;
    const [burla, ts] = await Promise.all([this.prepare(), loadTypeScript()]);
    // Another one may have begun meanwhile.
    execution.signal.throwIfAborted();
    this.#cell = new ArmedCell({ run, execution, label, burla, ts, reporter, maps, kept: this.#kept });
    return run.attachTo === null ? "armed" : "attached";
  }

  /** Called by a cell, in the place of its last statement's map. */
  map(receiver: unknown, fn: unknown, shape: MapShape): Promise<unknown> {
    return this.#current().map(receiver, fn, shape);
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
