/** The status of a cluster, kept up to date by the events of a watch. No I/O. */
import type { WatchEvent } from "@burla/protocol";
import type { ClusterState, ClusterStatus, JobSummary, NodeSummary } from "./types.ts";

type Changes = Extract<WatchEvent, { type: "changes" }>;

const byNumbers = new Intl.Collator("en", { numeric: true });

/** The status after an event. Rows, and lists of them, that have not changed are the same objects. */
export function applyEvent(status: ClusterStatus | null, event: WatchEvent): ClusterStatus | null {
  switch (event.type) {
    case "snapshot":
      return { ...event.status, nodes: [...event.status.nodes].sort(compareNodes), jobs: [...event.status.jobs].sort(compareJobs) };
    case "changes":
      return status === null ? null : applyChanges(status, event);
    case "heartbeat":
    case "shutdown":
      return status;
  }
}

function applyChanges(status: ClusterStatus, { cluster, nodes, nodesGone, jobs, jobsGone }: Changes): ClusterStatus {
  return {
    ...status,
    ...cluster,
    nodes: merge(status.nodes, nodes, nodesGone, ({ nodeId }) => nodeId, compareNodes),
    jobs: merge(status.jobs, jobs, jobsGone, ({ jobId }) => jobId, compareJobs),
  };
}

function merge<Row>(rows: readonly Row[], changed: readonly Row[], gone: readonly string[], idOf: (row: Row) => string, compare: (a: Row, b: Row) => number): readonly Row[] {
  if (changed.length === 0 && gone.length === 0) return rows;
  const fresh = new Map(changed.map((row) => [idOf(row), row]));
  const left = new Set(gone);
  const kept = rows.flatMap((row) => {
    const id = idOf(row);
    const next = fresh.get(id) ?? row;
    fresh.delete(id);
    return left.has(id) ? [] : [next];
  });
  return fresh.size === 0 ? kept : [...kept, ...fresh.values()].sort(compare);
}

function compareNodes(a: NodeSummary, b: NodeSummary): number {
  return byNumbers.compare(a.nodeId, b.nodeId);
}

function compareJobs(a: JobSummary, b: JobSummary): number {
  return a.createdAt - b.createdAt || (a.jobId < b.jobId ? -1 : 1);
}

/** Nodes that have been ready and have not failed: they work, wait for work, or start over between two jobs. */
export function readyNodes({ nodes }: Pick<ClusterStatus, "nodes">): number {
  return nodes.filter(({ state }) => state !== "BOOTING" && state !== "FAILED").length;
}

/** A cluster that answers. */
export function stateOf(status: ClusterStatus, url: string): ClusterState {
  const isStarting = status.nodes.length < status.wantedNodes || status.nodes.some(({ state }) => state === "BOOTING");
  if (!isStarting) return { phase: "running", url, status };
  return { phase: "starting", ready: readyNodes(status), wanted: status.wantedNodes, url, status };
}
