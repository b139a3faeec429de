/**
 * Cells of Python files run in a notebook beside the file: one for each file, in which what was run stands with its
 * outputs, one cell after the other. Its session is the file's: variables stay from cell to cell.
 */
import { basename, dirname } from "node:path";
import * as vscode from "vscode";
import { COMMANDS } from "../contributions.ts";
import { requireTrust } from "../trust.ts";
import { hasCodeLens } from "../settings.ts";
import { NOTEBOOK_TYPE, type Controller } from "./controller.ts";
import { percentCells, type PercentCell } from "./percent-cells.ts";
import { execute, runCellOnBurla, type RunCellParts } from "./run-cell.ts";
import { FOLDER_KEY } from "./sessions.ts";

const SELECTOR: vscode.DocumentSelector = [{ language: "python", scheme: "file" }];
/** Larger files are made by machines. */
const MAX_LENGTH = 1_000_000;

/** What a lens hands to its command. */
export interface PercentTarget {
  readonly uri: vscode.Uri;
  /** Of the marker, from 0. */
  readonly line: number;
}

export class Interactive implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #parts: RunCellParts;
  /** By the address of the file. */
  readonly #notebooks = new Map<string, vscode.NotebookDocument>();
  readonly #listener: vscode.Disposable;

  constructor(parts: RunCellParts) {
    this.#parts = parts;
    this.#listener = vscode.Disposable.from(
      vscode.languages.registerCodeLensProvider(SELECTOR, this),
      vscode.workspace.onDidCloseNotebookDocument((closed) => this.#forget(closed)),
    );
  }

  dispose(): void {
    this.#listener.dispose();
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    if (!hasCodeLens() || document.getText().length > MAX_LENGTH) return [];
    return percentCells(document.getText()).flatMap(({ line }, number) => {
      const range = new vscode.Range(line, 0, line, 0);
      const target: PercentTarget = { uri: document.uri, line };
      const above = new vscode.CodeLens(range, { command: COMMANDS.runPercentCellsAbove, title: "Run Above Here", tooltip: "Runs the cells above in this file's session, on this machine", arguments: [target] });
      return [
        new vscode.CodeLens(range, { command: COMMANDS.runPercentCell, title: "$(cloud-upload) Run Cell on Burla", tooltip: "Runs this cell in the file's session, its maps on the cluster", arguments: [target] }),
        ...(number === 0 ? [] : [above]),
      ];
    });
  }

  /** @param target of a lens; else the cell at the cursor. @throws Error when there is none. */
  async run(target: PercentTarget | undefined): Promise<void> {
    requireTrust("Running a cell");
    const { document, line } = await meant(target);
    const cell = percentCells(document.getText()).findLast((found) => found.line <= line);
    if (cell === undefined) throw new Error("the cursor is in no cell: cells of a Python file begin with a line `# %%`");
    const [added] = await this.#add(document, [cell]);
    if (added !== undefined) await runCellOnBurla(this.#parts, added);
  }

  async runAbove(target: PercentTarget | undefined): Promise<void> {
    requireTrust("Running cells");
    const { document, line } = await meant(target);
    for (const cell of await this.#add(document, percentCells(document.getText()).filter((found) => found.line < line))) await execute(cell);
  }

  /** @returns the cells at the end of the file's notebook, which is shown. */
  async #add(document: vscode.TextDocument, cells: readonly PercentCell[]): Promise<vscode.NotebookCell[]> {
    const notebook = this.#notebooks.get(document.uri.toString()) ?? (await this.#open(document));
    const start = notebook.cellCount;
    const edit = new vscode.WorkspaceEdit();
    const added = cells.map(({ text }) => new vscode.NotebookCellData(vscode.NotebookCellKind.Code, text, "python"));
    edit.set(notebook.uri, [vscode.NotebookEdit.insertCells(start, added)]);
    await vscode.workspace.applyEdit(edit);
    const editor = await vscode.window.showNotebookDocument(notebook, { viewColumn: shownIn(notebook), preserveFocus: true });
    editor.revealRange(new vscode.NotebookRange(start, notebook.cellCount), vscode.NotebookEditorRevealType.InCenterIfOutsideViewport);
    await select(this.#parts.controller, editor);
    return notebook.getCells().slice(start);
  }

  async #open(document: vscode.TextDocument): Promise<vscode.NotebookDocument> {
    const title = new vscode.NotebookCellData(vscode.NotebookCellKind.Markup, `Cells of **${basename(document.uri.path)}**`, "markdown");
    const data = new vscode.NotebookData([title]);
    data.metadata = { [FOLDER_KEY]: dirname(document.uri.fsPath) };
    const notebook = await vscode.workspace.openNotebookDocument(NOTEBOOK_TYPE, data);
    this.#notebooks.set(document.uri.toString(), notebook);
    return notebook;
  }

  #forget(closed: vscode.NotebookDocument): void {
    for (const [key, notebook] of this.#notebooks) if (notebook === closed) this.#notebooks.delete(key);
  }
}

/** One that was chosen for the notebook by its user stays. */
async function select(controller: Controller, editor: vscode.NotebookEditor): Promise<void> {
  if (!controller.isSelected(editor.notebook)) await controller.select(editor);
}

function shownIn(notebook: vscode.NotebookDocument): vscode.ViewColumn {
  return vscode.window.visibleNotebookEditors.find((editor) => editor.notebook === notebook)?.viewColumn ?? vscode.ViewColumn.Beside;
}

async function meant(target: PercentTarget | undefined): Promise<{ readonly document: vscode.TextDocument; readonly line: number }> {
  if (target?.uri instanceof vscode.Uri) return { document: await vscode.workspace.openTextDocument(target.uri), line: target.line };
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== "python") throw new Error("open a Python file with cells, which begin with a line `# %%`");
  return { document: editor.document, line: editor.selection.active.line };
}
