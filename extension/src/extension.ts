/** The door of the extension: a list of registrations. Nothing here may fail, and nothing runs before its first use. */
import type * as vscode from "vscode";
import { registerRuns } from "./runs/register.ts";
import { createShell } from "./shell.ts";

export function activate(context: vscode.ExtensionContext): void {
  registerRuns(context, createShell(context));
}
