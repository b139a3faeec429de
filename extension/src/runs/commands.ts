/** What a person can do with functions and runs. */
import { basename, join } from "node:path";
import * as vscode from "vscode";
import { COMMANDS, VIEWS } from "../contributions.ts";
import { Declined, type Handler } from "../failure.ts";
import { chooseFunction } from "../functions/meant.ts";
import type { LensTarget } from "../functions/lens.ts";
import { functionKey, type InputMemory } from "../inputs/memory.ts";
import { pickInputs } from "../inputs/pick.ts";
import type { Place } from "../runner/messages.ts";
import type { Shell } from "../shell.ts";
import { requireTrust } from "../trust.ts";
import type { Documents } from "./documents.ts";
import { chooseRun } from "./choose-run.ts";
import { copyTest } from "./copy-test.ts";
import { folderOf, type Launcher } from "./launch.ts";
import { openAsNotebook } from "./open-notebook.ts";
import type { ResultsActions } from "./results-view.ts";
import type { Run } from "./run.ts";
import type { Runs } from "./runs.ts";

export interface RunCommandParts {
  readonly runs: Runs;
  readonly launcher: Launcher;
  readonly memory: InputMemory;
  readonly documents: Documents;
  readonly shell: Pick<Shell, "known" | "logs" | "output" | "questions">;
}

/** Enough to see whether it works, and how long a call takes. */
const TRIAL_INPUTS = 3;

type Target = LensTarget | vscode.Uri | undefined;

export function runHandlers(parts: RunCommandParts): Record<string, Handler> {
  const current = (): Run => {
    const run = parts.runs.current;
    if (run === undefined) throw new Error("nothing was run in this workspace yet");
    return run;
  };
  return {
    [COMMANDS.runFunction]: (target: Target) => runFunction(parts, target),
    [COMMANDS.tryFunction]: (target: Target) => runFunction(parts, target, TRIAL_INPUTS),
    [COMMANDS.previewFunction]: (target: Target) => previewFunction(parts, target),
    [COMMANDS.showResults]: () => vscode.commands.executeCommand(`${VIEWS.results}.focus`),
    [COMMANDS.chooseRun]: () => chooseRun(parts.runs),
    [COMMANDS.openAsNotebook]: () => openAsNotebook(parts.launcher, current()),
    [COMMANDS.rerunFailed]: () => parts.launcher.rerunFailed(current()),
    [COMMANDS.runAgain]: () => parts.launcher.runAgain(current()),
    [COMMANDS.saveResults]: () => saveResults(parts, current()),
    [COMMANDS.cancelRun]: () => parts.launcher.cancel(current()),
    [COMMANDS.showRunLog]: async () => parts.shell.logs.show(await logOf(parts, current())),
    [COMMANDS.openRunLog]: async () => parts.shell.logs.openFull(await logOf(parts, current())),
  };
}

/** The same for the buttons of the results view, which tell of their errors like commands. */
export function resultsActions({ documents, shell }: Pick<RunCommandParts, "documents" | "shell">): ResultsActions {
  const command = (id: string) => () => vscode.commands.executeCommand(id);
  return {
    cancel: command(COMMANDS.cancelRun),
    answer: ({ question }, answer) => (question === null ? undefined : shell.questions.answer(question, answer)),
    rerunFailed: command(COMMANDS.rerunFailed),
    runAgain: command(COMMANDS.runAgain),
    save: command(COMMANDS.saveResults),
    showLog: command(COMMANDS.showRunLog),
    copyTest,
    openPlace,
    openText: (title, text, language) => documents.open(title, text, language),
  };
}

async function runFunction({ launcher, memory }: RunCommandParts, target: Target, limit?: number): Promise<void> {
  requireTrust("Running a function");
  const fn = await chooseFunction(target);
  const key = functionKey(fn.uri.fsPath, fn.label);
  const source = await pickInputs({ label: fn.label, folder: vscode.Uri.file(folderOf(fn.uri)), recent: memory.of(key), parameter: fn.parameter, values: fn.values });
  if (source === undefined) throw new Declined("no inputs were chosen");
  await launcher.run(fn, source, { onTaken: () => memory.remember(key, source), ...(limit === undefined ? {} : { limit }) });
}

/** What would be sent, beside the file. Nothing of the file is run, nothing is sent. */
async function previewFunction({ launcher, documents }: RunCommandParts, target: Target): Promise<void> {
  const { uri, ref, label } = await chooseFunction(target);
  const request = { type: "explain", file: uri.fsPath, fn: ref } as const;
  const options = { location: vscode.ProgressLocation.Window, title: `Burla: what ${label} needs` };
  const { text } = await vscode.window.withProgress(options, () => launcher.ask(request, folderOf(uri), "explained"));
  await documents.open(`What is sent with ${label}`, text, "plaintext", true);
}

async function saveResults({ launcher }: RunCommandParts, { record, rows }: Run): Promise<void> {
  if (rows.count === 0) throw new Error("there are no results yet");
  const defaultUri = vscode.Uri.file(join(record.folder, `${record.label.replace(/[^\w.-]+/g, "-")}-results.ndjson`));
  const target = await vscode.window.showSaveDialog({ title: "Save Results", saveLabel: "Save Results", defaultUri, filters: { NDJSON: ["ndjson", "jsonl"], CSV: ["csv"] } });
  if (target === undefined) throw new Declined("no file was chosen");
  const format = target.fsPath.toLowerCase().endsWith(".csv") ? "csv" : "ndjson";
  const options = { location: vscode.ProgressLocation.Notification, title: `Saving results to ${basename(target.fsPath)}` };
  const saved = await vscode.window.withProgress(options, () => launcher.ask({ type: "save", spool: record.spool, target: target.fsPath, format }, record.folder, "saved"));
  const choice = await vscode.window.showInformationMessage(`${saved.rows.toLocaleString("en-US")} results saved to ${basename(target.fsPath)}.`, "Open");
  if (choice === "Open") await vscode.window.showTextDocument(target);
}

async function logOf({ shell }: RunCommandParts, { record }: Run): Promise<Parameters<Shell["logs"]["show"]>[0]> {
  const { job, label } = record;
  if (job === null) throw new Error("the job has not begun yet, so it has printed nothing");
  return { job: { jobId: job.jobId, name: label }, target: await shell.known.target(job.clusterId) };
}

async function openPlace({ file, line, column }: Place): Promise<void> {
  const position = new vscode.Position(Math.max(0, line - 1), Math.max(0, column - 1));
  try {
    const editor = await vscode.window.showTextDocument(vscode.Uri.file(file), { selection: new vscode.Range(position, position) });
    editor.revealRange(new vscode.Range(position, position), vscode.TextEditorRevealType.InCenter);
  } catch {
    void vscode.window.showWarningMessage(`The file ${file} is not on this machine, or cannot be read.`);
  }
}
