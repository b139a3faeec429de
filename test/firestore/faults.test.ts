/** `kill -9` of each part in the middle of a job whose queue is in Firestore: each input has exactly one result. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, BurlaError, remoteParallelMap } from "burla";
import { useFirestoreCluster } from "../support/firestore.ts";
import { assertEachOnce, drain, numbers } from "../support/inputs.ts";
import { Script } from "../support/script.ts";
import { until } from "../support/until.ts";

const cluster = useFirestoreCluster();
const MANY = 3000;
const kill = (pid: number) => process.kill(pid, "SIGKILL");

/** Long enough that the job still runs when the fault comes. */
function spin(x: number): number {
  const endMs = performance.now() + 1;
  while (performance.now() < endMs);
  return x;
}

async function survives(fault: () => unknown): Promise<void> {
  const results: number[] = [];
  let came = false;
  for await (const result of remoteParallelMap(spin, numbers(MANY))) {
    results.push(result);
    if (results.length < MANY / 3 || came) continue;
    came = true;
    await fault();
  }
  assert.ok(came);
  assertEachOnce(results, MANY);
}

test("a worker is killed", () => survives(() => kill(cluster.processes("worker")[0]!.pid)));

test("a node is killed: another takes over what it had when its lease has ended", async () => {
  await cluster.ready();
  await survives(() => kill(cluster.processes("node")[0]!.pid));
  await cluster.ready();
});

test("all nodes are killed", async () => {
  await survives(() => cluster.processes("node").forEach(({ pid }) => kill(pid)));
  await cluster.ready();
});

test("main is killed: the client starts another, which finds the nodes at work", async () => {
  const { pid } = cluster.main;
  await survives(() => kill(pid));
  await cluster.ready();
  assert.notEqual(cluster.main.pid, pid);
});

test("main is away: the work goes on without it, to the end", async () => {
  const { url, token } = cluster.address;
  const { pid } = cluster.main;
  const results: number[] = [];
  // By its address, so that the client starts no other main.
  const stream = remoteParallelMap(spin, numbers(MANY), { cluster: { url, token } });
  for await (const result of stream) {
    results.push(result);
    if (results.length === 10) kill(pid);
  }
  assertEachOnce(results, MANY);
  assert.equal(cluster.processes("main").length, 0, "nobody has started main meanwhile");
  // The next main hears from the store how it ended.
  await cluster.start();
  await until("the job is known to be done", async () => (await cluster.job(stream.jobId)).phase === "done");
  await cluster.ready();
});

test("the client is killed: its job is interrupted, and another program gets every result once", async () => {
  const script = Script.start(cluster, `
    const wait = (x) => new Promise((resolve) => setTimeout(resolve, 20, x));
    const results = remoteParallelMap(wait, Array.from({ length: 200 }, (_, x) => x));
    let seen = 0;
    for await (const x of results) { if (++seen === 20) console.log("job", results.jobId); }`);
  const jobId = await script.line(/^job (.*)$/);
  script.kill();
  await script.ended();
  await until("main knows that nobody reads", async () => (await cluster.job(jobId)).phase === "interrupted");
  const { values, error } = await drain(attach<number>(jobId));
  const [last] = [Math.max(...values)];
  // All inputs had been pushed, or the end of those that were is told.
  if (error === undefined) assertEachOnce(values, 200);
  else {
    assert.ok(error instanceof BurlaError && error.code === "BURLA_INTERRUPTED", String(error));
    assertEachOnce(values, last + 1);
  }
});
