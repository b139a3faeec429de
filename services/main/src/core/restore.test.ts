import assert from "node:assert/strict";
import { test } from "node:test";
import { CLIENT_GRACE_MS, LEASE_MS } from "@burla/protocol";
import { checkInvariants } from "./invariants.ts";
import { restoreJob, type RememberedGrant, type RememberedJob } from "./restore.ts";
import { FIRST_WINDOW_INPUTS } from "./sizing.ts";
import { snapshotJob } from "./snapshot.ts";
import type { Range } from "./state.ts";
import { jobIdOf, nodeIdOf, only, specOf, TestCluster, theOnly } from "./testing.ts";

const jobId = jobIdOf("j");
const rangeOf = (from: number, to: number, changes: Partial<Range> = {}): Range => ({ chunkId: 0, from, to, attempt: 1, losses: 0, failures: 0, ...changes });

function grantOf(grantId: number, node: string | null, range: Range): RememberedGrant {
  return { grantId, nodeId: node === null ? null : nodeIdOf(node), range };
}

/** Main comes back with a job of one chunk of ten inputs, of which the first two are answered. */
function restored(grants: RememberedGrant[], changes: Partial<RememberedJob> = {}): TestCluster {
  const cluster = new TestCluster();
  const answered = new Uint8Array(10).fill(1, 0, 2);
  restoreJob(cluster.state, {
    jobId, spec: specOf(), rootId: jobId, phase: "running", chunks: [{ id: 0, first: 0, count: 10, bytes: 100, answered }], grants,
    pushedChunks: 1, pushedInputs: 10, totalInputs: 10, answeredInputs: 2, answeredBytes: 0, failedInputs: 0,
    seq: 1, ackedSeq: 0, ackedInputs: 0, unacked: [{ seq: 1, inputs: 2, bytes: 20 }], lastGrantId: 0, ...changes,
  }, cluster.nowMs);
  checkInvariants(cluster.state);
  return cluster;
}

const joinAs = (cluster: TestCluster, holding: number[]) =>
  cluster.join("a", { jobs: [jobId], holding: holding.map((grantId) => ({ jobId, grantId })) });

test("what nobody was granted is ready, what was granted is held by the node that had it last", () => {
  const job = restored([grantOf(1, "a", rangeOf(0, 6)), grantOf(2, "b", rangeOf(4, 6))]).job("j");
  assert.deepEqual([job.readyInputs, job.grantedInputs, job.grants.get(1)?.left, job.grants.get(2)?.left], [4, 4, 2, 2]);
});

test("a node that claims its grant goes on with it, and its results count", () => {
  const cluster = restored([grantOf(1, "a", rangeOf(0, 6))]);
  const commands = joinAs(cluster, [1]);
  assert.deepEqual(only(commands, "requeued"), []);
  assert.equal(cluster.job("j").usableWorkers, 1);
  const batch = { first: 2, count: 4, indices: null, failed: [], final: [], valuesBytes: 0 };
  const delivered = cluster.turn({ type: "resultsArrived", nodeId: nodeIdOf("a"), jobId, grantId: 1, batch, bytes: 4, runMs: 4 });
  assert.equal(theOnly(delivered, "deliver").seq, 2);
});

test("what the node does not claim goes back, and so does what a node held that stays away", () => {
  const grants = [grantOf(1, "a", rangeOf(0, 6)), grantOf(2, "b", rangeOf(6, 10))];
  const cluster = restored(grants, { spec: specOf({ detach: true }) });
  cluster.join("a");
  assert.equal(cluster.job("j").readyInputs, 4);
  cluster.wait(LEASE_MS);
  assert.equal(cluster.job("j").readyInputs, 8);
});

test("what was given back is ready, with its history, though the node still has the rest of the grant", () => {
  const cluster = restored([grantOf(1, "a", rangeOf(0, 6)), grantOf(0, null, rangeOf(4, 6, { attempt: 3, losses: 1, failures: 2 }))]);
  const job = cluster.job("j");
  assert.equal(job.grants.get(1)?.left, 2);
  assert.deepEqual([...job.ready], [rangeOf(4, 6, { attempt: 3, losses: 1, failures: 2 }), rangeOf(6, 10)]);
});

test("numbers of grants that the log lost are not used again", () => {
  const cluster = restored([grantOf(7, "a", rangeOf(0, 6))]);
  cluster.ready("b");
  assert.ok([...cluster.job("j").grants.keys()].every((id) => id === 7 || id > 1000));
  const forgotten = restored([], { lastGrantId: 7 });
  forgotten.ready("b");
  assert.ok([...forgotten.job("j").grants.keys()].every((id) => id > 1000));
});

