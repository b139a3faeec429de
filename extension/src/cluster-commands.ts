/** What can be done with clusters, from the palette, the trees and the status bar. */
import * as vscode from "vscode";
import { showActions } from "./actions.ts";
import { addCluster, chooseCluster, removeCluster, renewToken, use, type ChooseParts } from "./clusters/choose.ts";
import type { CloudStarter } from "./clusters/cloud-start.ts";
import type { ClusterStarter } from "./clusters/start.ts";
import { LOCAL_ID, type ClusterRef } from "./clusters/state.ts";
import { stopCluster } from "./clusters/stop.ts";
import { COMMANDS } from "./contributions.ts";
import type { Handler } from "./failure.ts";
import type { ClusterElement } from "./tree/clusters-tree.ts";

export interface ClusterParts extends ChooseParts {
  readonly starter: ClusterStarter;
  readonly cloudStarter: CloudStarter;
}

export function clusterHandlers(parts: ClusterParts): Record<string, Handler> {
  const { hub } = parts;
  const idOf = (element?: ClusterElement) => element?.ref.id ?? hub.current.ref.id;
  return {
    [COMMANDS.showActions]: () => showActions(hub),
    [COMMANDS.startCluster]: (element?: ClusterElement) => startAgain(parts, element?.ref ?? hub.current.ref),
    [COMMANDS.startCloudCluster]: () => parts.cloudStarter.start(),
    [COMMANDS.stopCluster]: (element?: ClusterElement) => stopCluster(parts, { ref: element?.ref ?? hub.current.ref, alwaysAsk: element !== undefined }),
    [COMMANDS.chooseCluster]: (element?: ClusterElement) => (element === undefined ? chooseCluster(parts) : use(parts, element.ref.id)),
    [COMMANDS.addCluster]: () => addCluster(parts),
    [COMMANDS.removeCluster]: async (element?: ClusterElement) => removeCluster(parts, element?.ref.id ?? (await pickRemote(parts))),
    [COMMANDS.reconnect]: (element?: ClusterElement) => reconnect(parts, idOf(element)),
  };
}

/** The cluster of this machine, unless one on Google Cloud is meant, which is made as it was. */
async function startAgain(parts: ClusterParts, { id, kind }: ClusterRef): Promise<void> {
  if (kind === "cloud") return parts.cloudStarter.start(id);
  await use(parts, LOCAL_ID);
  await parts.starter.start();
}

/** Asks for the token first, when it was the token. */
async function reconnect({ hub, watchers, known }: ClusterParts, id: string): Promise<void> {
  const { ref, link } = hub.state(id);
  if (ref.url !== null && link.kind === "error" && link.trouble.code === "BURLA_UNAUTHORIZED") await renewToken({ known }, ref);
  watchers.again(id);
}

async function pickRemote({ hub }: ClusterParts): Promise<string> {
  const items = hub.all().flatMap(({ ref }) => (ref.url === null ? [] : [{ label: ref.label, description: ref.url, id: ref.id }]));
  if (items.length === 0) throw new Error("There is no cluster on the list but the one of this machine, which is always there.");
  const choice = await vscode.window.showQuickPick(items, { placeHolder: "Remove which cluster from the list?" });
  if (choice === undefined) throw new vscode.CancellationError();
  return choice.id;
}
