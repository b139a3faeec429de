/** What a start on Google Cloud asks and shows: questions that wait for an answer, and notifications with a way out. */
import * as vscode from "vscode";
import { Declined } from "../failure.ts";
import { commandIn, signInQuestion } from "../view/cloud.ts";
import type { Question } from "../view/questions.ts";
import type { Trouble } from "./state.ts";

const OPEN_TERMINAL = "Open Terminal";
const TRY_AGAIN = "Try Again";

export type Report = vscode.Progress<{ message?: string; increment?: number }>;

/** Asks once. @throws Declined unless the answer is yes. */
export async function agree({ message, detail }: Question, yes: string): Promise<void> {
  if ((await vscode.window.showWarningMessage(message, { modal: true, detail }, yes)) !== yes) throw new Declined("nothing was started");
}

/** Says how to sign in; the terminal gets the command, and the user runs it. @throws Declined unless it is to be tried again. */
export async function askToSignIn(trouble: Trouble): Promise<void> {
  const { message, detail } = signInQuestion(trouble);
  const command = commandIn(trouble.cure);
  const choice = await vscode.window.showErrorMessage(message, { modal: true, detail }, TRY_AGAIN, ...(command === null ? [] : [OPEN_TERMINAL]));
  if (choice === TRY_AGAIN) return;
  if (choice === OPEN_TERMINAL && command !== null) {
    const terminal = vscode.window.createTerminal("Google Cloud");
    terminal.show();
    terminal.sendText(command, false);
  }
  throw new Declined("there are no credentials");
}

/** A notification with a way out. @throws Declined when it is taken. */
export async function progress<Value>(title: string, act: (report: Report, signal: AbortSignal) => Promise<Value>): Promise<Value> {
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title, cancellable: true }, (report, cancellation) => {
    const abort = new AbortController();
    cancellation.onCancellationRequested(() => abort.abort(new Declined("it was cancelled")));
    return act(report, abort.signal);
  });
}

/** What only looks may go on unheard. */
export function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const aborted = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }));
  return Promise.race([work, aborted]);
}
