import assert from "node:assert/strict";
import { test } from "node:test";
import { CLIENT_GRACE_MS, LEASE_MS } from "@burla/protocol";
import type { Command } from "./events.ts";
import { jobIdOf, nodeIdOf, only, TestCluster, theOnly } from "./testing.ts";

const jobId = jobIdOf("j");

function running(inputs: number, spec = {}, options = {}) {
  const cluster = new TestCluster();
  cluster.ready("a", { cpu: 1 });
  const [grant, ...ahead] = only(cluster.submit("j", inputs, spec, options), "grant");
  assert.ok(grant);
  return { cluster, grant, ahead };
}

test("a job without inputs is done at once", () => {
  assert.equal(theOnly(new TestCluster().submit("j", 0), "finished").outcome, "done");
});

test("results are delivered under numbers without gaps, and the job ends with the last", () => {
  const { cluster, grant, ahead } = running(3);
  const commands: Command[] = [];
  const grants = [grant, ...ahead];
  for (const held of grants) {
    const following = cluster.results(held, 1);
    commands.push(...following);
    grants.push(...only(following, "grant"));
  }
  assert.deepEqual(only(commands, "deliver").map(({ seq }) => seq), [1, 2, 3]);
  assert.equal(theOnly(commands, "chunkAnswered").chunkId, 0);
  assert.equal(theOnly(commands, "finished").outcome, "done");
});

test("the first failure ends the job, unless it shall go on", () => {
  const { cluster, grant } = running(3, { onError: "throw" });
  const commands = cluster.results(grant, 1, { failed: [0] });
  assert.deepEqual(commands.map(({ type }) => type).filter((type) => type !== "credit"), ["deliver", "stop", "finished"]);
  assert.equal(theOnly(commands, "finished").outcome, "failed");
  const other = running(3, { onError: "continue" });
  assert.deepEqual(only(other.cluster.results(other.grant, 1, { failed: [0] }), "finished"), []);
});

test("a failed call is tried again after a pause, and what waits is not forgotten", () => {
  const { cluster, grant } = running(1, { retries: 1, onError: "throw" });
  const commands = cluster.results(grant, 1, { failed: [0] });
  assert.deepEqual(only(commands, "deliver"), []);
  assert.deepEqual(only(cluster.wait(99), "grant"), []);
  const again = theOnly(cluster.wait(1), "grant");
  assert.deepEqual([again.attempt, again.failures], [2, 1]);
  assert.equal(theOnly(cluster.results(again, 1, { failed: [0] }), "finished").outcome, "failed");
});

test("a cancelled job ends everywhere, with the jobs that its functions started", () => {
  const { cluster } = running(3);
  cluster.submit("child", 3, { parent: jobId });
  cluster.submit("detached", 0, { parent: jobId, detach: true }, { open: true });
  const commands = cluster.turn({ type: "cancelRequested", jobId, reason: "enough" });
  assert.deepEqual(only(commands, "finished").map((finished) => [finished.jobId, finished.outcome]), [[jobId, "cancelled"], ["job-child", "cancelled"]]);
  assert.deepEqual([...cluster.state.jobs.keys()], ["job-detached"]);
});

test("a job whose function cannot be loaded fails", () => {
  const { cluster } = running(3);
  assert.equal(theOnly(cluster.turn({ type: "loadFailed", nodeId: nodeIdOf("a"), jobId }), "finished").outcome, "failed");
});

test("a client may be gone for a while; then its job stops, and goes on when it is back", () => {
  const { cluster } = running(20, {}, { open: true });
  cluster.turn({ type: "clientLost", jobId, reads: false });
  assert.deepEqual(cluster.wait(CLIENT_GRACE_MS - 1), []);
  assert.deepEqual(only(cluster.wait(1), "stop").map(({ nodeId }) => nodeId), ["node-a"]);
  assert.equal(cluster.job("j").phase, "interrupted");
  assert.equal(cluster.node("a").rootId, null);
  const back = [...cluster.turn({ type: "clientBack", jobId, push: true }), ...cluster.turn({ type: "nodeReady", nodeId: nodeIdOf("a") })];
  assert.equal(theOnly(back, "credit").inputs >= 16, true);
  assert.ok(only(back, "grant").length > 0);
});

test("a client that comes and goes has its whole time each time", () => {
  const { cluster } = running(20, {}, { open: true });
  for (let blink = 0; blink < 3; blink++) {
    cluster.turn({ type: "clientLost", jobId, reads: false });
    cluster.wait(CLIENT_GRACE_MS - 1);
    cluster.turn({ type: "clientBack", jobId, push: true });
  }
  assert.equal(cluster.job("j").phase, "running");
});

