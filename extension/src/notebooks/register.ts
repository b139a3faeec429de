/** Puts notebooks together: kernels, the command, where cells ran, and the renderer's buttons. Starts nothing. */
import * as vscode from "vscode";
import { CELL_RENDERER, COMMANDS } from "../contributions.ts";
import { registerCommands, type Handler } from "../failure.ts";
import type { Shell } from "../shell.ts";
import { noteCellJobs } from "./cell-origins.ts";
import { jobOutputOf } from "./cell-view.ts";
import { cellHandlers } from "./commands.ts";
import { Controller, kindOf, NOTEBOOK_TYPE } from "./controller.ts";
import { pythonClient } from "./python-client.ts";
import { PythonChoice } from "./python-choice.ts";
import { Interactive, type PercentTarget } from "./interactive.ts";
import { listenToRenderer } from "./renderer-messages.ts";
import { Intents, preparation, runCellOnBurla } from "./run-cell.ts";
import { RunningCells } from "./running-cells.ts";
import { folderOf, Sessions } from "./sessions.ts";
import { offerSplit } from "./split-cell.ts";
import { CellStatusItems } from "./status-items.ts";
import type { KernelChoice } from "../keeper/messages.ts";

export function registerNotebooks(context: vscode.ExtensionContext, shell: Shell): { readonly controller: Controller; readonly sessions: Sessions } {
  const intents = new Intents();
  const python = new PythonChoice(context, shell.output);
  const running = new RunningCells();
  const sessions = new Sessions({
    context,
    output: shell.output,
    choose: async (notebook, kind) => (kind === "python" ? python.of(notebook) : nodeChoice(notebook)),
  });
  const controller = new Controller({
    extensionId: context.extension.id,
    execute: (cell, execution) => {
      const intent = intents.take(cell);
      const prepare = intent === undefined ? null : preparation(shell, cell, intent);
      const left = intent?.attachTo == null ? null : jobOutputOf(cell);
      sessions.of(cell.notebook, kindOf(cell.document.languageId) ?? "python").add(execution, prepare, left);
    },
    interrupt: async (notebook) => void (await Promise.all(sessions.all(notebook).map((session) => session.interrupt()))),
    onDeselected: (notebook) => sessions.end(notebook),
  });
  const cells = { shell, controller, intents, client: () => pythonClient(context.extensionUri) };
  const interactive = new Interactive(cells);
  context.subscriptions.push(
    interactive,
    running,
    sessions,
    controller,
    sessions.resumeAll(controller),
    registerCommands(shell.output, { ...cellHandlers({ ...cells, sessions, python, running }), ...percentHandlers(interactive) }),
    python,
    describeKernel(controller, python),
    offerSplit(),
    noteCellJobs(shell.origins, (cell) => runCellOnBurla(cells, cell)),
    vscode.notebooks.registerNotebookCellStatusBarItemProvider(NOTEBOOK_TYPE, new CellStatusItems(running)),
    listenToRenderer(vscode.notebooks.createRendererMessaging(CELL_RENDERER), running, shell.questions),
  );
  return { controller, sessions };
}

function percentHandlers(interactive: Interactive): Record<string, Handler> {
  return {
    [COMMANDS.runPercentCell]: (target?: PercentTarget) => interactive.run(target),
    [COMMANDS.runPercentCellsAbove]: (target?: PercentTarget) => interactive.runAbove(target),
  };
}

/** One kernel of ours runs all notebooks: its name is that of the one that is looked at. */
function describeKernel(controller: Controller, python: PythonChoice): vscode.Disposable {
  const update = () => {
    const notebook = vscode.window.activeNotebookEditor?.notebook;
    if (notebook !== undefined) controller.describe(python.labelOf(notebook));
  };
  return vscode.Disposable.from(vscode.window.onDidChangeActiveNotebookEditor(update), python.onDidChange(update));
}

/** TypeScript takes JavaScript as well, not the other way round. */
function nodeChoice(notebook: vscode.NotebookDocument): KernelChoice {
  const isTypescript = notebook.getCells().some(({ document }) => document.languageId === "typescript");
  return { type: "node", language: isTypescript ? "typescript" : "javascript", folder: folderOf(notebook) };
}
