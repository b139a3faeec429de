/** The Python client as the extension carries it, for kernels that another extension owns. Read when it is needed. */
import * as vscode from "vscode";
import type { PythonClient } from "@burla/kernel-bridge/python";
import { localOptions } from "../settings.ts";

export async function pythonClient(extensionUri: vscode.Uri): Promise<PythonClient> {
  const dist = vscode.Uri.joinPath(extensionUri, "extension", "dist", "node_modules", "burla", "dist");
  const { readSources } = await import("@burla/kernel-bridge/python");
  const { nodePath } = await localOptions();
  return {
    sources: await readSources([vscode.Uri.joinPath(dist, "python").fsPath]),
    command: [nodePath ?? process.execPath, vscode.Uri.joinPath(dist, "cli.js").fsPath],
  };
}
