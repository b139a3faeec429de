/** `burla status`: the cluster's nodes, workers and jobs. */
import type { Command } from "commander";
import type { ClusterStatus } from "../../control/types.ts";
import { findCluster, type RunningCluster } from "../../control/find.ts";
import { EXIT } from "../exit-codes.ts";
import { clusterOption, jsonOption, type ClusterOptions } from "../options.ts";
import type { EndWith } from "../program.ts";
import { tableText } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { bytesText, countText, durationText } from "../texts.ts";
import { isUnderWay, jobsTable } from "./jobs.ts";

const BYTES_PER_MIB = 1024 * 1024;

const HELP = `
Exit status 3 when the cluster does not run.

Examples:
  $ burla status
  $ burla status --json | jq '.nodes[] | {nodeId, state}'`;

export function addStatus(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("status")
    .summary("the cluster's nodes, workers and jobs")
    .description("Show whether the cluster runs, its nodes and workers, the jobs under way, and when it ends by itself.")
    .addOption(clusterOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async ({ cluster, json }: ClusterOptions) => {
      const found = await findCluster(cluster);
      if (json === true) await terminal.line(JSON.stringify(found === null ? { running: false } : { running: true, url: found.control.url, ...found.status }));
      else if (found === null) terminal.say("The cluster is not running.\n  `burla up` starts it; so does the first job.");
      else await terminal.line(statusText(found));
      endWith(found === null ? EXIT.unreachable : EXIT.ok);
    });
}

/** Such as `It ends itself in 10 min unless it is used.` */
export function idleText({ idleDeadline }: ClusterStatus, nowMs = Date.now()): string {
  return idleDeadline === null ? "It is in use." : `It ends itself in ${durationText(idleDeadline - nowMs)} unless it is used.`;
}

function statusText({ control, status }: RunningCluster): string {
  const { nodes, jobs } = status;
  const workers = nodes.reduce((sum, node) => sum + node.workers.length, 0);
  const underWay = jobs.filter(isUnderWay);
  const ended = jobs.length - underWay.length;
  return [
    `Cluster ${status.cluster} runs at ${control.url} (version ${status.version}, pid ${status.pid}) for ${durationText(Date.now() - status.startedAt)}. ${idleText(status)}`,
    `${countText(nodes.length, "node")}, ${countText(workers, "worker")}, ${countText(underWay.length, "job")} under way, ${ended.toLocaleString("en-US")} ended.`,
    ...(nodes.length === 0 ? [] : ["", nodesTable(nodes)]),
    ...(underWay.length === 0 ? [] : ["", jobsTable(underWay)]),
  ].join("\n");
}

function nodesTable(nodes: ClusterStatus["nodes"]): string {
  const rows = nodes.map((node) => [
    node.nodeId,
    node.state,
    String(node.cpu),
    bytesText(node.ramMiB * BYTES_PER_MIB),
    workersText(node.workers),
    node.jobs.join(" "),
    node.reason,
  ]);
  return tableText(["node", "state", "cpu", "memory", "workers", "jobs", "why"], rows);
}

/** Such as `2 idle, 1 busy`. */
function workersText(workers: ClusterStatus["nodes"][number]["workers"]): string {
  const counts = new Map<string, number>();
  for (const { state } of workers) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts.size === 0 ? "none" : [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
}
