/** Run Cell on Burla: the very cell, by the kernel that it has, with its last statement on the cluster. */
import * as vscode from "vscode";
import type { ArmedRun } from "@burla/kernel-bridge";
import type { PythonClient } from "@burla/kernel-bridge/python";
import { LOCAL_ID } from "../clusters/state.ts";
import type { Asking } from "../clusters/questions.ts";
import { Declined } from "../failure.ts";
import { requireTrust } from "../trust.ts";
import type { Shell } from "../shell.ts";
import { cellViewOf } from "./cell-view.ts";
import type { Controller } from "./controller.ts";
import { hasJupyter, jupyterKernel, runCode, type JupyterKernel } from "./jupyter-api.ts";
import { kindOfCell } from "./sessions.ts";

/** What the cell shall do this time. */
export interface CellIntent {
  /** Of its map; null for all. */
  readonly onlyInputs: readonly number[] | null;
  /** A job that is taken up again. */
  readonly attachTo: string | null;
  /** Which job of the cell that is. */
  readonly attachStep: number;
}

export const WHOLE_CELL: CellIntent = { onlyInputs: null, attachTo: null, attachStep: 0 };

/** Cells whose next execution is for the cluster, by their addresses. */
export class Intents {
  readonly #intents = new Map<string, CellIntent>();

  set(cell: vscode.NotebookCell, intent: CellIntent): void {
    this.#intents.set(cell.document.uri.toString(), intent);
  }

  take(cell: vscode.NotebookCell): CellIntent | undefined {
    const key = cell.document.uri.toString();
    const intent = this.#intents.get(key);
    this.#intents.delete(key);
    return intent;
  }
}

export interface RunCellParts {
  readonly shell: Shell;
  readonly controller: Controller;
  readonly intents: Intents;
  /** What is put into a kernel that another extension owns. */
  client(): Promise<PythonClient>;
}

/** @throws Declined; Error when the cell cannot run there. */
export async function runCellOnBurla(parts: RunCellParts, cell: vscode.NotebookCell, intent: CellIntent = WHOLE_CELL): Promise<void> {
  requireTrust("Running a cell");
  const kind = kindOfCell(cell);
  if (kind === undefined) throw new Error(`A cell in ${cell.document.languageId} cannot run on Burla: Python, TypeScript and JavaScript can.`);
  // A kernel passes over it, and what was meant for this run would wait for the next one.
  if (cell.document.getText().trim() === "") throw new Error("This cell is empty: there is nothing to run.");
  const { controller } = parts;
  if (!controller.isSelected(cell.notebook)) {
    const kernel = kind === "python" ? await jupyterKernel(cell.notebook.uri) : undefined;
    if (kernel !== undefined) return runWithJupyter(parts, cell, kernel, intent);
    if (kind === "python" && hasJupyter()) await askWhoseKernel();
    await controller.select(editorOf(cell));
  }
  await runWithOurs(parts, cell, intent);
}

/** Makes the cell ready, when its turn has come: by then the cluster may have to be started. */
export function preparation(shell: Shell, cell: vscode.NotebookCell, intent: CellIntent): (asking: Asking) => Promise<ArmedRun> {
  return async (asking) => {
    const { ref, target } = await shell.ensureCluster(asking);
    const address = target === LOCAL_ID ? null : typeof target === "string" ? (await shell.loadControl()).clusterAddress(target) : target;
    const cluster = address === null ? null : { url: address.url, token: address.token, certificate: address.certificate ?? null };
    return { cellId: cell.document.uri.toString(), cluster, clusterName: ref.label, onlyInputs: intent.onlyInputs, attachTo: intent.attachTo, attachStep: intent.attachStep };
  };
}

/** The cell that is meant: the one of a button, else the one that has the focus. @throws Error */
export async function meantCell(given: vscode.NotebookCell | undefined): Promise<vscode.NotebookCell> {
  if (given?.document !== undefined && given.notebook !== undefined) return given;
  const editor = vscode.window.activeNotebookEditor;
  if (editor === undefined || editor.notebook.cellCount === 0) throw new Error("There is no cell: open a notebook, and put the cursor into the cell.");
  if (editor.selection.isEmpty) await selectFocused(editor);
  return editor.notebook.cellAt(Math.min(editor.selection.start, editor.notebook.cellCount - 1));
}

/** What it takes the editor to tell of a selection, and more. */
const SELECTION_TIMEOUT_MS = 1_000;

/** A second Esc takes the selection away, and arrows then move the focus alone, of which extensions are not told. */
async function selectFocused(editor: vscode.NotebookEditor): Promise<void> {
  const told = new Promise<void>((resolve) => {
    const listener = vscode.window.onDidChangeNotebookEditorSelection(({ notebookEditor }) => (notebookEditor === editor ? settle() : undefined));
    const timer = setTimeout(() => settle(), SELECTION_TIMEOUT_MS);
    const settle = () => {
      clearTimeout(timer);
      listener.dispose();
      resolve();
    };
  });
  await vscode.commands.executeCommand("list.select");
  await told;
  if (editor.selection.isEmpty) throw new Error("No cell has the focus: click into the one that shall run.");
}

export async function execute(cell: vscode.NotebookCell): Promise<void> {
  await vscode.commands.executeCommand("notebook.cell.execute", { ranges: [{ start: cell.index, end: cell.index + 1 }], document: cell.notebook.uri });
}

async function runWithOurs({ intents }: RunCellParts, cell: vscode.NotebookCell, intent: CellIntent): Promise<void> {
  intents.set(cell, intent);
  try {
    await execute(cell);
  } finally {
    intents.take(cell);
  }
}

/** That extension runs the cell and owns its output. Its kernel is told before that this one cell is for the cluster. */
async function runWithJupyter({ shell, client }: RunCellParts, cell: vscode.NotebookCell, kernel: JupyterKernel, intent: CellIntent): Promise<void> {
  const options = { location: vscode.ProgressLocation.Window, title: "Burla: preparing the cell", cancellable: true };
  await vscode.window.withProgress(options, async (_, cancellation) => {
    const abort = new AbortController();
    cancellation.onCancellationRequested(() => abort.abort(new Declined("cancelled")));
    const armed = await preparation(shell, cell, intent)({ signal: abort.signal });
    const { armWith } = await import("@burla/kernel-bridge/python");
    await armWith((code) => runCode(kernel, code, abort.signal), armed, await client());
  });
  await execute(cell);
}

const OURS = "Use Burla's Python";
const THEIRS = "Choose a Jupyter Kernel…";

async function askWhoseKernel(): Promise<void> {
  const choice = await vscode.window.showInformationMessage("No kernel of Jupyter runs this notebook yet. Which one shall run the cell?", OURS, THEIRS);
  if (choice === THEIRS) void vscode.commands.executeCommand("notebook.selectKernel");
  if (choice !== OURS) throw new Declined("no kernel was chosen");
}

function editorOf(cell: vscode.NotebookCell): vscode.NotebookEditor {
  const editor = vscode.window.visibleNotebookEditors.find(({ notebook }) => notebook === cell.notebook);
  if (editor === undefined) throw new Error("The notebook is not open in an editor.");
  return editor;
}

/** The job of the cell. @throws Error when it shows none. */
export function jobOf(cell: vscode.NotebookCell): { readonly jobId: string; readonly name: string; readonly cluster: string; readonly step: number } {
  const view = cellViewOf(cell);
  if (view?.jobId == null) throw new Error("This cell has not run on a cluster.");
  return { jobId: view.jobId, name: view.name, cluster: view.cluster, step: view.step };
}
