/** `burla status`: the cluster's nodes, workers and jobs, once or as they change. */
import type { Command } from "commander";
import { LOCAL, resolveCluster, type ClusterTarget } from "../../cluster.ts";
import { readyNodes } from "../../control/state.ts";
import type { ClusterState, ClusterStatus } from "../../control/types.ts";
import { findCluster } from "../../control/find.ts";
import { dollars } from "../../dollars.ts";
import { EXIT, type ExitCode, type EndWith } from "../exit-codes.ts";
import { withoutCure } from "../failure.ts";
import { clusterOption, jsonOption, type ClusterOptions } from "../options.ts";
import { tableText } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { bytesText, countText, durationText } from "../texts.ts";
import { absenceText, watch, type WatchView } from "../watch.ts";
import { isUnderWay, jobsTable } from "./jobs.ts";

interface StatusFlags extends ClusterOptions {
  readonly watch?: boolean;
}

const BYTES_PER_MIB = 1024 * 1024;

const HELP = `
Exit status 3 when the cluster does not run. With --watch the picture changes as the cluster does, until Ctrl-C; where
stdout is no terminal, a line for each change, with --json the whole status.

Examples:
  $ burla status
  $ burla status --watch
  $ burla status --json | jq '.nodes[] | {nodeId, state}'`;

export function addStatus(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("status")
    .summary("the cluster's nodes, workers and jobs")
    .description("Show whether the cluster runs, its nodes and workers, the jobs that have not ended, and when it ends by itself.")
    .option("-w, --watch", "go on with every change, until Ctrl-C")
    .addOption(clusterOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (flags: StatusFlags) => endWith(await (flags.watch === true ? watch(terminal, flags, viewOf(flags)) : show(flags, terminal))));
}

async function show({ cluster, json }: StatusFlags, terminal: Terminal): Promise<ExitCode> {
  const found = await findCluster(cluster);
  if (json === true) await terminal.line(JSON.stringify(found === null ? { running: false } : { running: true, url: found.control.url, ...found.status }));
  else if (found === null) terminal.say(absentText(resolveCluster(cluster)));
  else await terminal.line(statusText(found.control.url, found.status));
  return found === null ? EXIT.unreachable : EXIT.ok;
}

function absentText({ key, label }: ClusterTarget): string {
  if (key === LOCAL) return "The cluster is not running.\n  `burla up` starts it; so does the first job.";
  return `The cluster ${label} does not answer.\n  Name another with --cluster or BURLA_CLUSTER, by its name or its URL.`;
}

function viewOf({ json }: StatusFlags): WatchView {
  return {
    screen: (state) => absenceText(state) ?? ("status" in state ? statusText(state.url, state.status) : ""),
    lines: (state, before) => {
      if (json === true) return [JSON.stringify(stateJson(state))];
      const line = lineText(state);
      return before !== null && lineText(before) === line ? [] : [line];
    },
  };
}

/** One object: the phase, whether it runs, and the status as far as it is known. */
function stateJson(state: ClusterState): object {
  if ("status" in state) {
    const { status, ...rest } = state;
    return { running: true, ...rest, ...status };
  }
  if (state.phase !== "refused") return { running: false, ...state };
  const { phase, url, error } = state;
  return { running: false, phase, url, error: { code: error.code, message: withoutCure(error), cure: error.cure } };
}

/** Such as `2 of 2 nodes ready, 1 of 2 processors in use, 1 job under way`. */
function lineText(state: ClusterState): string {
  if (!("status" in state)) return absenceText(state) ?? "";
  const { status } = state;
  const parts = [`${readyNodes(status)} of ${countText(Math.max(status.wantedNodes, status.nodes.length), "node")} ready`, usageText(status), `${countText(status.jobs.filter(isUnderWay).length, "job")} under way`];
  return parts.join(", ");
}

function usageText({ cpu, cpuInUse }: ClusterStatus): string {
  return `${cpuInUse} of ${countText(cpu, "processor")} in use`;
}

/** Such as `It ends itself in 10 min unless it is used.` */
export function idleText({ idleDeadline }: ClusterStatus, nowMs = Date.now()): string {
  return idleDeadline === null ? "It is in use." : `It ends itself in ${durationText(idleDeadline - nowMs)} unless it is used.`;
}

function statusText(url: string, status: ClusterStatus): string {
  const { nodes, jobs } = status;
  const workers = nodes.reduce((sum, node) => sum + node.workers.length, 0);
  const open = jobs.filter(({ endedAt }) => endedAt === null);
  return [
    `Cluster ${status.cluster} runs at ${url} (version ${status.version}, pid ${status.pid}) for ${durationText(Date.now() - status.startedAt)}. ${idleText(status)}`,
    ...costText(status),
    `${countText(nodes.length, "node")}, ${countText(workers, "worker")}, ${jobCounts(jobs).join(", ")}; ${usageText(status)}.`,
    ...(nodes.length === 0 ? [] : ["", nodesTable(nodes)]),
    ...(open.length === 0 ? [] : ["", jobsTable(open)]),
  ].join("\n");
}

/** Such as `1 job under way`, `2 interrupted`, `3 ended`; interrupted ones only where there are some. */
function jobCounts(jobs: ClusterStatus["jobs"]): string[] {
  const underWay = jobs.filter(isUnderWay).length;
  const ended = jobs.filter(({ endedAt }) => endedAt !== null).length;
  const interrupted = jobs.length - underWay - ended;
  const counted = (count: number, what: string) => `${count.toLocaleString("en-US")} ${what}`;
  return [`${countText(underWay, "job")} under way`, ...(interrupted > 0 ? [counted(interrupted, "interrupted")] : []), counted(ended, "ended")];
}

/** What it costs, until when, and what keeps machines from being made. */
function costText({ costPerHour, endsAt, troubles, wantedNodes, nodes }: ClusterStatus): string[] {
  const cost = costPerHour === null ? [] : [`It costs about ${dollars(costPerHour)} per hour now.`];
  const end = endsAt === null ? [] : [`It ends at ${new Date(endsAt).toISOString()}.`];
  const missing = costPerHour !== null && nodes.length < wantedNodes ? [`${nodes.length} of ${countText(wantedNodes, "node")} there.`] : [];
  const first = [...cost, ...end, ...missing].join(" ");
  return [...(first === "" ? [] : [first]), ...troubles.map((trouble) => `Trouble: ${trouble}.`)];
}

function nodesTable(nodes: ClusterStatus["nodes"]): string {
  const rows = nodes.map((node) => [
    node.nodeId,
    node.state,
    node.machineType,
    `${node.cpuInUse}/${node.cpu}`,
    bytesText(node.ramMiB * BYTES_PER_MIB),
    workersText(node.workers),
    node.jobs.join(" "),
    node.reason,
  ]);
  return tableText(["node", "state", "machine", "cpu", "memory", "workers", "jobs", "why"], rows);
}

/** Such as `2 idle, 1 busy`. */
function workersText(workers: ClusterStatus["nodes"][number]["workers"]): string {
  const counts = new Map<string, number>();
  for (const { state } of workers) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts.size === 0 ? "none" : [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
}
