/** An assistant runs a function on the cluster, after the user has agreed to machines and cost. */
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import * as vscode from "vscode";
import { languageOf, outlineOf } from "../functions/languages.ts";
import type { RunnableFunction } from "../functions/meant.ts";
import { formatOf } from "../inputs/sources.ts";
import type { InputSource } from "../runner/messages.ts";
import type { Launcher } from "../runs/launch.ts";
import type { Run } from "../runs/run.ts";
import { ALL_ROWS } from "../runs/row-store.ts";
import { BY_INPUT } from "../runs/row-order.ts";
import { viewRun } from "../runs/view-model.ts";
import type { Shell } from "../shell.ts";
import { machinesAndCost } from "./cost.ts";
import { parseInput, runInput, type RunInput } from "./inputs.ts";

/** Results that the answer tells; the results view has all. */
const MAX_TOLD = 20;

export class RunFunctionTool {
  readonly #shell: Pick<Shell, "hub">;
  readonly #launcher: Launcher;

  constructor(shell: Pick<Shell, "hub">, launcher: Launcher) {
    this.#shell = shell;
    this.#launcher = launcher;
  }

  /** Asks for consent: what runs where, and what it costs. */
  prepareInvocation({ input }: vscode.LanguageModelToolInvocationPrepareOptions<RunInput>): vscode.PreparedToolInvocation {
    const { functionName, file, inputs, inputsFile, inputsExpression } = parseInput(runInput, input);
    const what = inputs !== undefined ? `${inputs.length} ${inputs.length === 1 ? "input" : "inputs"}` : (inputsFile ?? inputsExpression ?? "");
    const message = new vscode.MarkdownString();
    message.appendText(`Runs ${functionName} of ${file} over ${what}. ${machinesAndCost(this.#shell.hub.current)}`);
    return { invocationMessage: `Running ${functionName} on Burla`, confirmationMessages: { title: `Run ${functionName} on Burla?`, message } };
  }

  /** @throws Error whose text an assistant can act on. */
  async invoke({ input }: vscode.LanguageModelToolInvocationOptions<RunInput>, token: vscode.CancellationToken): Promise<string> {
    const parsed = parseInput(runInput, input);
    const fn = await functionOf(parsed);
    const abort = new AbortController();
    const stop = token.onCancellationRequested(() => abort.abort());
    try {
      return answerOf(await this.#launcher.run(fn, sourceOf(parsed, fn.uri), { signal: abort.signal }));
    } finally {
      stop.dispose();
    }
  }
}

async function functionOf({ file, functionName }: RunInput): Promise<RunnableFunction> {
  const uri = vscode.Uri.file(pathOf(file));
  if (!existsSync(uri.fsPath)) throw new Error(`there is no file ${file}`);
  const document = await vscode.workspace.openTextDocument(uri);
  const language = languageOf(document.languageId);
  if (language === undefined) throw new Error(`${file} is neither TypeScript nor JavaScript`);
  const { functions } = outlineOf(document.getText(), language);
  const found = functions.find(({ name, label }) => name === functionName || label === functionName);
  if (found === undefined) throw new Error(`${file} has no function ${functionName} at its top level; it has ${functions.map(({ label }) => label).join(", ") || "none"}`);
  return { uri, ref: { kind: "named", name: found.name }, label: found.label };
}

function sourceOf({ inputs, inputsFile, inputsExpression }: RunInput, uri: vscode.Uri): InputSource {
  if (inputs !== undefined) return { kind: "expression", text: JSON.stringify(inputs) };
  if (inputsExpression !== undefined) return { kind: "expression", text: inputsExpression };
  const path = pathOf(inputsFile ?? "", uri);
  const format = formatOf(path);
  if (format === null) throw new Error(`${path}: the name must end with .json, .ndjson, .jsonl, .csv, .tsv or .txt`);
  return { kind: "file", path, format };
}

/** Relative paths count from the workspace folder. */
function pathOf(path: string, beside?: vscode.Uri): string {
  if (isAbsolute(path)) return path;
  const folder = (beside === undefined ? undefined : vscode.workspace.getWorkspaceFolder(beside)) ?? vscode.workspace.workspaceFolders?.[0];
  if (folder === undefined) throw new Error("no folder is open: give an absolute path");
  return join(folder.uri.fsPath, path);
}

function answerOf(run: Run): string {
  const { record, rows } = run;
  const { status, problem } = viewRun({ record, progress: null, question: null, rows, nowMs: Date.now() });
  const lines = [`${record.label}: ${status}`];
  if (problem !== null) lines.push(`${problem.message} ${problem.cure}`);
  const failed = rows.failedIndexes();
  for (const index of failed.slice(0, MAX_TOLD)) {
    const row = rows.get(index);
    lines.push(`input ${index} (${row?.input ?? ""}) failed: ${row?.text ?? ""}${row?.place == null ? "" : ` at ${row.place.file}:${row.place.line}`}`);
  }
  const shown = rows.shown({ ...ALL_ROWS, order: BY_INPUT }).filter((index) => rows.get(index)?.isFailed === false);
  for (const index of shown.slice(0, MAX_TOLD)) lines.push(`input ${index} (${rows.get(index)?.input ?? ""}): ${rows.get(index)?.text ?? ""}`);
  if (shown.length > MAX_TOLD || failed.length > MAX_TOLD) lines.push("The results view in the editor shows all of them.");
  return lines.join("\n");
}
