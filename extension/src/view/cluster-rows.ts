/** The rows of the tree "Clusters": clusters, their nodes, and the containers of a node. */
import type { ClusterStatus, NodeSummary } from "burla/control";
import { liveJobs, type ClusterState, type Link } from "../clusters/state.ts";
import { dollars } from "../../../client/src/dollars.ts";
import { startingWords } from "./status-bar-view.ts";
import { COLOR, icon, type Icon, type Row } from "./row.ts";
import { clockText, coresText, countText, escapeMarkdown, memoryText, nodeStateText } from "./texts.ts";

type Worker = NodeSummary["workers"][number];

/** How it stands among the others. */
export interface Standing {
  readonly isCurrent: boolean;
  /** There is no other to choose. */
  readonly isOnly: boolean;
}

export function clusterRow(state: ClusterState, { isCurrent, isOnly }: Standing): Row {
  const { ref, link, status } = state;
  const hasRows = status !== null && status.nodes.length > 0;
  return {
    // The editor keeps a row closed that had nothing below it: one that has something now is another row.
    id: hasRows ? ref.id : `${ref.id}/empty`,
    label: `${ref.label}: ${linkWord(link)}`,
    description: [isCurrent && !isOnly ? "current" : "", clusterDetail(state)].filter((part) => part !== "").join(" · "),
    tooltip: clusterTooltip(state),
    icon: clusterIcon(link),
    contextValue: `cluster:${ref.kind}:${link.kind}:${isCurrent ? "current" : "other"}`,
    expandable: hasRows ? "open" : "no",
  };
}

/** Such as `running` or `starting (1/2)`. */
export function linkWord(link: Link): string {
  if (link.kind === "online") return "running";
  return link.kind === "starting" ? startingWords(link) : link.kind;
}

/** What runs on it, or what is wrong with it. */
function clusterDetail({ link, status }: ClusterState): string {
  if (link.kind === "unreachable" || link.kind === "error") return link.trouble.message.split("\n")[0] ?? "";
  if (link.kind !== "online" || status === null) return "";
  const jobs = liveJobs(status).length;
  const cost = status.costPerHour === null ? [] : [`${dollars(status.costPerHour)}/h`];
  return [countText(status.nodes.length, "node"), jobs === 0 ? "idle" : countText(jobs, "job"), ...cost].join(" · ");
}

const CLUSTER_ICONS: Record<Link["kind"], Icon> = {
  off: icon("circle-slash", COLOR.quiet),
  connecting: icon("loading~spin"),
  starting: icon("loading~spin"),
  online: icon("vm-active", COLOR.good),
  stopping: icon("loading~spin"),
  unreachable: icon("warning", COLOR.warning),
  error: icon("error", COLOR.bad),
};

function clusterIcon(link: Link): Icon {
  return CLUSTER_ICONS[link.kind];
}

function clusterTooltip({ ref, link, status }: ClusterState): string {
  const lines = [`**${escapeMarkdown(ref.label)}**: ${linkWord(link)}`];
  if (ref.url !== null) lines.push(escapeMarkdown(ref.url));
  if (ref.kind === "cloud") lines.push("On Google Cloud");
  if (link.kind === "unreachable" || link.kind === "error") lines.push(escapeMarkdown(link.trouble.message), escapeMarkdown(link.trouble.cure));
  if (link.kind === "online" && status !== null) lines.push(...onlineLines(status));
  return lines.join("\n\n");
}

function onlineLines(status: ClusterStatus): string[] {
  const idle = status.idleDeadline === null ? [] : [`Ends by itself at ${clockText(status.idleDeadline)} unless it is used`];
  const cost = status.costPerHour === null ? [] : [`Costs about ${escapeMarkdown(dollars(status.costPerHour))} per hour now`];
  return [coresText(status), ...cost, ...status.troubles.map(escapeMarkdown), ...idle, `Version ${escapeMarkdown(status.version)}`];
}

const NODE_ICONS: Record<string, Icon> = {
  BOOTING: icon("loading~spin"),
  READY: icon("pass", COLOR.good),
  RUNNING: icon("run-all", COLOR.good),
  REBOOTING: icon("sync~spin"),
  FAILED: icon("error", COLOR.bad),
  DELETED: icon("trash", COLOR.quiet),
};

export function nodeRow(clusterId: string, node: NodeSummary, jobs: ClusterStatus["jobs"]): Row {
  const working = jobs.filter(({ jobId }) => node.jobs.includes(jobId)).map(({ name }) => name);
  return {
    id: `${clusterId}/${node.nodeId}`,
    label: `${node.nodeId}: ${stateWord(node)}`,
    description: [working.join(", "), machineText(node), containersText(node.workers)].filter((part) => part !== "").join(" · "),
    tooltip: nodeTooltip(node, working),
    icon: NODE_ICONS[node.state] ?? icon("vm"),
    contextValue: `node:${node.state.toLowerCase()}`,
    expandable: node.workers.length > 0 ? "closed" : "no",
  };
}

/** After a job a node makes its containers anew, which is nothing to worry about. */
function stateWord(node: NodeSummary): string {
  return node.state === "REBOOTING" ? "fresh containers soon" : nodeStateText(node);
}

/** Such as `e2-standard-4, 4 cores, 16 GiB`. */
function machineText({ machineType, cpu, ramMiB }: NodeSummary): string {
  return `${machineType}, ${countText(cpu, "core")}, ${memoryText(ramMiB)}`;
}

/** Such as `2 containers`. */
function containersText(workers: readonly Worker[]): string {
  return countText(workers.length, "container");
}

function nodeTooltip(node: NodeSummary, working: readonly string[]): string {
  const lines = [`**${escapeMarkdown(node.nodeId)}**: ${nodeStateText(node)}`];
  if (node.state === "REBOOTING") lines.push("After each job its containers are made anew; it takes the next job when they are ready.");
  if (node.reason !== "") lines.push(escapeMarkdown(node.reason));
  lines.push(`Machine: ${machineText(node)}`);
  if (working.length > 0) lines.push(`Works on ${working.map(escapeMarkdown).join(", ")}`);
  return lines.join("\n\n");
}

export function containerRow(nodeRowId: string, worker: Worker, jobs: ClusterStatus["jobs"]): Row {
  const job = jobs.find(({ jobId }) => jobId === worker.jobId);
  return {
    id: `${nodeRowId}/${worker.workerId}`,
    label: `${worker.workerId}: ${worker.state}`,
    description: [job?.name ?? "", worker.runtime, `pid ${worker.pid}`].filter((part) => part !== "").join(" · "),
    tooltip: `**${escapeMarkdown(worker.workerId)}**: ${escapeMarkdown(worker.state)}`,
    icon: icon("package"),
    contextValue: "container",
    expandable: "no",
  };
}
