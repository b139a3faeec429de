import assert from "node:assert/strict";
import { test } from "node:test";
import type { WatchEvent } from "@burla/protocol";
import { applyEvent, readyNodes, stateOf } from "./state.ts";
import type { ClusterStatus, JobSummary, NodeSummary } from "./types.ts";

type Snapshot = Extract<WatchEvent, { type: "snapshot" }>;
type Changes = Extract<WatchEvent, { type: "changes" }>;

const node = (nodeId: string, fields: Partial<NodeSummary> = {}) =>
  ({ nodeId, state: "READY", reason: "", provider: "local", machineType: "m", cpu: 1, cpuInUse: 0, ramMiB: 1, pid: 1, jobs: [], workers: [], ...fields }) as Snapshot["status"]["nodes"][number];
const job = (jobId: string, createdAt: number, fields: Partial<JobSummary> = {}) =>
  ({
    jobId, name: "score", phase: "running", reason: "", detach: false, runtime: "node", parent: null, createdAt, startedAt: null, endedAt: null, inputs: 1,
    inputsEnded: true, done: 0, failed: 0, running: 1, nodes: 1, workers: 1, lostWorkers: 0, failures: [], ...fields,
  }) as Snapshot["status"]["jobs"][number];
const MAIN = { cluster: "test", version: "1", pid: 1, startedAt: 1, idleDeadline: null, wantedNodes: 2, costPerHour: null, troubles: [], endsAt: null, cpu: 2, cpuInUse: 0, duplicates: 0 };
const changes = (fields: Partial<Changes>): Changes => ({ type: "changes", cluster: null, nodes: [], nodesGone: [], jobs: [], jobsGone: [], ...fields });

function snapshot(nodes: Snapshot["status"]["nodes"], jobs: Snapshot["status"]["jobs"] = []): ClusterStatus {
  const status = applyEvent(null, { type: "snapshot", status: { ...MAIN, nodes, jobs } });
  assert.ok(status !== null);
  return status;
}

function after(status: ClusterStatus, fields: Partial<Changes>): ClusterStatus {
  const next = applyEvent(status, changes(fields));
  assert.ok(next !== null);
  return next;
}

test("nodes stand by their numbers, jobs by their age, whatever the order in which they changed", () => {
  const status = snapshot([node("n-10"), node("n-2")], [job("b", 2), job("a", 1)]);
  assert.deepEqual(status.nodes.map(({ nodeId }) => nodeId), ["n-2", "n-10"]);
  const next = after(status, { nodes: [node("n-1"), node("n-10", { state: "RUNNING" })], jobs: [job("c", 3), job("a", 1, { done: 1 })] });
  assert.deepEqual(next.nodes.map(({ nodeId, state }) => [nodeId, state]), [["n-1", "READY"], ["n-2", "READY"], ["n-10", "RUNNING"]]);
  assert.deepEqual(next.jobs.map(({ jobId, done }) => [jobId, done]), [["a", 1], ["b", 0], ["c", 0]]);
});

test("what has not changed is the same object, and no status is changed after it was given", () => {
  const status = snapshot([node("n-1"), node("n-2")], [job("a", 1), job("b", 2)]);
  const before = structuredClone(status);
  const next = after(status, { jobs: [job("b", 2, { done: 1 })] });
  assert.equal(next.nodes, status.nodes);
  assert.equal(next.jobs[0], status.jobs[0]);
  assert.notEqual(next.jobs[1], status.jobs[1]);
  assert.deepEqual(status, before);
});

test("what went is gone; it may come again", () => {
  const status = after(snapshot([node("n-1"), node("n-2")], [job("a", 1)]), { nodesGone: ["n-1"], jobsGone: ["a", "unknown"] });
  assert.deepEqual([status.nodes.map(({ nodeId }) => nodeId), status.jobs], [["n-2"], []]);
  assert.deepEqual(after(status, { nodes: [node("n-1")] }).nodes.length, 2);
});

test("the cluster as a whole", () => {
  assert.equal(after(snapshot([]), { cluster: { ...MAIN, idleDeadline: 99, cpuInUse: 1 } }).idleDeadline, 99);
  assert.equal(after(snapshot([]), {}).idleDeadline, null);
});

test("changes without a snapshot, heartbeats and the end say nothing", () => {
  assert.equal(applyEvent(null, changes({ nodes: [node("n-1")] })), null);
  const status = snapshot([]);
  assert.equal(applyEvent(status, { type: "heartbeat" }), status);
  assert.equal(applyEvent(status, { type: "shutdown", reason: "" }), status);
});

for (const [what, states, phase, ready] of [
  ["no node yet", [], "starting", 0],
  ["one of two", ["READY"], "starting", 1],
  ["one boots", ["READY", "BOOTING"], "starting", 1],
  ["all", ["READY", "READY"], "running", 2],
  ["working, and starting over between two jobs", ["RUNNING", "REBOOTING"], "running", 2],
  ["one has failed", ["READY", "FAILED"], "running", 1],
] as const) {
  test(`${what}: ${phase}`, () => {
    const status = snapshot(states.map((state, at) => node(`n-${at}`, { state })));
    const state = stateOf(status, "http://localhost");
    assert.equal(state.phase, phase);
    assert.equal(readyNodes(status), ready);
    if (state.phase === "starting") assert.deepEqual([state.ready, state.wanted], [ready, 2]);
  });
}
