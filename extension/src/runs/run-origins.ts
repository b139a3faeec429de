/** Says of jobs which run of this workspace they are. */
import * as vscode from "vscode";
import { COMMANDS } from "../contributions.ts";
import { languageOf, outlineOf } from "../functions/languages.ts";
import type { JobOrigins } from "../tree/job-origins.ts";
import type { Launcher } from "./launch.ts";
import type { Run } from "./run.ts";
import type { Runs } from "./runs.ts";

export function noteRunJobs(runs: Runs, launcher: Launcher, origins: JobOrigins): vscode.Disposable {
  const note = (run: Run) => {
    const jobId = run.record.job?.jobId;
    if (jobId !== undefined) origins.add(jobId, { place: "", show: () => show(runs, run), goTo: () => goTo(run), runAgain: () => launcher.runAgain(run) });
  };
  for (const run of [...runs.all].reverse()) note(run);
  return runs.onDidChange(({ run, change }) => (change.kind === "started" ? note(run) : undefined));
}

async function show(runs: Runs, run: Run): Promise<void> {
  runs.select(run);
  await vscode.commands.executeCommand(COMMANDS.showResults);
}

/** The function as it is found now: the file may have been edited since. */
async function goTo({ record: { file, fn } }: Run): Promise<void> {
  const editor = await vscode.window.showTextDocument(vscode.Uri.file(file));
  const position = editor.document.positionAt(fn.kind === "range" ? fn.start : startOf(editor.document, fn.name));
  editor.selection = new vscode.Selection(position, position);
  editor.revealRange(new vscode.Range(position, position), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

function startOf(document: vscode.TextDocument, name: string): number {
  const language = languageOf(document.languageId);
  const functions = language === undefined ? [] : outlineOf(document.getText(), language).functions;
  return functions.find((found) => found.name === name)?.start ?? 0;
}
