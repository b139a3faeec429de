/** Every run of this workspace that is still kept, in a list: the chosen one is shown, as it was. */
import * as vscode from "vscode";
import { COMMANDS } from "../contributions.ts";
import { Declined } from "../failure.ts";
import { numberText } from "../view/texts.ts";
import type { RunRecord } from "./record.ts";
import type { Runs } from "./runs.ts";

const FORGET_ALL = "Forget All That Are Over";

/** @throws Declined when the person goes away. */
export async function chooseRun(runs: Runs): Promise<void> {
  const items = runs.all.map((run) => ({ label: `$(${ICONS[run.record.phase]}) ${run.record.label}`, description: run.record.sourceLabel, detail: detailOf(run.record), run }));
  const forget = { label: `$(trash) ${FORGET_ALL}`, description: "with their results", run: undefined };
  const separator = { label: "", kind: vscode.QuickPickItemKind.Separator, run: undefined };
  const picked = await vscode.window.showQuickPick([...items, separator, forget], { title: "Runs of This Workspace", placeHolder: "Which results?", matchOnDescription: true, matchOnDetail: true });
  if (picked === undefined) throw new Declined("no run was chosen");
  if (picked === forget) return runs.clear(runs.all);
  if (picked.run === undefined) return;
  runs.select(picked.run);
  await vscode.commands.executeCommand(COMMANDS.showResults);
}

const ICONS: Record<RunRecord["phase"], string> = { preparing: "watch", running: "sync", done: "pass", cancelled: "circle-slash", failed: "error" };

function detailOf({ startedAt, phase, total, trial }: RunRecord): string {
  const inputs = total === null ? [] : [`${numberText(total)} inputs`];
  return [new Date(startedAt).toLocaleString(), phase, ...inputs, ...(trial === null ? [] : ["a trial"])].join(" · ");
}
