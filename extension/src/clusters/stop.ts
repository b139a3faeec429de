/** Ends the cluster of this machine, and asks before anything is lost. */
import * as vscode from "vscode";
import { Declined, troubleOf } from "../failure.ts";
import { stopQuestion } from "../view/questions.ts";
import type { LoadControl } from "./control.ts";
import type { ClusterHub } from "./hub.ts";
import { LOCAL_ID } from "./state.ts";

const STOP = "Stop Cluster";

export interface StopParts {
  readonly hub: ClusterHub;
  readonly loadControl: LoadControl;
}

export interface StopOptions {
  /** Asks even when nothing is lost: the click was on a small button. */
  readonly alwaysAsk: boolean;
}

/**
 * Resolves when nothing of the cluster is left.
 * @throws Declined when the user says no, or does not wait for the end.
 */
export async function stopCluster(parts: StopParts, { alwaysAsk }: StopOptions): Promise<void> {
  const { hub } = parts;
  const { message, detail, losesSomething } = stopQuestion(hub.state(LOCAL_ID));
  if (losesSomething || alwaysAsk) {
    const choice = await vscode.window.showWarningMessage(message, { modal: true, detail }, STOP);
    if (choice !== STOP) throw new Declined("the cluster goes on");
  }
  const options = { location: vscode.ProgressLocation.Notification, title: "Stopping the local cluster", cancellable: true };
  await vscode.window.withProgress(options, async (progress, cancellation) => {
    progress.report({ message: "waiting until its processes have ended" });
    const noLonger = new Promise<never>((_, reject) => cancellation.onCancellationRequested(() => reject(new Declined("nobody waits for the end"))));
    await Promise.race([stop(parts), noLonger]);
  });
}

async function stop({ hub, loadControl }: StopParts): Promise<void> {
  hub.dispatch(LOCAL_ID, { type: "stopAsked" });
  try {
    const control = await loadControl();
    await control.stopCluster(LOCAL_ID);
    hub.dispatch(LOCAL_ID, { type: "heard", heard: { phase: "off", reason: "" } });
    hub.dispatch(LOCAL_ID, { type: "ended" });
  } catch (error) {
    hub.dispatch(LOCAL_ID, { type: "failed", trouble: troubleOf(error) });
    throw error;
  }
}
