/** The door of the extension: a list of registrations. Nothing here may fail, and nothing runs before its first use. */
import * as vscode from "vscode";
import { COMMANDS } from "./contributions.ts";

export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.commands.registerCommand(COMMANDS.showActions, () => vscode.window.showQuickPick(["Burla"])),
  );
}
