/** The door of the extension: a list of registrations. Nothing here may fail, and nothing runs before its first use. */
import * as vscode from "vscode";
import { createShell, type Shell } from "./shell.ts";

/** What the tests in the extension host look into. No promise to other extensions: they get nothing. */
export interface ExtensionApi {
  readonly shell: Shell;
}

export function activate(context: vscode.ExtensionContext): ExtensionApi | undefined {
  const shell = createShell(context);
  return context.extensionMode === vscode.ExtensionMode.Test ? { shell } : undefined;
}
