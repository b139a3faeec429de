/** Nodes that hang: their lease is over, they are ended with all that they run, and others take their place. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { remoteParallelMap } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce, numbers } from "../support/inputs.ts";
import { isRunning } from "../support/processes.ts";
import { until } from "../support/until.ts";

const cluster = useCluster();
const PATIENCE_MS = 90_000;
const pidsOf = (role: "node" | "worker") => cluster.processes(role).map(({ pid }) => pid);

/** Resolves when these are gone, others are there in their place, and the cluster works. */
async function replaced(nodes: readonly number[]): Promise<void> {
  await until("the nodes that hang are ended", () => !nodes.some(isRunning), PATIENCE_MS);
  await until("others take their place", async () => {
    const { nodes: known } = await cluster.status();
    return known.length > 0 && known.every(({ state }) => state === "READY") && pidsOf("node").length === known.length;
  }, PATIENCE_MS);
  assertEachOnce(await remoteParallelMap((x: number) => x, numbers(300)).toArray(), 300);
  await cluster.ready();
}

test("a function stops the node that it runs on: each input has one result, and nothing of the node is left", async () => {
  await cluster.ready();
  const mark = join(cluster.home, "stopped");
  const stream = remoteParallelMap(async (x: number) => {
    const { existsSync: isThere, writeFileSync: write } = await import("node:fs");
    if (x === 10 && !isThere(mark)) {
      write(mark, String(process.ppid));
      process.kill(process.ppid, "SIGSTOP");
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    return x;
  }, numbers(200));
  const results = await stream.toArray();
  assert.deepEqual(results, numbers(200));
  assert.ok(existsSync(mark));
  await replaced([Number(readFileSync(mark, "utf8"))]);
});

test("all nodes are stopped at work, with their workers", async () => {
  await cluster.ready();
  const before = { nodes: pidsOf("node"), workers: pidsOf("worker") };
  let isStopped = false;
  const results: number[] = [];
  for await (const x of remoteParallelMap(async (n: number) => { await new Promise((resolve) => setTimeout(resolve, 30)); return n; }, numbers(120))) {
    results.push(x);
    if (results.length < 20 || isStopped) continue;
    isStopped = true;
    for (const pid of [...before.workers, ...before.nodes]) if (isRunning(pid)) process.kill(pid, "SIGSTOP");
  }
  assertEachOnce(results, 120);
  await replaced(before.nodes);
  assert.ok(!before.workers.some(isRunning), "no worker outlives its node");
});

test("a node that is stopped while it has nothing to do is replaced as well", async () => {
  await cluster.ready();
  const [node = 0] = pidsOf("node");
  process.kill(node, "SIGSTOP");
  await replaced([node]);
});

test("a node that is stopped when main is not there is replaced by the next main", async () => {
  await cluster.ready();
  const [node = 0] = pidsOf("node");
  process.kill(node, "SIGSTOP");
  process.kill(cluster.main.pid, "SIGKILL");
  assertEachOnce(await remoteParallelMap((x: number) => x, numbers(300)).toArray(), 300);
  await replaced([node]);
});
