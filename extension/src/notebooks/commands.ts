/** What can be done with a cell: from its toolbar, its status bar, its output, or the palette. */
import * as vscode from "vscode";
import { COMMANDS } from "../contributions.ts";
import { Declined, type Handler } from "../failure.ts";
import { requireTrust } from "../trust.ts";
import { cellViewOf } from "./cell-view.ts";
import type { PythonChoice } from "./python-choice.ts";
import { jobOf, meantCell, runCellOnBurla, type RunCellParts } from "./run-cell.ts";
import type { Shell } from "../shell.ts";
import type { RunningCells } from "./running-cells.ts";
import type { Sessions } from "./sessions.ts";
import { splitCell } from "./split-cell.ts";

export interface CellParts extends RunCellParts {
  readonly sessions: Sessions;
  readonly python: PythonChoice;
  readonly running: RunningCells;
}

export function cellHandlers(parts: CellParts): Record<string, Handler> {
  return {
    [COMMANDS.runCellOnBurla]: async (cell?: vscode.NotebookCell) => runCellOnBurla(parts, await meantCell(cell)),
    [COMMANDS.rerunFailedCellInputs]: async (cell?: vscode.NotebookCell) => rerunFailed(parts, await meantCell(cell)),
    [COMMANDS.pickUpCellJob]: async (cell?: vscode.NotebookCell) => pickUp(parts, await meantCell(cell)),
    [COMMANDS.splitCell]: async (cell?: vscode.NotebookCell) => splitCell(await meantCell(cell)),
    [COMMANDS.cancelCell]: async (cell?: vscode.NotebookCell) => cancel(parts, await meantCell(cell)),
    [COMMANDS.showCellLog]: async (cell?: vscode.NotebookCell) => showLog(parts, await meantCell(cell)),
    [COMMANDS.openCellLog]: async (cell?: vscode.NotebookCell) => openLog(parts, await meantCell(cell)),
    [COMMANDS.restartKernel]: () => restart(parts),
    [COMMANDS.choosePython]: () => choosePython(parts),
  };
}

async function rerunFailed(parts: CellParts, cell: vscode.NotebookCell): Promise<void> {
  const view = cellViewOf(cell);
  if (view === null || view.failed === 0 || view.jobId === null) throw new Error("No input of this cell has failed.");
  await runCellOnBurla(parts, cell, { onlyInputs: view.failures.map(({ index }) => index), attachTo: null, attachStep: 0 });
}

async function pickUp(parts: CellParts, cell: vscode.NotebookCell): Promise<void> {
  const { jobId, step } = jobOf(cell);
  await runCellOnBurla(parts, cell, { onlyInputs: null, attachTo: jobId, attachStep: step });
}

/** As the editor's own stop does, which reaches the job through the kernel; a job that no kernel waits for is ended itself. */
async function cancel({ shell, running }: CellParts, cell: vscode.NotebookCell): Promise<void> {
  if (running.has(cell)) return void (await vscode.commands.executeCommand("notebook.cell.cancelExecution", { ranges: [{ start: cell.index, end: cell.index + 1 }], document: cell.notebook.uri }));
  const { cancelJob } = await shell.loadControl();
  await cancelJob(jobOf(cell).jobId, { cluster: (await placeOf(shell, cell)).target });
}

async function showLog({ shell }: CellParts, cell: vscode.NotebookCell): Promise<void> {
  shell.logs.show(await placeOf(shell, cell));
}

async function openLog({ shell }: CellParts, cell: vscode.NotebookCell): Promise<void> {
  await shell.logs.openFull(await placeOf(shell, cell));
}

/** A file says the cluster's name, not where it is: one of that name, else the current one. */
async function placeOf({ hub, known }: Shell, cell: vscode.NotebookCell) {
  const { cluster, jobId, name } = jobOf(cell);
  const ref = hub.all().find((state) => state.ref.label === cluster)?.ref ?? hub.current.ref;
  return { job: { jobId, name }, target: await known.target(ref.id) };
}

const RESTART = "Restart";

async function restart({ sessions }: CellParts): Promise<void> {
  const live = sessions.all(activeNotebook()).filter(({ hasKernel }) => hasKernel);
  if (live.length === 0) throw new Error("No kernel of Burla's runs this notebook.");
  const choice = await vscode.window.showWarningMessage("Restart the kernel?", { modal: true, detail: "Its variables are lost; a cell that runs is ended." }, RESTART);
  if (choice !== RESTART) throw new Declined("the kernel goes on");
  await vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title: "Burla: restarting the kernel" }, () => Promise.all(live.map((session) => session.restart())));
}

async function choosePython({ python, sessions, controller }: CellParts): Promise<void> {
  requireTrust("Running a cell");
  const notebook = activeNotebook();
  if (await python.ask(notebook)) sessions.end(notebook, ["python"]);
  const editor = vscode.window.activeNotebookEditor;
  if (editor !== undefined) await controller.select(editor);
}

function activeNotebook(): vscode.NotebookDocument {
  const editor = vscode.window.activeNotebookEditor;
  if (editor === undefined) throw new Error("No notebook is open.");
  return editor.notebook;
}

