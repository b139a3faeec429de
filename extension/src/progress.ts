/** A notification with how far something long is, and a way out. */
import * as vscode from "vscode";
import { Declined } from "./failure.ts";

export type Report = vscode.Progress<{ message?: string; increment?: number }>;

/** @throws Declined, by the signal, when the way out is taken. */
export async function progress<Value>(title: string, act: (report: Report, signal: AbortSignal) => Promise<Value>): Promise<Value> {
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title, cancellable: true }, (report, cancellation) => {
    const abort = new AbortController();
    cancellation.onCancellationRequested(() => abort.abort(new Declined("it was cancelled")));
    return act(report, abort.signal);
  });
}
