/** The buttons in a cell's output: what they ask for is done by commands, with the cell that shows the job. */
import * as v from "valibot";
import * as vscode from "vscode";
import type { Questions } from "../clusters/questions.ts";
import { COMMANDS, type CommandId } from "../contributions.ts";
import { cellViewOf } from "./cell-view.ts";
import { fromRenderer, type FromRenderer, type ToRenderer } from "./renderer-protocol.ts";
import type { RunningCells } from "./running-cells.ts";

const COMMAND_OF: Readonly<Record<Exclude<FromRenderer["type"], "answer" | "reveal" | "shown">, CommandId>> = {
  cancel: COMMANDS.cancelCell,
  rerunFailed: COMMANDS.rerunFailedCellInputs,
  pickUp: COMMANDS.pickUpCellJob,
  openLog: COMMANDS.openCellLog,
  split: COMMANDS.splitCell,
};

export function listenToRenderer(messaging: vscode.NotebookRendererMessaging, running: RunningCells, questions: Pick<Questions, "answer">): vscode.Disposable {
  const tellState = (cell: vscode.NotebookCell, editor?: vscode.NotebookEditor) => {
    const view = cellViewOf(cell);
    if (view !== null) void messaging.postMessage({ type: "state", startedAtMs: view.startedAtMs, isRunning: running.has(cell) } satisfies ToRenderer, editor);
  };
  const hear = (editor: vscode.NotebookEditor, message: unknown) => {
    const parsed = v.safeParse(fromRenderer, message);
    if (!parsed.success) return;
    const heard = parsed.output;
    if (heard.type === "answer") return questions.answer({ text: heard.question }, heard.answer);
    const cell = editor.notebook.getCells().find((candidate) => cellViewOf(candidate)?.startedAtMs === heard.startedAtMs);
    if (cell === undefined) return;
    if (heard.type === "shown") tellState(cell, editor);
    else if (heard.type === "reveal") void reveal(editor, cell, heard.line);
    else void vscode.commands.executeCommand(COMMAND_OF[heard.type], cell);
  };
  return vscode.Disposable.from(
    messaging.onDidReceiveMessage(({ editor, message }) => hear(editor, message)),
    running.onDidChange((cell) => tellState(cell)),
  );
}

/** Puts the cursor into the line of the cell. */
async function reveal(editor: vscode.NotebookEditor, cell: vscode.NotebookCell, line: number): Promise<void> {
  editor.selection = new vscode.NotebookRange(cell.index, cell.index + 1);
  editor.revealRange(editor.selection, vscode.NotebookEditorRevealType.InCenterIfOutsideViewport);
  const at = new vscode.Position(Math.min(line, cell.document.lineCount) - 1, 0);
  await vscode.window.showTextDocument(cell.document, { selection: new vscode.Range(at, at), viewColumn: editor.viewColumn ?? vscode.ViewColumn.Active });
}
