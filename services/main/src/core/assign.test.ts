import assert from "node:assert/strict";
import { test } from "node:test";
import { LEASE_MS } from "@burla/protocol";
import type { Command } from "./events.ts";
import { RELEASE_AFTER_MS, TURN_MS } from "./release.ts";
import { jobIdOf, nodeIdOf, only, TestCluster, theOnly } from "./testing.ts";

const assigned = (commands: readonly Command[]) => only(commands, "assign").map(({ nodeId, jobId, workers }) => [nodeId, jobId, workers]);
const stopped = (commands: readonly Command[]) => only(commands, "stop").map(({ nodeId, jobId }) => [nodeId, jobId]);

/** So many ready nodes of one worker each: n1, n2, ... */
function nodes(count: number, cpu = 1): TestCluster {
  const cluster = new TestCluster();
  for (let number = 1; number <= count; number++) cluster.ready(`n${number}`, { cpu });
  return cluster;
}

test("a job gets a node before its first input is there, and more when its inputs are", () => {
  const cluster = nodes(3);
  assert.equal(assigned(cluster.submit("j", 0, {}, { open: true })).length, 1);
  const commands = cluster.turn({ type: "chunkPushed", jobId: jobIdOf("j"), chunkId: 0, first: 0, count: 8, bytes: 8 });
  assert.equal(assigned(commands).length, 2);
});

test("no more nodes than there are inputs for", () => {
  assert.equal(assigned(nodes(3).submit("j", 2)).length, 2);
});

test("maxParallelism limits the workers, in units of the calls that run in one at once", () => {
  assert.deepEqual(assigned(nodes(2, 4).submit("j", 100, { maxParallelism: 6 })), [["node-n1", "job-j", 4], ["node-n2", "job-j", 2]]);
  assert.deepEqual(assigned(nodes(2, 4).submit("j", 100, { maxParallelism: 6, concurrency: 3 })), [["node-n1", "job-j", 2]]);
});

test("a worker as large as the shared machine takes one node alone", () => {
  const cluster = new TestCluster();
  for (const name of ["a", "b"]) cluster.ready(name, { cpu: 1, maxCpu: 2 });
  assert.deepEqual(assigned(cluster.submit("j", 10, { cpu: 2 })), [["node-a", "job-j", 1]]);
});

test("a job that fits on no node waits, and gets one that fits", () => {
  const cluster = nodes(2);
  assert.deepEqual(assigned(cluster.submit("big", 1, { cpu: 4 })), []);
  assert.deepEqual(assigned(cluster.ready("large", { cpu: 4 })), [["node-large", "job-big", 1]]);
});

test("the smallest node that fits is taken", () => {
  const cluster = new TestCluster();
  for (const cpu of [8, 2, 4]) cluster.ready(`c${cpu}`, { cpu });
  assert.deepEqual(assigned(cluster.submit("j", 1, { cpu: 2 })), [["node-c2", "job-j", 1]]);
});

test("a second job gets its even share back, between grants", () => {
  const cluster = nodes(4);
  const grants = only(cluster.submit("first", 100), "grant");
  const drains = only(cluster.submit("second", 100), "drain");
  assert.equal(drains.length, 2, "two of four nodes are asked back, and no more");
  assert.deepEqual(only(cluster.turn(), "drain"), []);
  const [drained] = drains;
  const held = grants.filter(({ nodeId }) => nodeId === drained?.nodeId);
  const commands = held.flatMap((grant) => cluster.results(grant, 1));
  assert.deepEqual(stopped(commands), [[drained?.nodeId, "job-first"]]);
  assert.ok(drained);
  assert.deepEqual(assigned(cluster.turn({ type: "nodeReady", nodeId: drained.nodeId })), [[drained.nodeId, "job-second", 1]]);
});

/** Time passes, in which all nodes renew their leases. */
function waitAlive(cluster: TestCluster, ms: number): Command[] {
  const commands: Command[] = [];
  for (let passed = 0; passed < ms; passed += 1000) {
    commands.push(...cluster.wait(1000));
    for (const nodeId of cluster.state.nodes.keys()) commands.push(...cluster.turn({ type: "renewed", nodeId, jobs: [] }));
  }
  return commands;
}

test("more jobs than nodes have the nodes in turn, the one first that has waited longest", () => {
  const cluster = nodes(1);
  const served: string[] = [];
  const names = ["a", "b", "c"];
  for (const name of names) {
    cluster.submit(name, 1000);
    cluster.wait(10);
  }
  for (let round = 0; round < 7; round++) {
    const name = names.find((candidate) => cluster.job(candidate).usableWorkers > 0) ?? "nobody";
    served.push(name);
    waitAlive(cluster, 1000);
    const [held] = cluster.job(name).grants.values();
    assert.ok(held !== undefined);
    cluster.results({ type: "grant", jobId: jobIdOf(name), grantId: held.id, nodeId: held.nodeId, ...held.range }, 1);
    waitAlive(cluster, TURN_MS);
    assert.ok(cluster.node("n1").draining, "it was asked back when its turn was over");
    const grants = [...cluster.job(name).grants.values()];
    for (const { id } of grants) cluster.turn({ type: "grantEnded", nodeId: nodeIdOf("n1"), jobId: jobIdOf(name), grantId: id, cause: "done", detail: "", lostWorkers: 0, unfinished: [] });
    assert.equal(cluster.job(name).workers, 0);
    cluster.turn({ type: "nodeReady", nodeId: nodeIdOf("n1") });
  }
  assert.deepEqual(served, ["a", "b", "c", "a", "b", "c", "a"]);
});

