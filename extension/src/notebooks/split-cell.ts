/** Puts the statement that keeps a cell from running in parallel into a cell of its own. */
import * as vscode from "vscode";
import { COMMANDS } from "../contributions.ts";
import { cellViewOf, isLive } from "./cell-view.ts";
import { partsAround } from "./cell-parts.ts";
import { kindOf, NOTEBOOK_TYPE } from "./controller.ts";

/** The line that is in the way, counted from 1; null where none is, or where nothing stands beside its statement. */
export function lineInTheWay(cell: vscode.NotebookCell): number | null {
  const view = cellViewOf(cell);
  return view === null || isLive(view) || view.noteLine === null || partsOf(cell, view.noteLine).length < 2 ? null : view.noteLine;
}

/** @throws Error when the cell has no such line. */
export async function splitCell(cell: vscode.NotebookCell): Promise<void> {
  const line = lineInTheWay(cell);
  if (line === null) throw new Error("No line of this cell is known to be in the way: run it on Burla, and its card names one.");
  const parts = partsOf(cell, line).map((text) => new vscode.NotebookCellData(vscode.NotebookCellKind.Code, text, cell.document.languageId));
  const edit = new vscode.WorkspaceEdit();
  edit.set(cell.notebook.uri, [vscode.NotebookEdit.replaceCells(new vscode.NotebookRange(cell.index, cell.index + 1), parts)]);
  await vscode.workspace.applyEdit(edit);
}

function partsOf(cell: vscode.NotebookCell, line: number): string[] {
  const kind = kindOf(cell.document.languageId);
  return kind === undefined ? [] : partsAround(cell.document.getText(), kind, line);
}

/** A quick fix at that line. */
export function offerSplit(): vscode.Disposable {
  return vscode.languages.registerCodeActionsProvider({ notebookType: NOTEBOOK_TYPE }, { provideCodeActions }, { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] });
}

function provideCodeActions(document: vscode.TextDocument, range: vscode.Range): vscode.CodeAction[] {
  const cell = vscode.workspace.notebookDocuments.flatMap((notebook) => notebook.getCells()).find((candidate) => candidate.document === document);
  const line = cell === undefined ? null : lineInTheWay(cell);
  if (cell === undefined || line === null || range.start.line > line - 1 || range.end.line < line - 1) return [];
  const action = new vscode.CodeAction("Split Cell: the rest can run in parallel", vscode.CodeActionKind.QuickFix);
  action.command = { command: COMMANDS.splitCell, title: action.title, arguments: [cell] };
  return [action];
}