test("who reads a job whose program is gone gets what was pushed, and is told that it is not all", () => {
  const { cluster } = running(1, {}, { open: true });
  cluster.turn({ type: "clientLost", jobId, reads: false });
  cluster.wait(CLIENT_GRACE_MS);
  cluster.turn({ type: "clientBack", jobId, push: false });
  const again = theOnly(cluster.turn({ type: "nodeReady", nodeId: nodeIdOf("a") }), "grant");
  const finished = theOnly(cluster.results(again, 1), "finished");
  assert.deepEqual([finished.outcome, finished.reason], ["failed", "its inputs ended early, after 1"]);
});

test("a reader that comes in the grace does not end the job of a program that is coming back", () => {
  const { cluster } = running(1, {}, { open: true });
  cluster.turn({ type: "clientLost", jobId, reads: false });
  cluster.turn({ type: "clientBack", jobId, push: false });
  cluster.turn({ type: "clientBack", jobId, push: true });
  cluster.wait(2 * CLIENT_GRACE_MS);
  assert.equal(cluster.job("j").totalInputs, null);
});

test("an onlooker changes nothing for the program that feeds the job", () => {
  const { cluster } = running(1, {}, { open: true });
  assert.deepEqual(cluster.turn({ type: "clientBack", jobId, push: false }), []);
  assert.equal(cluster.job("j").client, "feeds");
});

test("a detached job goes on without anybody", () => {
  const { cluster, grant } = running(1, { detach: true });
  cluster.turn({ type: "clientLost", jobId, reads: false });
  cluster.wait(LEASE_MS - 1);
  assert.equal(theOnly(cluster.results(grant, 1), "finished").outcome, "done");
});

test("a node that comes back keeps what it claims; the rest goes back, and what it should not do is stopped", () => {
  const { cluster, grant, ahead } = running(3);
  assert.ok(ahead[0]);
  cluster.turn({ type: "nodeDisconnected", nodeId: nodeIdOf("a") });
  const commands = cluster.join("a", { jobs: [jobId, jobIdOf("ended")], holding: [{ jobId, grantId: grant.grantId }] });
  assert.deepEqual(only(commands, "stop").map((stop) => stop.jobId), ["job-ended"]);
  assert.deepEqual(only(commands, "requeued").map(({ range }) => [range.from, range.to, range.losses]), ahead.map(({ from, to }) => [from, to, 0]));
  assert.equal(only(cluster.results(grant, 1), "deliver").length, 1);
});

test("a node that has forgotten its job works for nobody until it says that it is ready", () => {
  const { cluster } = running(1);
  cluster.turn({ type: "nodeDisconnected", nodeId: nodeIdOf("a") });
  assert.deepEqual(only(cluster.join("a"), "grant"), []);
  assert.equal(only(cluster.turn({ type: "nodeReady", nodeId: nodeIdOf("a") }), "grant").length, 1);
});

test("a node that stays away is forgotten when its lease ends", () => {
  const { cluster } = running(2);
  cluster.turn({ type: "nodeDisconnected", nodeId: nodeIdOf("a") });
  cluster.wait(LEASE_MS);
  assert.equal(cluster.state.nodes.size, 0);
  assert.equal(cluster.job("j").readyInputs, 2);
});

test("when main itself was asleep, nodes have another lease's time to say that they live", () => {
  const { cluster } = running(1);
  cluster.nowMs += 60_000;
  assert.deepEqual(only(cluster.turn({ type: "tick" }), "replaceNode"), []);
  assert.equal(cluster.job("j").grantedInputs, 1);
  assert.equal(only(cluster.wait(LEASE_MS), "replaceNode").length, 1);
});

test("a node that renews for a job which is not its any more is told so again", () => {
  const { cluster } = running(1);
  cluster.turn({ type: "cancelRequested", jobId, reason: "" });
  assert.equal(theOnly(cluster.turn({ type: "renewed", nodeId: nodeIdOf("a"), jobs: [jobId] }), "stop").jobId, jobId);
});

test("messages about jobs, grants and nodes that are not there change nothing", () => {
  const cluster = new TestCluster();
  const nodeId = nodeIdOf("a");
  const batch = { first: 0, count: 1, indices: null, failed: [], final: [], valuesBytes: 0 };
  const commands = cluster.turn(
    { type: "acked", jobId, seq: 1 }, { type: "clientLost", jobId, reads: false }, { type: "nodeReady", nodeId }, { type: "nodeGone", nodeId },
    { type: "resultsArrived", nodeId, jobId, grantId: 1, batch, bytes: 1, runMs: 1 },
    { type: "grantEnded", nodeId, jobId, grantId: 1, cause: "done", detail: "", lostWorkers: 0, unfinished: [] }, { type: "tick" },
  );
  assert.deepEqual(commands, []);
});
