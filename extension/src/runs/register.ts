/** Puts running a function together: lens, commands, results, problems, tools. */
import * as vscode from "vscode";
import { CONTEXTS, VIEWS } from "../contributions.ts";
import { registerCommands } from "../failure.ts";
import { RunLens, SELECTOR } from "../functions/lens.ts";
import { InputMemory } from "../inputs/memory.ts";
import type { Shell } from "../shell.ts";
import { registerTools } from "../tools/register.ts";
import { resultsActions, runHandlers } from "./commands.ts";
import { Documents } from "./documents.ts";
import { Findings } from "./findings.ts";
import { InlineErrors } from "./inline-errors.ts";
import { Launcher } from "./launch.ts";
import { noticeEnds } from "./notices.ts";
import { Problems } from "./problems.ts";
import { PythonPrograms } from "./python-programs.ts";
import { ResultsView } from "./results-view.ts";
import { noteRunJobs } from "./run-origins.ts";
import { Runs } from "./runs.ts";

/** Starts nothing, unless an earlier window has left a run under way: that goes on. */
export function registerRuns(context: vscode.ExtensionContext, shell: Shell): { readonly runs: Runs; readonly launcher: Launcher } {
  const runs = new Runs(context.workspaceState);
  const documents = new Documents();
  const launcher = new Launcher({ context, shell, runs, python: new PythonPrograms(context) });
  const memory = new InputMemory(context.workspaceState);
  const lens = new RunLens();
  const findings = new Findings(runs);
  const view = new ResultsView(runs, resultsActions({ documents, shell }), context.extensionUri);
  context.subscriptions.push(
    registerCommands(shell.output, runHandlers({ runs, launcher, memory, documents, shell })),
    runs,
    documents,
    lens,
    vscode.languages.registerCodeLensProvider(SELECTOR, lens),
    view,
    // Its page is small, and a person who looks at the log in between finds the place again where it was left.
    vscode.window.registerWebviewViewProvider(VIEWS.results, view, { webviewOptions: { retainContextWhenHidden: true } }),
    findings,
    new Problems(findings),
    new InlineErrors(findings),
    noticeEnds(runs, () => vscode.window.state.focused),
    noteRunJobs(runs, launcher, shell.origins),
    keepRunContexts(runs),
    registerTools(shell, launcher, runs),
  );
  launcher.resumeAll();
  return { runs, launcher };
}

function keepRunContexts(runs: Runs): vscode.Disposable {
  let told = "";
  const update = () => {
    const run = runs.current;
    const state = run === undefined ? "none" : run.isOver ? "over" : "running";
    const hasFailed = (run?.rows.failed ?? 0) > 0;
    if (told === `${state} ${hasFailed}`) return;
    told = `${state} ${hasFailed}`;
    void vscode.commands.executeCommand("setContext", CONTEXTS.run, state);
    void vscode.commands.executeCommand("setContext", CONTEXTS.runHasFailed, hasFailed);
  };
  update();
  return vscode.Disposable.from(runs.onDidChange(update), runs.onDidSelect(update));
}
