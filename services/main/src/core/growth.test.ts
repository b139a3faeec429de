import assert from "node:assert/strict";
import { test } from "node:test";
import { demandsOf } from "./growth.ts";
import { jobIdOf, TestCluster } from "./testing.ts";

const MINUTE_MS = 60_000;

test("only a job that may add nodes asks for some", () => {
  const cluster = new TestCluster();
  cluster.submit("one", 100);
  assert.deepEqual(demandsOf(cluster.state, cluster.nowMs), []);
});

test("without any node there must be one worker, whatever there is to do", () => {
  const cluster = new TestCluster();
  cluster.submit("one", 100, { grow: 3 });
  assert.deepEqual(demandsOf(cluster.state, cluster.nowMs), [{ workers: 1, cpu: 1, ramMiB: 0, nodes: 3 }]);
});

test("calls that nobody has finished are taken to be as long as the job is old", () => {
  const cluster = new TestCluster();
  cluster.submit("one", 100, { grow: 3 });
  assert.equal(demandsOf(cluster.state, cluster.nowMs + MINUTE_MS)[0]?.workers, 100, "a minute's call each is worth a worker each");
});

test("what would be done before a machine comes asks for none", () => {
  const cluster = new TestCluster();
  cluster.submit("one", 1000, { grow: 3 });
  const job = cluster.state.jobs.get(jobIdOf("one"))!;
  job.callTime = { callMs: 10, calls: 100 };
  assert.equal(demandsOf(cluster.state, cluster.nowMs)[0]?.workers, 1);
  job.callTime = { callMs: 2_000, calls: 100 };
  assert.equal(demandsOf(cluster.state, cluster.nowMs)[0]?.workers, 100, "2,000 s of work, 20 s for each");
});

test("the job's own limits hold", () => {
  const cluster = new TestCluster();
  cluster.submit("one", 100, { grow: 3, maxParallelism: 8, concurrency: 2, cpu: 2, ramMiB: 512 });
  assert.deepEqual(demandsOf(cluster.state, cluster.nowMs + MINUTE_MS), [{ workers: 4, cpu: 2, ramMiB: 512, nodes: 3 }]);
});
