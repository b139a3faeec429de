/** The status bar's tooltip as Markdown: what runs, when it ends by itself, and what may be done. */
import type { ClusterStatus } from "burla/control";
import { COMMANDS, type CommandId } from "../contributions.ts";
import { liveJobs, mayStop, type ClusterState, type LinkKind } from "../clusters/state.ts";
import { dollars } from "../../../client/src/dollars.ts";
import { clockText, coresText, countText, escapeMarkdown, jobStateText, nodeStateText, progressText } from "./texts.ts";

/** More jobs than this are told as a number. */
const MAX_JOBS = 5;

type Action = readonly [title: string, command: CommandId];
const START: Action = ["Start Cluster", COMMANDS.startCluster];
const STOP: Action = ["Stop Cluster…", COMMANDS.stopCluster];
const RECONNECT: Action = ["Try Again", COMMANDS.reconnect];
const CHOOSE: Action = ["Choose Cluster…", COMMANDS.chooseCluster];
const JOBS: Action = ["Show Jobs", COMMANDS.showJobs];
const OUTPUT: Action = ["Show Output", COMMANDS.showOutput];

/** The links of a tooltip. Those that end something ask before they do. */
export const TOOLTIP_COMMANDS: readonly CommandId[] = [START, STOP, RECONNECT, CHOOSE, JOBS, OUTPUT].map(([, command]) => command);

export function tooltipMarkdown(state: ClusterState): string {
  const links = actionsFor(state).map(([title, command]) => `[${title}](command:${command})`).join(" &nbsp;|&nbsp; ");
  return [`**${escapeMarkdown(state.ref.label)}**: ${headline(state)}`, ...details(state), links].join("\n\n");
}

function headline({ link, ref }: ClusterState): string {
  switch (link.kind) {
    case "off":
      return ref.kind === "local" ? "off. Running a function starts it." : "off";
    case "connecting":
      return "connecting";
    case "starting":
      return link.wanted === null ? "starting" : `starting, ${link.ready} of ${countText(link.wanted, "node")} ready`;
    case "online":
      return "running";
    case "stopping":
      return "stopping";
    case "unreachable":
      return "unreachable, trying again by itself";
    case "error":
      return "error";
  }
}

function details({ link, status }: ClusterState): string[] {
  if (link.kind === "unreachable" || link.kind === "error") return [escapeMarkdown(link.trouble.message), `*${escapeMarkdown(link.trouble.cure)}*`];
  return link.kind === "online" && status !== null ? onlineDetails(status) : [];
}

function onlineDetails(status: ClusterStatus): string[] {
  const jobs = liveJobs(status);
  const lines = [
    `$(server) ${nodesText(status)}`,
    `$(chip) ${coresText(status)}`,
    jobs.length === 0 ? "$(tasklist) no job is running" : `$(tasklist) ${countText(jobs.length, "job")}`,
    ...jobs.slice(0, MAX_JOBS).map((job) => `&nbsp;&nbsp;&nbsp;&nbsp;**${escapeMarkdown(job.name)}** ${escapeMarkdown(jobStateText(job))} (${escapeMarkdown(progressText(job))})`),
    ...(jobs.length > MAX_JOBS ? [`&nbsp;&nbsp;&nbsp;&nbsp;and ${jobs.length - MAX_JOBS} more`] : []),
  ];
  if (status.costPerHour !== null) lines.push(`$(credit-card) about ${escapeMarkdown(dollars(status.costPerHour))} per hour now`);
  lines.push(...status.troubles.map((trouble) => `$(warning) ${escapeMarkdown(trouble)}`));
  if (status.idleDeadline !== null) lines.push(`$(clock) ends by itself at ${clockText(status.idleDeadline)} unless it is used`);
  return [lines.join("  \n")];
}

/** Such as `3 nodes: 2 ready, 1 running`. */
export function nodesText({ nodes }: ClusterStatus): string {
  const counts = new Map<string, number>();
  for (const node of nodes) counts.set(nodeStateText(node), (counts.get(nodeStateText(node)) ?? 0) + 1);
  const parts = [...counts].map(([state, count]) => `${count} ${state}`);
  return `${countText(nodes.length, "node")}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`;
}

const ACTIONS: Record<LinkKind, readonly Action[]> = {
  off: [CHOOSE, OUTPUT],
  connecting: [CHOOSE, OUTPUT],
  starting: [OUTPUT],
  online: [JOBS, STOP, CHOOSE, OUTPUT],
  stopping: [OUTPUT],
  unreachable: [RECONNECT, CHOOSE, OUTPUT],
  error: [RECONNECT, CHOOSE, OUTPUT],
};

function actionsFor({ link, ref }: ClusterState): readonly Action[] {
  const mayStart = ref.kind !== "address" && (link.kind === "off" || link.kind === "error");
  const actions = ACTIONS[link.kind].filter((action) => action !== STOP || ref.kind !== "address");
  return [...(mayStart ? [START] : []), ...actions, ...(ref.kind === "cloud" && link.kind !== "online" && mayStop(ref, link) ? [STOP] : [])];
}
