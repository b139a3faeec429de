/** Choosing the current cluster, adding one, and taking one off the list. */
import * as vscode from "vscode";
import { Declined, troubleOf } from "../failure.ts";
import { COMMANDS, type CommandId } from "../contributions.ts";
import { linkWord } from "../view/cluster-rows.ts";
import { refreshCloud } from "./cloud-list.ts";
import { nameProblem, normalizeUrl, urlProblem } from "./cluster-setting.ts";
import type { LoadControl } from "./control.ts";
import type { ClusterHub } from "./hub.ts";
import type { KnownClusters } from "./known-clusters.ts";
import { LOCAL_ID, type ClusterKind, type ClusterRef } from "./state.ts";
import type { ClusterWatchers } from "./watchers.ts";

const DIAL_TIMEOUT_MS = 10_000;
const ADD_ANYWAY = "Add Anyway";
const REMOVE = "Remove";

export interface ChooseParts {
  readonly hub: ClusterHub;
  readonly watchers: ClusterWatchers;
  readonly known: KnownClusters;
  readonly loadControl: LoadControl;
}

interface ClusterItem extends vscode.QuickPickItem {
  /** Null for the entries that make one known. */
  readonly ref: ClusterRef | null;
  readonly command?: CommandId;
}

const ICONS: Readonly<Record<ClusterKind, string>> = { local: "device-desktop", cloud: "cloud", address: "server-environment" };

export async function chooseCluster(parts: ChooseParts): Promise<void> {
  const { hub } = parts;
  await refreshCloud(parts);
  const items: ClusterItem[] = hub.all().map(({ ref, link }) => ({
    label: `$(${ICONS[ref.kind]}) ${ref.label}`,
    description: [ref.id === hub.current.ref.id ? "current" : "", linkWord(link)].filter((part) => part !== "").join(" · "),
    ...(ref.url === null ? {} : { detail: ref.url }),
    ref,
  }));
  const more: ClusterItem[] = [
    { label: "", kind: vscode.QuickPickItemKind.Separator, ref: null },
    { label: "$(cloud) Start a Cluster on Google Cloud…", ref: null, command: COMMANDS.startCloudCluster },
    { label: "$(add) Add Cluster…", ref: null, command: COMMANDS.addCluster },
  ];
  const choice = await vscode.window.showQuickPick([...items, ...more], { title: "Choose Cluster", placeHolder: "Jobs of this workspace run on", matchOnDetail: true });
  if (choice === undefined) return;
  if (choice.ref !== null) await use(parts, choice.ref.id);
  else if (choice.command !== undefined) await vscode.commands.executeCommand(choice.command);
}

/** Makes it the current one. */
export async function use({ hub, watchers }: Pick<ChooseParts, "hub" | "watchers">, id: string): Promise<void> {
  await hub.choose(id);
  watchers.watch(id);
}

/** Asks for address, token and name, tries them, and makes the cluster the current one. */
export async function addCluster(parts: ChooseParts): Promise<void> {
  const url = normalizeUrl(await ask({ title: "Add Cluster (1/3): address", prompt: "Address of the cluster's main service", placeHolder: "https://10.0.0.5:8443", validateInput: urlProblem }));
  if (url === null) return;
  const token = await askToken("Add Cluster (2/3): token");
  await tryAddress(parts.loadControl, url, token);
  const name = await ask({ title: "Add Cluster (3/3): name", prompt: "What it is called in the editor", value: new URL(url).hostname, validateInput: nameProblem });
  await parts.known.add({ name: name.trim(), url }, token);
  parts.hub.setRefs(parts.known.refs());
  parts.watchers.forget(url);
  await use(parts, url);
}

/** For a cluster that refuses the token, or whose token has been lost. */
export async function renewToken({ known }: Pick<ChooseParts, "known">, { label, id }: ClusterRef): Promise<void> {
  const token = await askToken(`Token for ${label}`);
  await known.add({ name: label, url: id }, token);
}

async function askToken(title: string): Promise<string> {
  const prompt = "Your token for this cluster. It is kept in the editor's secret storage.";
  return (await ask({ title, prompt, password: true, validateInput: (text) => (text.trim() === "" ? "The token that its owner gave you" : null) })).trim();
}

async function ask(options: vscode.InputBoxOptions): Promise<string> {
  const text = await vscode.window.showInputBox({ ignoreFocusOut: true, ...options });
  if (text === undefined) throw new Declined("nothing was added");
  return text;
}

/** @throws Declined when it does not answer and the user leaves it at that. */
async function tryAddress(loadControl: LoadControl, url: string, token: string): Promise<void> {
  const options = { location: vscode.ProgressLocation.Notification, title: `Trying ${url}`, cancellable: true };
  const problem = await vscode.window.withProgress(options, async (_, cancellation) => {
    const abort = new AbortController();
    cancellation.onCancellationRequested(() => abort.abort());
    return problemOf(await loadControl(), { url, token }, AbortSignal.any([abort.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]));
  });
  if (problem === null) return;
  const choice = await vscode.window.showWarningMessage(`The cluster cannot be used now: ${problem}`, { modal: true }, ADD_ANYWAY);
  if (choice !== ADD_ANYWAY) throw new Declined("nothing was added");
}

async function problemOf({ watchCluster }: Awaited<ReturnType<LoadControl>>, cluster: { url: string; token: string }, signal: AbortSignal): Promise<string | null> {
  try {
    for await (const heard of watchCluster(cluster, { signal })) {
      if (heard.phase === "starting" || heard.phase === "running") return null;
      return heard.phase === "refused" ? troubleOf(heard.error).message : heard.reason;
    }
    return "it did not answer in time";
  } catch (error) {
    return troubleOf(error).message;
  }
}

/** Takes it off the list; the cluster itself goes on. */
export async function removeCluster({ hub, watchers, known }: ChooseParts, id: string): Promise<void> {
  const { ref } = hub.state(id);
  if (ref.kind === "local") throw new Error("The local cluster is always there.");
  if (ref.kind === "cloud") throw new Error("A cluster on Google Cloud leaves the list when it is stopped.");
  const detail = "Its address and token are forgotten here. The cluster itself and its jobs go on.";
  const choice = await vscode.window.showWarningMessage(`Remove ${ref.label} from the list?`, { modal: true, detail }, REMOVE);
  if (choice !== REMOVE) throw new Declined("it stays");
  watchers.forget(id);
  await known.remove(id);
  hub.setRefs(known.refs());
  if (hub.current.ref.id === LOCAL_ID) await use({ hub, watchers }, LOCAL_ID);
}
