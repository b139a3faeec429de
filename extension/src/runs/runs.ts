/** The runs of this window: it owns their list, and remembers them for the next one. */
import { readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as v from "valibot";
import * as vscode from "vscode";
import { isOver, MAX_LOADED, outdated, runRecordSchema, type RunRecord } from "./record.ts";
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

  /** The oldest ones go when there are too many, their files take too much room, or they are too old. */
  async #prune(): Promise<void> {
    const kept = await Promise.all(this.#runs.map(async (run) => ({ run, bytes: await bytesIn(dirname(run.record.spool)) })));
    const now = kept.map(({ run, bytes }) => ({ run, bytes, record: run.record, isCurrent: run === this.#current }));
    for (const { run } of outdated(now, Date.now())) this.#forget(run);
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

/** Of the files of a run: its results, and what was made of them. */
async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name)).catch(() => null))?.size ?? 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Runs that an earlier window has left under way. */
export function unfinished(runs: Runs): Run[] {
  return runs.all.filter(({ record }) => !isOver(record.phase));
}
