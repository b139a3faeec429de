/** What a job needs before it can run: a cluster that takes it. */
import * as vscode from "vscode";
import { Declined } from "../failure.ts";
import { COMMANDS } from "../contributions.ts";
import { autoStart, setAutoStart } from "../settings.ts";
import { requireTrust } from "../trust.ts";
import type { ClusterHub } from "./hub.ts";
import type { Asking, Question, Questions } from "./questions.ts";
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
  readonly questions: Questions;
}

/**
 * The current cluster, ready for a job. When it does not run it is started, with the user's consent, and the caller goes
 * on by itself: also when the cluster is started, or another one is chosen, without the question being answered.
 * @throws Declined when the user does not want that; BurlaError when it does not start.
 */
export async function ensureCluster(parts: EnsureParts, asking: Asking): Promise<ReadyCluster> {
  requireTrust("Running a function");
  const { hub, known } = parts;
  for (;;) {
    const { ref } = hub.current;
    const state = await settled(parts, ref.id, asking.signal);
    if (state.link.kind === "online") return { ref, target: await known.target(ref.id) };
    if (ref.kind === "local") await startLocal(parts, state, asking);
    else await reachRemote(parts, state, asking);
  }
}

async function settled({ hub, watchers }: EnsureParts, id: string, signal: AbortSignal): Promise<ClusterState> {
  watchers.watch(id);
  return hub.until(id, ({ link }) => !PASSING.includes(link.kind), signal);
}

async function startLocal(parts: EnsureParts, state: ClusterState, asking: Asking): Promise<void> {
  const { starter } = parts;
  const consent = autoStart();
  if (consent === "always") return starter.start();
  if (consent === "never") {
    await vscode.commands.executeCommand(COMMANDS.showActions);
    throw new Declined("no cluster is running");
  }
  const what = state.link.kind === "unreachable" ? "The local cluster does not answer." : "No cluster is running.";
  const answer = await ask(parts, state, { text: `${what} Start one on this machine? The function runs when it is ready.`, answers: [START, ALWAYS, CHOOSE] }, asking);
  if (answer === ALWAYS) await setAutoStart("always");
  if (answer === START || answer === ALWAYS) await starter.start();
}

async function reachRemote(parts: EnsureParts, state: ClusterState, asking: Asking): Promise<void> {
  const { ref, link } = state;
  const why = link.kind === "unreachable" || link.kind === "error" ? link.trouble.message : "it has ended";
  const first = ref.kind === "cloud" && link.kind === "off" ? START : TRY_AGAIN;
  const answer = await ask(parts, state, { text: `${ref.label} cannot take the job: ${why}`, answers: [first, CHOOSE] }, asking);
  if (answer === START) await parts.cloudStarter.start(ref.id);
  if (answer === TRY_AGAIN) parts.watchers.again(ref.id);
}

/** @returns null when there is a way on without an answer. @throws Declined when the user closes the question. */
async function ask({ hub, questions }: EnsureParts, { ref }: ClusterState, question: Question, asking: Asking): Promise<string | null> {
  const over = new AbortController();
  const isOver = ({ id }: ClusterRef, { kind }: ClusterState["link"]) => id !== ref.id || kind === "online" || kind === "starting";
  const wayOn = hub.untilCurrent((current) => isOver(current.ref, current.link), AbortSignal.any([over.signal, asking.signal]));
  wayOn.catch(() => undefined);
  try {
    const answer = await questions.ask(question, wayOn, asking);
    if (answer === undefined) throw new Declined("the cluster was not started");
    if (answer === CHOOSE) await vscode.commands.executeCommand(COMMANDS.chooseCluster);
    return answer;
  } finally {
    over.abort();
  }
}
