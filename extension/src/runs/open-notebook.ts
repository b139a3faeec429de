/** The results of a run as the first cells of a new notebook: a data frame, or an array. */
import { dirname, join } from "node:path";
import * as vscode from "vscode";
import { Declined } from "../failure.ts";
import type { Launcher } from "./launch.ts";
import { notebookCells, type NotebookLanguage } from "./notebook-cells.ts";
import type { Run } from "./run.ts";

const LANGUAGES: readonly (vscode.QuickPickItem & { readonly language: NotebookLanguage })[] = [
  { label: "Python", description: "a data frame where there is pandas, else a list", language: "python" },
  { label: "TypeScript", description: "an array", language: "typescript" },
];

/** The notebook reads a file beside the run's own results, which stays as long as the run is kept. */
export async function openAsNotebook(launcher: Launcher, { record, rows }: Run): Promise<void> {
  if (rows.count === 0) throw new Error("there are no results yet");
  // That of the function comes first.
  const own: NotebookLanguage = record.file.endsWith(".py") ? "python" : "typescript";
  const languages = [...LANGUAGES].sort((a, b) => Number(b.language === own) - Number(a.language === own));
  const picked = await vscode.window.showQuickPick(languages, { title: "Open Results as Notebook", placeHolder: "Which language?" });
  if (picked === undefined) throw new Declined("no language was chosen");
  const target = join(dirname(record.spool), "newest.ndjson");
  await launcher.ask({ type: "save", spool: record.spool, target, format: "ndjson" }, record.folder, "saved");
  const cells = notebookCells({ label: record.label, file: target, language: picked.language }).map(({ kind, text, languageId }) => new vscode.NotebookCellData(kind === "code" ? vscode.NotebookCellKind.Code : vscode.NotebookCellKind.Markup, text, languageId));
  await vscode.window.showNotebookDocument(await vscode.workspace.openNotebookDocument("jupyter-notebook", new vscode.NotebookData(cells)));
}
