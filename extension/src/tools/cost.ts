/** What a run would use, in words that a person can agree to. No editor. */
import { dollars } from "../../../client/src/dollars.ts";
import type { ClusterRef, ClusterState } from "../clusters/state.ts";
import type { ClusterStatus } from "burla/control";

/** Such as `the 2 nodes (2 processors) of the cluster on this machine, which cost nothing`. */
export function machinesAndCost({ ref, status }: Pick<ClusterState, "ref" | "status">): string {
  const isHere = ref.kind === "local";
  const where = isHere ? "the cluster on this machine" : `the cluster ${ref.label} (${ref.url ?? "on Google Cloud"})`;
  const cost = costOf(ref, status);
  if (status === null) return isHere ? `It starts ${where} first. ${cost}` : `It runs on ${where}. ${cost}`;
  const types = new Map<string, number>();
  for (const { machineType } of status.nodes) types.set(machineType, (types.get(machineType) ?? 0) + 1);
  const machines = [...types].map(([type, count]) => `${count} × ${type}`).join(", ");
  return `It runs on ${where}: ${machines === "" ? "no node yet" : machines}, ${status.cpu} ${status.cpu === 1 ? "processor" : "processors"} in all. ${cost}`;
}

function costOf({ kind }: ClusterRef, status: ClusterStatus | null): string {
  if (kind === "local") return "It costs nothing but this machine's time.";
  const costPerHour = status?.costPerHour ?? null;
  return costPerHour === null ? "The cluster does not tell its price: its machines cost what their provider asks for them." : `It costs about ${dollars(costPerHour)} per hour now, with or without this run.`;
}

/** The cluster as an assistant reads it. */
export function statusReport({ ref, link, status }: Pick<ClusterState, "ref" | "link" | "status">): string {
  const lines = [`Cluster ${ref.label}: ${link.kind}`];
  if (link.kind === "unreachable" || link.kind === "error") lines.push(`${link.trouble.message} ${link.trouble.cure}`);
  if (status === null) return [...lines, ref.kind === "local" ? "It starts by itself when a function is run." : "Nothing is known of its nodes."].join("\n");
  lines.push(`${status.nodes.length} nodes, ${status.cpuInUse} of ${status.cpu} processors in use`);
  for (const node of status.nodes) lines.push(`- node ${node.nodeId}: ${node.state}${node.reason === "" ? "" : ` (${node.reason})`}, ${node.cpu} processors, ${node.workers.length} containers${node.jobs.length === 0 ? "" : `, works for ${node.jobs.join(", ")}`}`);
  lines.push(status.jobs.length === 0 ? "No jobs." : "Jobs, the newest last:");
  for (const job of status.jobs.slice(-MAX_JOBS)) {
    lines.push(`- ${job.jobId} ${job.name}: ${job.phase}${job.reason === "" ? "" : ` (${job.reason})`}, ${job.done} done, ${job.failed} failed of ${job.inputs}${job.inputsEnded ? "" : " so far"}`);
    for (const failure of job.failures) lines.push(`  input ${failure.index}: ${failure.name}: ${failure.message}`);
  }
  return lines.join("\n");
}

const MAX_JOBS = 20;
