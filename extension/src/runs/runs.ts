/** The runs of this window: it owns their list, and remembers them for the next one. */
import { rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import * as v from "valibot";
import * as vscode from "vscode";
import { isOver, MAX_LOADED, MAX_RECORDS, MAX_SPOOLS_BYTES, runRecordSchema, type RunRecord } from "./record.ts";
import { Run, type RunChange } from "./run.ts";

const KEY = "burla.runs";
const recordsSchema = v.array(runRecordSchema);

export interface RunsChange {
  readonly run: Run;
  readonly change: RunChange;
}

export class Runs implements vscode.Disposable {
  readonly #state: vscode.Memento;
  /** The newest first. */
  #runs: Run[];
  #current: Run | undefined;
  /** Runs that were shown, the last one first. */
  #looked: readonly Run[] = [];
  readonly #changed = new vscode.EventEmitter<RunsChange>();
  /** Something of a run has changed. */
  readonly onDidChange = this.#changed.event;
  readonly #selected = new vscode.EventEmitter<void>();
  /** Another run is the current one, or the list has changed. */
  readonly onDidSelect = this.#selected.event;

  constructor(state: vscode.Memento) {
    this.#state = state;
    const parsed = v.safeParse(recordsSchema, state.get(KEY) ?? []);
    this.#runs = (parsed.success ? parsed.output : []).map((record) => this.#listen(new Run(record)));
    this.#current = this.#runs[0];
  }

  get all(): readonly Run[] {
    return this.#runs;
  }

  /** The one that the results view shows. */
  get current(): Run | undefined {
    return this.#current;
  }

  find(id: string): Run | undefined {
    return this.#runs.find(({ record }) => record.id === id);
  }

  select(run: Run): void {
    this.#current = run;
    this.#looked = [run, ...this.#looked.filter((other) => other !== run)];
    for (const old of this.#looked.slice(MAX_LOADED)) old.unload();
    this.#looked = this.#looked.slice(0, MAX_LOADED);
    this.#selected.fire();
  }

  /** Adds a run and shows it. The oldest ones that are over are forgotten, with their files. */
  add(record: RunRecord): Run {
    const run = this.#listen(new Run(record));
    this.#runs.unshift(run);
    this.select(run);
    void this.#prune().then(() => this.#save());
    return run;
  }

  /** Forgets runs that are over, with their files. */
  clear(runs: readonly Run[]): void {
    for (const run of runs) if (run.isOver) this.#forget(run);
    if (this.#current !== undefined && !this.#runs.includes(this.#current)) this.#current = this.#runs[0];
    this.#selected.fire();
    void this.#save();
  }

  dispose(): void {
    for (const run of this.#runs) run.dispose();
    this.#changed.dispose();
    this.#selected.dispose();
  }

  #listen(run: Run): Run {
    let saved = "";
    run.onDidChange((change) => {
      this.#changed.fire({ run, change });
      const { phase, job } = run.record;
      const worthSaving = `${phase} ${job?.jobId ?? ""}`;
      if (worthSaving === saved) return;
      saved = worthSaving;
      void this.#save();
    });
    return run;
  }

  /** The oldest ones go when there are too many, or their files take too much room. */
  async #prune(): Promise<void> {
    let bytes = 0;
    for (const [place, run] of [...this.#runs].entries()) {
      bytes += (await stat(run.record.spool).catch(() => null))?.size ?? 0;
      if ((place >= MAX_RECORDS || bytes > MAX_SPOOLS_BYTES) && run.isOver && run !== this.#current) this.#forget(run);
    }
  }

  #forget(run: Run): void {
    this.#runs = this.#runs.filter((other) => other !== run);
    this.#looked = this.#looked.filter((other) => other !== run);
    run.dispose();
    void rm(dirname(run.record.spool), { recursive: true, force: true });
  }

  async #save(): Promise<void> {
    await this.#state.update(KEY, this.#runs.map(({ record }) => record));
  }
}

/** Runs that an earlier window has left under way. */
export function unfinished(runs: Runs): Run[] {
  return runs.all.filter(({ record }) => !isOver(record.phase));
}
