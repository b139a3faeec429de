/** Where a cell ran, in its status bar; a click opens the log of its job. */
import * as vscode from "vscode";
import type { CellView } from "@burla/kernel-bridge";
import { COMMANDS } from "../contributions.ts";
import { cellViewOf, isLive, placeText } from "./cell-view.ts";
import type { RunningCells } from "./running-cells.ts";
import { lineInTheWay } from "./split-cell.ts";

export class CellStatusItems implements vscode.NotebookCellStatusBarItemProvider {
  readonly #running: RunningCells;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCellStatusBarItems = this.#changed.event;

  constructor(running: RunningCells) {
    this.#running = running;
    running.onDidChange(() => this.#changed.fire());
  }

  provideCellStatusBarItems(cell: vscode.NotebookCell): vscode.NotebookCellStatusBarItem[] {
    const view = cellViewOf(cell);
    if (view === null) return [];
    const items = [placeItem(cell, view)];
    if (view.failed > 0 && !isLive(view) && view.how === "map") items.push(item(`$(debug-rerun) Run ${view.failed.toLocaleString("en-US")} failed again`, COMMANDS.rerunFailedCellInputs, "Runs the inputs that failed again, and they alone", cell));
    if (isLive(view) && view.jobId !== null && !this.#running.has(cell)) items.push(item("$(debug-continue) Go on with the job", COMMANDS.pickUpCellJob, "What ran the cell is gone: takes its job up again", cell));
    if (lineInTheWay(cell) !== null) items.push(item("$(split-vertical) Split Cell", COMMANDS.splitCell, "Puts the line that is in the way into a cell of its own", cell));
    return items;
  }
}

function placeItem(cell: vscode.NotebookCell, view: CellView): vscode.NotebookCellStatusBarItem {
  const tooltip = view.jobId === null ? "The job has not begun" : `${view.name}: ${view.phase}. Click for its log`;
  return item(`$(server-process) ${placeText(view)}`, view.jobId === null ? undefined : COMMANDS.showCellLog, tooltip, cell);
}

function item(text: string, command: string | undefined, tooltip: string, cell: vscode.NotebookCell): vscode.NotebookCellStatusBarItem {
  const made = new vscode.NotebookCellStatusBarItem(text, vscode.NotebookCellStatusBarAlignment.Left);
  made.tooltip = tooltip;
  if (command !== undefined) made.command = { title: tooltip, command, arguments: [cell] };
  made.accessibilityInformation = { label: `${text.replace(/\$\([^)]*\) /, "")}. ${tooltip}` };
  return made;
}
