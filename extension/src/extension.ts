/** The door of the extension: a list of registrations. Nothing here may fail, and nothing runs before its first use. */
import * as vscode from "vscode";
import type { Controller } from "./notebooks/controller.ts";
import { registerNotebooks } from "./notebooks/register.ts";
import type { Sessions } from "./notebooks/sessions.ts";
import { registerRuns } from "./runs/register.ts";
import type { Launcher } from "./runs/launch.ts";
import type { Runs } from "./runs/runs.ts";
import { createShell, type Shell } from "./shell.ts";

/** What the tests in the extension host look into. No promise to other extensions: they get nothing. */
export interface ExtensionApi {
  readonly shell: Shell;
  readonly runs: Runs;
  readonly launcher: Launcher;
  readonly controller: Controller;
  readonly sessions: Sessions;
}

export function activate(context: vscode.ExtensionContext): ExtensionApi | undefined {
  const shell = createShell(context);
  const { runs, launcher } = registerRuns(context, shell);
  const { controller, sessions } = registerNotebooks(context, shell);
  return context.extensionMode === vscode.ExtensionMode.Test ? { shell, runs, launcher, controller, sessions } : undefined;
}
