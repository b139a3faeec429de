import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobId, JobSpec, NodeId } from "@burla/protocol";
import type { CoreState, Job } from "./core/state.ts";
import { createState, settle, step } from "./core/step.ts";
import { waitReason } from "./status.ts";
import { JOB_ID, SPEC } from "./testing.ts";

const SECOND = "job-01j9x3k5v7abcdefghk" as JobId;

function submit(state: CoreState, jobId: JobId, spec: Partial<JobSpec> = {}): Job {
  step(state, { type: "jobSubmitted", jobId, spec: { ...SPEC, ...spec } }, 0);
  step(state, { type: "chunkPushed", jobId, chunkId: 0, first: 0, count: 1, bytes: 1 }, 0);
  settle(state);
  const job = state.jobs.get(jobId);
  assert.ok(job !== undefined);
  return job;
}

function addNode(state: CoreState, name: string, isReady: boolean): void {
  const nodeId = name as NodeId;
  step(state, { type: "nodeJoined", nodeId, cpu: 1, ramMiB: 1024, maxCpu: 2, maxRamMiB: 1024, jobs: [], holding: [] }, 0);
  if (isReady) step(state, { type: "nodeReady", nodeId }, 0);
  settle(state);
}

test("without a node", () => {
  const state = createState();
  assert.equal(waitReason(state, submit(state, JOB_ID)), "waits for the first node to start");
});

test("while nodes start", () => {
  const state = createState();
  addNode(state, "n-1", false);
  addNode(state, "n-2", false);
  assert.equal(waitReason(state, submit(state, JOB_ID)), "waits for a node: 2 of 2 nodes starting");
});

test("when no node is large enough", () => {
  const state = createState();
  addNode(state, "n-1", true);
  assert.equal(waitReason(state, submit(state, JOB_ID, { cpu: 64, ramMiB: 10 })), "waits for a node with 64 processors and 10 MiB");
});

test("when others have the nodes; it runs when it has one", () => {
  const state = createState();
  addNode(state, "n-1", true);
  const first = submit(state, JOB_ID);
  const second = submit(state, SECOND);
  assert.equal(waitReason(state, first), "");
  assert.equal(waitReason(state, second), "waits for a node: 1 busy with 1 other job for 5 s more at least");
});

test("when all nodes have failed, with what the first one says", () => {
  const state = createState();
  assert.equal(waitReason(state, submit(state, JOB_ID), ["n-1: no space", "n-2: no space"]), "waits for a node: 2 failed and start over (n-1: no space)");
});

test("when it has nodes, and nothing for them", () => {
  const state = createState();
  addNode(state, "n-1", true);
  const job = submit(state, JOB_ID);
  const [grant] = job.grants.values();
  assert.ok(grant !== undefined);
  step(state, { type: "resultsArrived", nodeId: grant.nodeId, jobId: JOB_ID, grantId: grant.id, batch: { first: 0, count: 1, indices: null, failed: [], final: [], valuesBytes: 0 }, bytes: 100 * 1024 * 1024, runMs: 1 }, 0);
  assert.equal(waitReason(state, job), "waits for its program to take results");
  step(state, { type: "acked", jobId: JOB_ID, seq: 1 }, 0);
  assert.equal(waitReason(state, job), "waits for inputs from its program");
});

test("when it waits before a failed input is tried again", () => {
  const state = createState();
  addNode(state, "n-1", true);
  const job = submit(state, JOB_ID, { retries: 3 });
  const [grant] = job.grants.values();
  assert.ok(grant !== undefined);
  step(state, { type: "resultsArrived", nodeId: grant.nodeId, jobId: JOB_ID, grantId: grant.id, batch: { first: 0, count: 1, indices: null, failed: [0], final: [], valuesBytes: 0 }, bytes: 1, runMs: 1 }, 0);
  assert.equal(waitReason(state, job), "waits before it tries a failed input again");
});

test("when its client has gone", () => {
  const state = createState();
  const job = submit(state, JOB_ID);
  job.phase = "interrupted";
  assert.equal(waitReason(state, job), "its client went away; attach to it to go on");
});

test("machines that are on their way, and what keeps others from being made, are named", () => {
  const state = createState();
  const job = submit(state, JOB_ID);
  const machines = { booting: 2, troubles: ["the quota of 8 CPUS in us-central1 is reached"] };
  assert.equal(waitReason(state, job, [], machines), "waits for the first node to start: 2 machines booting, the quota of 8 CPUS in us-central1 is reached");
  assert.equal(waitReason(state, job, [], { booting: 1, troubles: [] }), "waits for the first node to start: 1 machine booting");
});
