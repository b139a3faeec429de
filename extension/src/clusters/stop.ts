/** Ends a cluster of this machine or on Google Cloud, and asks before anything is lost. */
import * as vscode from "vscode";
import { Declined, troubleOf } from "../failure.ts";
import { removedText } from "../view/cloud.ts";
import { stopQuestion } from "../view/questions.ts";
import { countText } from "../view/texts.ts";
import { use } from "./choose.ts";
import { removeCloud, type CloudListParts } from "./cloud-list.ts";
import { LOCAL_ID, type ClusterRef } from "./state.ts";

const STOP = "Stop Cluster";

export interface StopOptions {
  readonly ref: ClusterRef;
  /** Asks even when nothing is lost: the click was on a small button. */
  readonly alwaysAsk: boolean;
}

/**
 * Resolves when nothing of the cluster is left.
 * @throws Declined when the user says no, or does not wait for the end.
 */
export async function stopCluster(parts: CloudListParts, { ref, alwaysAsk }: StopOptions): Promise<void> {
  if (ref.kind === "address") throw new Error(`${ref.label} is ended where it was started.`);
  const { message, detail, losesSomething } = stopQuestion(parts.hub.state(ref.id));
  if (losesSomething || alwaysAsk) {
    const choice = await vscode.window.showWarningMessage(message, { modal: true, detail }, STOP);
    if (choice !== STOP) throw new Declined("the cluster goes on");
  }
  const title = ref.kind === "local" ? "Stopping the local cluster" : `Stopping ${ref.label} on Google Cloud`;
  await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title, cancellable: true }, async (progress, cancellation) => {
    const noLonger = new Promise<never>((_, reject) => cancellation.onCancellationRequested(() => reject(new Declined("nobody waits for the end"))));
    await Promise.race([stop(parts, ref, (message) => progress.report({ message })), noLonger]);
  });
}

async function stop(parts: CloudListParts, ref: ClusterRef, say: (message: string) => void): Promise<void> {
  const { hub } = parts;
  hub.dispatch(ref.id, { type: "stopAsked" });
  try {
    await (ref.kind === "local" ? stopLocal(parts, say) : stopCloud(parts, ref, say));
    hub.dispatch(ref.id, { type: "heard", heard: { phase: "off", reason: "" } });
    hub.dispatch(ref.id, { type: "ended" });
  } catch (error) {
    hub.dispatch(ref.id, { type: "failed", trouble: troubleOf(error) });
    throw error;
  }
}

async function stopLocal({ loadControl }: CloudListParts, say: (message: string) => void): Promise<void> {
  say("waiting until its processes have ended");
  const control = await loadControl();
  await control.stopCluster(LOCAL_ID);
}

async function stopCloud(parts: CloudListParts, { id }: ClusterRef, say: (message: string) => void): Promise<void> {
  say("removing its machines");
  const wasCurrent = parts.hub.current.ref.id === id;
  const { removed } = await removeCloud(parts, id, (machines) => say(`${countText(machines, "machine")} left`));
  if (wasCurrent) await use(parts, LOCAL_ID);
  void vscode.window.showInformationMessage(removedText(id, removed));
}