test("a node works for one tree only, even if it held something of two", () => {
  const cluster = restored([grantOf(1, "a", rangeOf(0, 6))]);
  const other = jobIdOf("other");
  const remembered = { id: 0, first: 0, count: 2, bytes: 2, answered: null };
  restoreJob(cluster.state, {
    jobId: other, spec: specOf(), rootId: other, phase: "running", chunks: [remembered], grants: [grantOf(2, "a", rangeOf(0, 2))],
    pushedChunks: 1, pushedInputs: 2, totalInputs: 2, answeredInputs: 0, answeredBytes: 0, failedInputs: 0,
    seq: 0, ackedSeq: 0, ackedInputs: 0, unacked: [], lastGrantId: 0,
  }, cluster.nowMs);
  checkInvariants(cluster.state);
  assert.equal(cluster.job("other").readyInputs, 2);
});

test("a job whose last answer was written before its end is finished", () => {
  const cluster = restored([], { chunks: [], answeredInputs: 10, pushedInputs: 10 });
  assert.equal(theOnly(cluster.turn(), "finished").outcome, "done");
});

test("a job that nobody comes back for is interrupted", () => {
  const cluster = restored([]);
  cluster.wait(LEASE_MS);
  assert.equal(cluster.job("j").phase, "interrupted");
});

test("of a job that was interrupted nothing runs, grace or not, until somebody attaches; then all of it does", () => {
  const cluster = restored([grantOf(0, null, rangeOf(2, 6, { attempt: 2 }))], { phase: "interrupted" });
  const idle = [...cluster.turn({ type: "clientLost", jobId, reads: false }), ...cluster.ready("a"), ...cluster.wait(CLIENT_GRACE_MS)];
  assert.deepEqual(idle, []);
  assert.equal(cluster.job("j").grace, null);
  const commands = cluster.turn({ type: "clientBack", jobId, push: false });
  assert.equal(theOnly(commands, "phase").phase, "running");
  assert.equal(only(commands, "grant").reduce((sum, { from, to }) => sum + to - from, 0) + cluster.job("j").readyInputs, 8);
  assert.ok(only(commands, "grant").length > 0);
});

test("who attaches to a job that an earlier main has interrupted is told that its inputs ended early", () => {
  const cluster = restored([], { phase: "interrupted", chunks: [], answeredInputs: 10, totalInputs: null });
  assert.deepEqual(only(cluster.turn({ type: "clientBack", jobId, push: false }), "finished"), [], "its program may come as well");
  const { outcome, isCutShort } = theOnly(cluster.wait(CLIENT_GRACE_MS), "finished");
  assert.deepEqual({ outcome, isCutShort }, { outcome: "failed", isCutShort: true });
});

test("the program of a job that an earlier main has interrupted feeds it on", () => {
  const cluster = restored([], { phase: "interrupted", totalInputs: null });
  cluster.turn({ type: "clientBack", jobId, push: true });
  cluster.wait(CLIENT_GRACE_MS);
  assert.deepEqual([cluster.job("j").phase, cluster.job("j").abandoned], ["running", false]);
});

test("that a job is interrupted, and taken up again, is to be kept once each, after what went back", () => {
  const cluster = new TestCluster();
  cluster.ready("a");
  cluster.submit("j", 3);
  const commands = [...cluster.turn({ type: "clientLost", jobId, reads: false }), ...cluster.wait(2 * CLIENT_GRACE_MS)];
  assert.equal(theOnly(commands, "phase").phase, "interrupted");
  assert.ok(only(commands, "requeued").length > 0);
  assert.equal(commands.findLast(({ type }) => type === "phase" || type === "requeued")?.type, "phase");
  assert.equal(snapshotJob(cluster.state, cluster.job("j")).phase, "interrupted");
  const back = [...cluster.turn({ type: "clientBack", jobId, push: false }), ...cluster.turn({ type: "clientBack", jobId, push: true })];
  assert.equal(theOnly(back, "phase").phase, "running");
  assert.equal(snapshotJob(cluster.state, cluster.job("j")).phase, "running");
});

test("credit that was used before the restart is not given again", () => {
  const cluster = restored([], { totalInputs: null });
  assert.deepEqual(only(cluster.turn(), "credit"), [], "nobody is there to be told");
  const credit = theOnly(cluster.turn({ type: "clientBack", jobId, push: true }), "credit");
  assert.equal(credit.inputs, FIRST_WINDOW_INPUTS);
});
