/** Owns what the last run says of lines of the user's files, until the file is edited or the function is run again. */
import * as vscode from "vscode";
import type { Place, Row } from "../runner/messages.ts";
import type { Run } from "./run.ts";
import type { Runs } from "./runs.ts";

/** More than this nobody mends one by one. */
const MAX_FINDINGS = 100;
const UPDATE_MS = 200;

export interface Finding {
  readonly place: Place;
  readonly message: string;
  /** What was given to the first call that has thrown there; null for a file that could not be compiled. */
  readonly input: { readonly index: number; readonly text: string } | null;
  /** Calls that have thrown there. */
  readonly count: number;
}

export class Findings implements vscode.Disposable {
  readonly #findings = new Map<string, Finding>();
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;
  readonly #listeners: vscode.Disposable;
  #run: Run | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(runs: Runs) {
    this.#listeners = vscode.Disposable.from(
      this.#changed,
      runs.onDidChange(({ run, change }) => {
        if (change.kind === "started" || (change.kind === "state" && run.record.phase === "preparing")) this.#begin(run);
        if (run !== this.#run) return;
        if (change.kind === "rows") this.#add(change.rows);
        if (change.kind === "state") this.#addProblem(run);
      }),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => (contentChanges.length > 0 ? this.#forget(document.uri) : undefined)),
    );
  }

  get all(): readonly Finding[] {
    return [...this.#findings.values()];
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#listeners.dispose();
  }

  #begin(run: Run): void {
    this.#run = run;
    if (this.#findings.size === 0) return;
    this.#findings.clear();
    this.#tell();
  }

  #add(rows: readonly Row[]): void {
    for (const { isFailed, place, text, index, input } of rows) {
      if (!isFailed || place === null) continue;
      const key = keyOf(place);
      const known = this.#findings.get(key);
      if (known !== undefined) this.#findings.set(key, { ...known, count: known.count + 1 });
      else if (this.#findings.size < MAX_FINDINGS) this.#findings.set(key, { place, message: text, input: { index, text: input }, count: 1 });
      this.#soon();
    }
  }

  /** What has kept the run from starting, where one line of the user's is the matter. */
  #addProblem({ record: { problem, phase } }: Run): void {
    if (phase !== "failed" || problem?.place == null) return;
    this.#findings.set(keyOf(problem.place), { place: problem.place, message: problem.message, input: null, count: 1 });
    this.#soon();
  }

  /** An edited file is not what has failed. */
  #forget(uri: vscode.Uri): void {
    const stale = [...this.#findings].filter(([, { place }]) => place.file === uri.fsPath);
    for (const [key] of stale) this.#findings.delete(key);
    if (stale.length > 0) this.#tell();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => this.#tell(), UPDATE_MS);
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#changed.fire();
  }
}

function keyOf({ file, line }: Place): string {
  return `${file}:${line}`;
}

/** Which inputs, for people: `input 5 and 2 more`. */
export function inputsText({ input, count }: Finding): string {
  if (input === null) return "";
  return count === 1 ? `input ${input.index}` : `input ${input.index} and ${(count - 1).toLocaleString("en-US")} more`;
}

/** From the place to the end of its line. */
export function rangeOf({ place }: Finding): vscode.Range {
  const line = Math.max(0, place.line - 1);
  return new vscode.Range(line, Math.max(0, place.column - 1), line, Number.MAX_SAFE_INTEGER);
}
