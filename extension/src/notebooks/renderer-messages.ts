/** The buttons in a cell's output: what they ask for is done by commands, with the cell that shows the job. */
import * as v from "valibot";
import * as vscode from "vscode";
import { COMMANDS, type CommandId } from "../contributions.ts";
import { cellViewOf } from "./cell-view.ts";
import { fromRenderer, type FromRenderer } from "./from-renderer.ts";

const COMMAND_OF: Readonly<Record<Exclude<FromRenderer["type"], "reveal">, CommandId>> = {
  cancel: COMMANDS.cancelCell,
  rerunFailed: COMMANDS.rerunFailedCellInputs,
  showLog: COMMANDS.showCellLog,
  openLog: COMMANDS.openCellLog,
};

export function listenToRenderer(messaging: vscode.NotebookRendererMessaging): vscode.Disposable {
  return messaging.onDidReceiveMessage(({ editor, message }) => {
    const parsed = v.safeParse(fromRenderer, message);
    if (!parsed.success) return;
    const cell = editor.notebook.getCells().find((candidate) => cellViewOf(candidate)?.startedAtMs === parsed.output.startedAtMs);
    if (cell === undefined) return;
    if (parsed.output.type === "reveal") return void reveal(editor, cell, parsed.output.line);
    void vscode.commands.executeCommand(COMMAND_OF[parsed.output.type], cell);
  });
}

/** Puts the cursor into the line of the cell. */
async function reveal(editor: vscode.NotebookEditor, cell: vscode.NotebookCell, line: number): Promise<void> {
  editor.selection = new vscode.NotebookRange(cell.index, cell.index + 1);
  editor.revealRange(editor.selection, vscode.NotebookEditorRevealType.InCenterIfOutsideViewport);
  const at = new vscode.Position(Math.min(line, cell.document.lineCount) - 1, 0);
  await vscode.window.showTextDocument(cell.document, { selection: new vscode.Range(at, at), viewColumn: editor.viewColumn ?? vscode.ViewColumn.Active });
}
