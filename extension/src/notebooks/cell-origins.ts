/** Says of jobs which cell of an open notebook they are. */
import { basename } from "node:path";
import * as vscode from "vscode";
import type { JobOrigin, JobOrigins } from "../tree/job-origins.ts";
import { cellViewOf } from "./cell-view.ts";
import { NOTEBOOK_TYPE } from "./controller.ts";

export function noteCellJobs(origins: JobOrigins, runAgain: (cell: vscode.NotebookCell) => unknown): vscode.Disposable {
  const note = (cell: vscode.NotebookCell) => {
    const jobId = cellViewOf(cell)?.jobId;
    if (jobId != null) origins.add(jobId, originOf(cell, runAgain));
  };
  const noteAll = (notebook: vscode.NotebookDocument) => (notebook.notebookType === NOTEBOOK_TYPE ? notebook.getCells().forEach(note) : undefined);
  vscode.workspace.notebookDocuments.forEach(noteAll);
  return vscode.Disposable.from(
    vscode.workspace.onDidOpenNotebookDocument(noteAll),
    vscode.workspace.onDidChangeNotebookDocument(({ notebook, cellChanges }) => {
      if (notebook.notebookType === NOTEBOOK_TYPE) for (const { cell, outputs } of cellChanges) if (outputs !== undefined) note(cell);
    }),
  );
}

/** A cell is counted from one, as people do; it may have moved since. */
function originOf(cell: vscode.NotebookCell, runAgain: (cell: vscode.NotebookCell) => unknown): JobOrigin {
  return {
    get place() {
      return cell.index < 0 ? basename(cell.notebook.uri.path) : `${basename(cell.notebook.uri.path)} · cell ${cell.index + 1}`;
    },
    show: () => reveal(cell),
    goTo: () => reveal(cell),
    runAgain: async () => runAgain(await reveal(cell)),
  };
}

/** @throws Error when the cell was deleted. */
async function reveal(cell: vscode.NotebookCell): Promise<vscode.NotebookCell> {
  const notebook = await vscode.workspace.openNotebookDocument(cell.notebook.uri);
  const found = notebook.getCells().find(({ document }) => document.uri.toString() === cell.document.uri.toString());
  if (found === undefined) throw new Error("the cell is not in the notebook any more");
  const range = new vscode.NotebookRange(found.index, found.index + 1);
  const editor = await vscode.window.showNotebookDocument(notebook, { selections: [range] });
  editor.revealRange(range, vscode.NotebookEditorRevealType.InCenterIfOutsideViewport);
  return found;
}
