/** Output, logs, settings, and first steps. */
import * as vscode from "vscode";
import type { LoadControl } from "./clusters/control.ts";
import { LOCAL_ID } from "./clusters/state.ts";
import { COMMANDS, WALKTHROUGH } from "./contributions.ts";
import { EXAMPLE, EXAMPLE_NOTEBOOK } from "./example.ts";
import type { Handler } from "./failure.ts";

export interface HelpParts {
  readonly context: vscode.ExtensionContext;
  readonly output: vscode.LogOutputChannel;
  readonly loadControl: LoadControl;
}

export function helpHandlers({ context, output, loadControl }: HelpParts): Record<string, Handler> {
  const extensionId = context.extension.id;
  return {
    [COMMANDS.showOutput]: () => output.show(),
    [COMMANDS.openClusterLog]: () => openClusterLog(loadControl),
    [COMMANDS.openExample]: async () => vscode.window.showTextDocument(await exampleFile(context.globalStorageUri, "score.ts", EXAMPLE)),
    [COMMANDS.openExampleNotebook]: async () => vscode.commands.executeCommand("vscode.open", await exampleFile(context.globalStorageUri, "simulate.ipynb", EXAMPLE_NOTEBOOK)),
    [COMMANDS.openWalkthrough]: () => vscode.commands.executeCommand("workbench.action.openWalkthrough", `${extensionId}#${WALKTHROUGH}`, false),
    [COMMANDS.openSettings]: () => vscode.commands.executeCommand("workbench.action.openSettings", `@ext:${extensionId}`),
  };
}

/** What the services of the local cluster have to say. */
async function openClusterLog(loadControl: LoadControl): Promise<void> {
  const { clusterLogPath } = await loadControl();
  try {
    await vscode.window.showTextDocument(vscode.Uri.file(clusterLogPath(LOCAL_ID)), { preview: true });
  } catch (cause) {
    throw new Error("The local cluster has not run on this machine yet: it has no log.", { cause });
  }
}

/** A file of the user's own from then on: it is not written twice. */
async function exampleFile(storage: vscode.Uri, name: string, text: string): Promise<vscode.Uri> {
  const folder = vscode.Uri.joinPath(storage, "example");
  const file = vscode.Uri.joinPath(folder, name);
  const isThere = await vscode.workspace.fs.stat(file).then(() => true, () => false);
  if (!isThere) {
    await vscode.workspace.fs.createDirectory(folder);
    await vscode.workspace.fs.writeFile(file, Buffer.from(text));
  }
  return file;
}
