/** Tells of a long run that ends while nobody looks at this window. */
import * as vscode from "vscode";
import { COMMANDS } from "../contributions.ts";
import { isLongEnded } from "./record.ts";
import type { Run } from "./run.ts";
import type { Runs } from "./runs.ts";
import { statusText } from "./view-model.ts";

const SHOW_RESULTS = "Show Results";

/** @param isLookedAt whether the window has the focus. */
export function noticeEnds(runs: Runs, isLookedAt: () => boolean): vscode.Disposable {
  const live = new WeakSet<Run>();
  return runs.onDidChange(({ run }) => {
    if (!run.isOver) return void live.add(run);
    if (live.delete(run) && !isLookedAt() && isLongEnded(run.record)) void notice(runs, run);
  });
}

async function notice(runs: Runs, run: Run): Promise<void> {
  const { record, rows } = run;
  const text = `${record.label}: ${statusText({ record, progress: null, rows, nowMs: Date.now() })}`;
  const choice = await (record.phase === "failed" ? vscode.window.showWarningMessage(text, SHOW_RESULTS) : vscode.window.showInformationMessage(text, SHOW_RESULTS));
  if (choice !== SHOW_RESULTS) return;
  runs.select(run);
  await vscode.commands.executeCommand(COMMANDS.showResults);
}
