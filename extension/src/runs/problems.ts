/** Errors of the user's function at their line, until the file is edited or the function is run again. */
import * as vscode from "vscode";
import type { Place, Row } from "../runner/messages.ts";
import type { Run } from "./run.ts";
import type { Runs } from "./runs.ts";

/** More than this nobody mends one by one. */
const MAX_PROBLEMS = 100;
const UPDATE_MS = 200;

interface Finding {
  readonly place: Place;
  readonly message: string;
  /** Null for what concerns no input. */
  readonly firstIndex: number | null;
  count: number;
}

export class Problems implements vscode.Disposable {
  readonly #collection = vscode.languages.createDiagnosticCollection("burla");
  readonly #findings = new Map<string, Finding>();
  readonly #listeners: vscode.Disposable;
  #run: Run | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(runs: Runs) {
    this.#listeners = vscode.Disposable.from(
      this.#collection,
      runs.onDidChange(({ run, change }) => {
        if (change.kind === "started" || (change.kind === "state" && run.record.phase === "preparing")) this.#begin(run);
        if (change.kind === "state" && run === this.#run) this.#addProblem(run);
        if (change.kind === "rows" && run === this.#run) this.#add(change.rows);
      }),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => (contentChanges.length > 0 ? this.#forget(document.uri) : undefined)),
    );
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#listeners.dispose();
  }

  #begin(run: Run): void {
    this.#run = run;
    this.#findings.clear();
    this.#collection.clear();
  }

  #add(rows: readonly Row[]): void {
    for (const { isFailed, place, text, index } of rows) {
      if (!isFailed || place === null) continue;
      const key = `${place.file}:${place.line}`;
      const known = this.#findings.get(key);
      if (known !== undefined) known.count++;
      else if (this.#findings.size < MAX_PROBLEMS) this.#findings.set(key, { place, message: text, firstIndex: index, count: 1 });
      this.#timer ??= setTimeout(() => this.#show(), UPDATE_MS);
    }
  }

  /** What has kept the run from starting, where one line of the user's is the matter. */
  #addProblem({ record: { problem, phase } }: Run): void {
    if (phase !== "failed" || problem?.place == null) return;
    const { place, message } = problem;
    this.#findings.set(`${place.file}:${place.line}`, { place, message, firstIndex: null, count: 1 });
    this.#timer ??= setTimeout(() => this.#show(), UPDATE_MS);
  }

  #show(): void {
    this.#timer = undefined;
    const byFile = new Map<string, vscode.Diagnostic[]>();
    for (const finding of this.#findings.values()) {
      const { file } = finding.place;
      byFile.set(file, [...(byFile.get(file) ?? []), diagnosticOf(finding)]);
    }
    for (const [file, diagnostics] of byFile) this.#collection.set(vscode.Uri.file(file), diagnostics);
  }

  /** An edited file is not what has failed. */
  #forget(uri: vscode.Uri): void {
    if (!this.#collection.has(uri)) return;
    this.#collection.delete(uri);
    for (const [key, { place }] of this.#findings) if (place.file === uri.fsPath) this.#findings.delete(key);
  }
}

function diagnosticOf({ place, message, firstIndex, count }: Finding): vscode.Diagnostic {
  const line = Math.max(0, place.line - 1);
  const range = new vscode.Range(line, Math.max(0, place.column - 1), line, Number.MAX_SAFE_INTEGER);
  const inputs = count === 1 ? `input ${firstIndex}` : `input ${firstIndex} and ${(count - 1).toLocaleString("en-US")} more`;
  const diagnostic = new vscode.Diagnostic(range, firstIndex === null ? message : `${message} (${inputs})`, vscode.DiagnosticSeverity.Error);
  diagnostic.source = "Burla";
  return diagnostic;
}
