/** Errors as people are told of them: what happened, what to do, and where there is more. */
import * as vscode from "vscode";
import type { Trouble } from "./clusters/state.ts";
import type { CommandId } from "./contributions.ts";

/** The user has said no, or has closed a question: nothing more is to be said. */
export class Declined extends Error {
  override name = "Declined";
}

/** Errors of Burla's own carry a code and a cure; they may come from another bundle, so their class is not asked. */
export function troubleOf(error: unknown): Trouble {
  const { code, cure } = (typeof error === "object" && error !== null ? error : {}) as { code?: unknown; cure?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  if (typeof code !== "string" || typeof cure !== "string") return { code: "", message, cure: "The output may say more." };
  return { code, cure, message: message.split(`\n  ${cure}`)[0] ?? message };
}

const SHOW_OUTPUT = "Show Output";

/** Logs the error with its stack, and tells the user. A declined question is neither. */
export function report(output: vscode.LogOutputChannel, what: string, error: unknown): void {
  if (isCancellation(error)) return;
  const { message, cure } = troubleOf(error);
  output.error(`${what}: ${error instanceof Error ? (error.stack ?? message) : message}`);
  void vscode.window.showErrorMessage(`${what}: ${sentence(message)} ${cure}`, SHOW_OUTPUT).then((choice) => {
    if (choice === SHOW_OUTPUT) output.show(true);
  });
}

function isCancellation(error: unknown): boolean {
  return error instanceof Declined || error instanceof vscode.CancellationError || (error instanceof Error && error.name === "AbortError");
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

export type Handler = (...args: never[]) => unknown;

/** Registers commands that tell of their errors instead of losing them. */
export function registerCommands(output: vscode.LogOutputChannel, handlers: Partial<Record<CommandId, Handler>>): vscode.Disposable {
  const registered = Object.entries(handlers).map(([id, handler]) =>
    vscode.commands.registerCommand(id, async (...args: never[]) => {
      try {
        return await handler(...args);
      } catch (error) {
        report(output, titleOf(id), error);
        return undefined;
      }
    }),
  );
  return vscode.Disposable.from(...registered);
}

/** Such as `Start cluster`, for the id `burla.startCluster`. */
function titleOf(id: string): string {
  const words = id.replace(/^burla\./, "").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
