/** What a start on Google Cloud asks: questions that wait for an answer. */
import * as vscode from "vscode";
import { Declined } from "../failure.ts";
import { commandIn, signInQuestion } from "../view/cloud.ts";
import type { Question } from "../view/questions.ts";
import type { Trouble } from "./state.ts";

const OPEN_TERMINAL = "Open Terminal";
const TRY_AGAIN = "Try Again";

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
