/** Tools by which an assistant in the editor can use the cluster. Errors are answers: the assistant reads them. */
import * as vscode from "vscode";
import { TOOLS } from "../contributions.ts";
import { troubleOf } from "../failure.ts";
import type { Launcher } from "../runs/launch.ts";
import { lineText } from "../output/log-lines.ts";
import type { Runs } from "../runs/runs.ts";
import type { Shell } from "../shell.ts";
import { statusReport } from "./cost.ts";
import { logsInput, MAX_LOG_LINES, parseInput, type LogsInput } from "./inputs.ts";
import { RunFunctionTool } from "./run-tool.ts";

type ToolShell = Pick<Shell, "hub" | "known" | "loadControl">;

export function registerTools(shell: ToolShell, launcher: Launcher, runs: Runs): vscode.Disposable {
  const run = new RunFunctionTool(shell, launcher);
  return vscode.Disposable.from(
    vscode.lm.registerTool(TOOLS.clusterStatus, { invoke: () => answer(async () => statusReport(shell.hub.current)) }),
    vscode.lm.registerTool<LogsInput>(TOOLS.jobLogs, { invoke: ({ input }, token) => answer(() => jobLogs(shell, runs, input, token)) }),
    vscode.lm.registerTool(TOOLS.runFunction, {
      prepareInvocation: (options: vscode.LanguageModelToolInvocationPrepareOptions<never>) => run.prepareInvocation(options),
      invoke: (options: vscode.LanguageModelToolInvocationOptions<never>, token) => answer(() => run.invoke(options, token)),
    }),
  );
}

async function answer(work: () => Promise<string>): Promise<vscode.LanguageModelToolResult> {
  const text = await work().catch((error: unknown) => {
    const { message, cure } = troubleOf(error);
    return `It did not work: ${message} ${cure}`;
  });
  return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
}

/** The last lines of a job: of the one that is named, else of the last run of this window. */
async function jobLogs({ hub, known, loadControl }: ToolShell, runs: Runs, input: unknown, token: vscode.CancellationToken): Promise<string> {
  const { jobId = runs.current?.record.job?.jobId, maxLines = MAX_LOG_LINES } = parseInput(logsInput, input);
  if (jobId === undefined) throw new Error("name a job by its jobId; burla_clusterStatus lists them");
  const control = await loadControl();
  const abort = new AbortController();
  token.onCancellationRequested(() => abort.abort());
  const lines: string[] = [];
  let left = 0;
  for await (const line of control.jobLogs(jobId, { cluster: await known.target(hub.current.ref.id), signal: abort.signal })) {
    lines.push(lineText(line));
    if (lines.length > maxLines) {
      lines.shift();
      left++;
    }
  }
  if (lines.length === 0) return "The job has printed nothing.";
  return [...(left > 0 ? [`(${left} earlier lines are left out)`] : []), ...lines].join("\n");
}
