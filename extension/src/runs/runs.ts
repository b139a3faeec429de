/** The runs of this window: it owns their list, and remembers them for the next one. */
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import * as v from "valibot";
import * as vscode from "vscode";
import { isOver, MAX_RECORDS, runRecordSchema, type RunRecord } from "./record.ts";
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
    this.#selected.fire();
  }

  /** Adds a run and shows it. The oldest ones that are over are forgotten, with their files. */
  add(record: RunRecord): Run {
    const run = this.#listen(new Run(record));
    this.#runs.unshift(run);
    for (const old of this.#runs.slice(MAX_RECORDS)) if (old.isOver) this.#forget(old);
    this.select(run);
    void this.#save();
    return run;
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

  #forget(run: Run): void {
    this.#runs = this.#runs.filter((other) => other !== run);
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
