/** What a job needs before it can run: a cluster that takes it. */
import * as vscode from "vscode";
import { Declined } from "../failure.ts";
import { COMMANDS } from "../contributions.ts";
import { autoStart, setAutoStart } from "../settings.ts";
import { requireTrust } from "../trust.ts";
import type { ClusterHub } from "./hub.ts";
import type { KnownClusters } from "./known-clusters.ts";
import type { CloudStarter } from "./cloud-start.ts";
import type { ClusterStarter } from "./start.ts";
import type { ClusterRef, ClusterState, LinkKind } from "./state.ts";
import type { Target, ClusterWatchers } from "./watchers.ts";

const START = "Start Cluster";
const ALWAYS = "Always Start";
const TRY_AGAIN = "Try Again";
const CHOOSE = "Choose Cluster…";
/** From these something follows by itself. */
const PASSING: readonly LinkKind[] = ["connecting", "starting", "stopping"];

export interface ReadyCluster {
  readonly ref: ClusterRef;
  /** For the option `cluster` of a call. */
  readonly target: Target;
}

export interface EnsureParts {
  readonly hub: ClusterHub;
  readonly watchers: ClusterWatchers;
  readonly known: KnownClusters;
  readonly starter: ClusterStarter;
  readonly cloudStarter: CloudStarter;
}

/**
 * The current cluster, ready for a job. When it does not run it is started, with the user's consent, and the caller goes
 * on by itself.
 * @throws Declined when the user does not want that; BurlaError when it does not start.
 */
export async function ensureCluster(parts: EnsureParts, signal: AbortSignal): Promise<ReadyCluster> {
  requireTrust("Running a function");
  const { hub, known } = parts;
  const { ref } = hub.current;
  const state = await settled(parts, ref.id, signal);
  if (state.link.kind !== "online") await (ref.kind === "local" ? startLocal(parts, state) : askAboutRemote(parts, state, signal));
  return { ref, target: await known.target(ref.id) };
}

async function settled({ hub, watchers }: EnsureParts, id: string, signal: AbortSignal): Promise<ClusterState> {
  watchers.watch(id);
  return hub.until(id, ({ link }) => !PASSING.includes(link.kind), signal);
}

async function startLocal({ starter }: EnsureParts, { link }: ClusterState): Promise<void> {
  const consent = autoStart();
  if (consent === "never") {
    await vscode.commands.executeCommand(COMMANDS.showActions);
    throw new Declined("no cluster is running");
  }
  if (consent === "ask") await askToStart(link.kind === "unreachable" ? "The local cluster does not answer." : "No cluster is running.");
  await starter.start();
}

async function askToStart(what: string): Promise<void> {
  const choice = await vscode.window.showInformationMessage(`${what} Start one on this machine? The function runs when it is ready.`, START, ALWAYS, CHOOSE);
  if (choice === ALWAYS) await setAutoStart("always");
  if (choice === CHOOSE) void vscode.commands.executeCommand(COMMANDS.chooseCluster);
  if (choice !== START && choice !== ALWAYS) throw new Declined("the cluster was not started");
}

async function askAboutRemote(parts: EnsureParts, { ref, link }: ClusterState, signal: AbortSignal): Promise<void> {
  const why = link.kind === "unreachable" || link.kind === "error" ? link.trouble.message : "it has ended";
  const mayStart = ref.kind === "cloud" && link.kind === "off";
  const choice = await vscode.window.showWarningMessage(`${ref.label} cannot take the job: ${why}`, mayStart ? START : TRY_AGAIN, CHOOSE);
  if (choice === CHOOSE) void vscode.commands.executeCommand(COMMANDS.chooseCluster);
  if (choice === START) return parts.cloudStarter.start(ref.id);
  if (choice !== TRY_AGAIN) throw new Declined("the cluster is not there");
  parts.watchers.again(ref.id);
  const state = await settled(parts, ref.id, signal);
  if (state.link.kind !== "online") await askAboutRemote(parts, state, signal);
}
