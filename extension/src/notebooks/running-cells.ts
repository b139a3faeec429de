/** Which cells run at the moment, whoever runs them: a file that was saved half way says for ever that its job runs. */
import * as vscode from "vscode";
import { NOTEBOOK_TYPE } from "./controller.ts";

export class RunningCells implements vscode.Disposable {
  readonly #running = new Set<vscode.NotebookCell>();
  readonly #changed = new vscode.EventEmitter<vscode.NotebookCell>();
  /** A cell has begun or ended. */
  readonly onDidChange = this.#changed.event;
  readonly #listeners = vscode.Disposable.from(
    vscode.workspace.onDidChangeNotebookDocument((event) => this.#onChange(event)),
    vscode.workspace.onDidCloseNotebookDocument((notebook) => notebook.getCells().forEach((cell) => this.#running.delete(cell))),
  );

  has(cell: vscode.NotebookCell): boolean {
    return this.#running.has(cell);
  }

  dispose(): void {
    this.#listeners.dispose();
    this.#changed.dispose();
  }

  /** The editor says when an execution has begun (it has no end yet), and when it has ended. */
  #onChange({ notebook, cellChanges }: vscode.NotebookDocumentChangeEvent): void {
    if (notebook.notebookType !== NOTEBOOK_TYPE) return;
    for (const { cell, executionSummary } of cellChanges) {
      if (executionSummary === undefined) continue;
      const isRunning = executionSummary.timing === undefined && executionSummary.success === undefined;
      if (isRunning === this.#running.has(cell)) continue;
      if (isRunning) this.#running.add(cell);
      else this.#running.delete(cell);
      this.#changed.fire(cell);
    }
  }
}