test("a job that has had the node for long gives it to a new one at once; one without rivals keeps it", () => {
  const cluster = nodes(1);
  cluster.submit("first", 1000);
  assert.deepEqual(only(waitAlive(cluster, 10 * TURN_MS), "drain"), []);
  assert.equal(only(cluster.submit("second", 10), "drain").length, 1);
});

test("a job gets the only node that it fits on, when the turn of the tree there is over", () => {
  const cluster = new TestCluster();
  for (const [name, cpu] of [["small", 1], ["large", 2]] as const) cluster.ready(name, { cpu });
  cluster.submit("first", 1000);
  assert.equal(cluster.job("first").workers, 3);
  const drains = only([...cluster.submit("second", 10, { cpu: 2 }), ...cluster.wait(TURN_MS)], "drain");
  assert.deepEqual(drains.map(({ nodeId }) => nodeId), ["node-large"]);
});

test("a node that a tree has no use for goes to a job that waits, after a moment", () => {
  const cluster = nodes(2);
  cluster.submit("slow", 2, {}, { open: true });
  for (const grant of [...cluster.job("slow").grants.values()]) {
    cluster.turn({ type: "resultsArrived", nodeId: grant.nodeId, jobId: jobIdOf("slow"), grantId: grant.id, batch: { first: grant.range.from, count: 1, indices: null, failed: [], final: [], valuesBytes: 0 }, bytes: 0, runMs: 1 });
  }
  cluster.submit("eager", 100);
  const commands = cluster.wait(300);
  assert.ok(stopped(commands).some(([, jobId]) => jobId === "job-slow"));
});

test("a job that only begins does not take the turn of one that has inputs", () => {
  const cluster = new TestCluster();
  cluster.submit("begins", 0, {}, { open: true });
  cluster.nowMs++;
  cluster.submit("has", 3);
  assert.deepEqual(assigned(cluster.ready("a")), [["node-a", "job-has", 1]]);
});

test("a job that a function started runs on the nodes of its tree", () => {
  const cluster = nodes(1);
  cluster.submit("parent", 1);
  const commands = cluster.submit("child", 1, { parent: jobIdOf("parent") });
  assert.deepEqual(assigned(commands), [["node-n1", "job-child", 1]]);
  cluster.results(theOnly(commands, "grant"), 1);
  assert.equal(cluster.node("n1").rootId, "job-parent");
});

test("a node that was asked back stays when the job that its function waits for fits nowhere else", () => {
  const cluster = nodes(1, 4);
  cluster.ready("small1");
  cluster.ready("small2");
  cluster.submit("parent", 100, { maxParallelism: 6 });
  const asked = cluster.submit("other", 1, { cpu: 4 });
  assert.deepEqual(only(asked, "drain").map(({ nodeId }) => nodeId), ["node-n1"]);
  const commands = cluster.submit("child", 1, { cpu: 4, parent: jobIdOf("parent") });
  assert.deepEqual(assigned(commands), [["node-n1", "job-child", 1]]);
  assert.equal(cluster.node("n1").draining, false);
});

test("nodes are released one by one as a job has had no inputs for them for a while, the last one with the job", () => {
  const cluster = nodes(2);
  const [first, second] = only(cluster.submit("j", 2), "grant");
  assert.ok(first && second);
  assert.deepEqual(stopped(cluster.results(first, 1)), []);
  assert.deepEqual(stopped(cluster.wait(RELEASE_AFTER_MS)), [[first.nodeId, "job-j"]]);
  const commands = cluster.results(second, 1);
  assert.equal(theOnly(commands, "finished").outcome, "done");
  assert.deepEqual(stopped(commands), [[second.nodeId, "job-j"]]);
  assert.equal(cluster.node("n1").rootId, null);
});

test("a node without inputs is released at once when another job is there", () => {
  const cluster = nodes(3);
  const [first] = only(cluster.submit("j", 2), "grant");
  cluster.submit("other", 1);
  assert.ok(first);
  assert.deepEqual(stopped(cluster.results(first, 1)), [[first.nodeId, "job-j"]]);
});

test("a cluster of a hundred nodes is filled and emptied", () => {
  const cluster = new TestCluster();
  for (let number = 0; number < 100; number++) cluster.ready(`n${number}`, { cpu: 2 });
  const grants = only(cluster.submit("j", 200), "grant");
  assert.equal(new Set(grants.map(({ nodeId }) => nodeId)).size, 100);
  for (const grant of grants) cluster.results(grant, 1, { runMs: 100 });
  assert.equal(cluster.state.jobs.size, 0);
});

test("a node that hangs is replaced, and what it held goes elsewhere", () => {
  const cluster = nodes(1);
  const [grant] = only(cluster.submit("j", 1), "grant");
  assert.ok(grant);
  const other = { type: "nodeReady", nodeId: nodeIdOf("b") } as const;
  cluster.nowMs += LEASE_MS - 1;
  cluster.join("b");
  const commands = [...cluster.wait(1), ...cluster.turn(other)];
  assert.equal(theOnly(commands, "replaceNode").nodeId, "node-n1");
  assert.equal(theOnly(commands, "grant").nodeId, "node-b");
  assert.deepEqual(only(cluster.results(grant, 1), "deliver"), [], "the answer of the frozen node comes too late");
  assert.equal(cluster.job("j").duplicates, 1);
});
