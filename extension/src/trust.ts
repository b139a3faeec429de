/** What runs code of the workspace needs the user's trust in it; looking does not. */
import * as vscode from "vscode";
import { Declined } from "./failure.ts";

const MANAGE = "Manage Workspace Trust";

/**
 * @param what as the subject of a sentence, such as `Running a function`.
 * @throws Declined in a workspace that is not trusted, after it has been said why.
 */
export function requireTrust(what: string): void {
  if (vscode.workspace.isTrusted) return;
  void vscode.window.showWarningMessage(`${what} runs code of this workspace, which is not trusted.`, MANAGE).then((choice) => {
    if (choice === MANAGE) void vscode.commands.executeCommand("workbench.trust.manage");
  });
  throw new Declined("the workspace is not trusted");
}
