/** States of clusters for unit tests. */
import type { ClusterStatus, JobSummary, NodeSummary } from "burla/control";
import { cloudRef, initialState, LOCAL_CLUSTER, reduce, type ClusterState } from "./clusters/state.ts";

export function aJob(fields: Partial<JobSummary> = {}): JobSummary {
  return {
    jobId: "job-01j9x3k5v7abcdefghj", name: "score", phase: "running", reason: "", detach: false, runtime: "node", parent: null,
    createdAt: 1_000, startedAt: 1_500, endedAt: null, inputs: 1000, inputsEnded: true, done: 417, failed: 3, running: 8, nodes: 2,
    workers: 2, lostWorkers: 0, failures: [], ...fields,
  };
}

export function aNode(fields: Partial<NodeSummary> = {}): NodeSummary {
  return {
    nodeId: "local-0", state: "READY", reason: "", provider: "local", machineType: "process", cpu: 1, cpuInUse: 0, ramMiB: 4096, pid: 11, jobs: [],
    workers: [{ workerId: "local-0-w1", runtime: "node", image: null, state: "warm", jobId: null, pid: 12 }], ...fields,
  };
}

export function aStatus(fields: Partial<ClusterStatus> = {}): ClusterStatus {
  return {
    cluster: "local", version: "0.1.0", pid: 10, startedAt: 500, idleDeadline: null, wantedNodes: 2, costPerHour: null, troubles: [], endsAt: null, cpu: 2, cpuInUse: 0, duplicates: 0,
    nodes: [aNode(), aNode({ nodeId: "local-1" })], jobs: [], ...fields,
  };
}

export const LOCAL_URL = "http://127.0.0.1:4000";

/** The local cluster, running. */
export function online(status: ClusterStatus = aStatus()): ClusterState {
  return reduce(initialState(LOCAL_CLUSTER), { type: "heard", heard: { phase: "running", url: LOCAL_URL, status } });
}

/** A cluster on Google Cloud, running, unless nothing is heard of it. */
export function cloud(status: ClusterStatus | null = aStatus({ cluster: "trial", costPerHour: 0.134 })): ClusterState {
  const off = initialState(cloudRef("trial"));
  return status === null ? off : reduce(off, { type: "heard", heard: { phase: "running", url: "https://127.0.0.2:8443", status } });
}

export function unreachable(): ClusterState {
  return reduce(online(), { type: "heard", heard: { phase: "unreachable", url: LOCAL_URL, reason: "it has closed the connection", since: 2_000, last: aStatus() } });
}
