/** What the engine does to a job: it stops, dies, is not there, lacks the image. Only for an engine that is nobody else's. */
import assert from "node:assert/strict";
import { remoteParallelMap } from "burla";
import type { PrivateEngine } from "../../../scripts/docker/private-engine.mjs";
import { assertEachOnce, numbers } from "../../support/inputs.ts";
import { until } from "../support/until.ts";
import type { DockerCluster } from "../support/cluster.ts";
import { ensureWorkerImage, WORKER_IMAGE } from "../support/engine.ts";
import { roundMs, type Facts } from "../support/scenario.ts";

const INPUTS = 400;

export interface EngineScenario {
  readonly name: string;
  readonly run: (cluster: DockerCluster, engine: PrivateEngine) => Promise<Facts>;
}

/** A job of some seconds, with a fault after a quarter of its results. @throws Error unless each input has one result. */
async function survives(fault: () => Promise<unknown>): Promise<Facts> {
  const begin = performance.now();
  let lostWorkers = 0, slowestMs = 0, lastMs = begin;
  const results: number[] = [];
  const stream = remoteParallelMap(
    async (x: number) => { await new Promise((resolve) => setTimeout(resolve, 15)); return x; }, numbers(INPUTS),
    { progress: (progress) => (lostWorkers = progress.lostWorkers) },
  );
  for await (const result of stream) {
    slowestMs = Math.max(slowestMs, performance.now() - lastMs);
    if (results.push(result) === INPUTS / 4) await fault();
    lastMs = performance.now();
  }
  assertEachOnce(results, INPUTS);
  return { inputs: INPUTS, answered: results.length, lostWorkers, longestPauseMs: roundMs(slowestMs), totalMs: roundMs(performance.now() - begin) };
}

/** Resolves when all nodes have their warm set; also those that had given up. */
async function recovered(cluster: DockerCluster): Promise<number> {
  const begin = performance.now();
  const count = cluster.spec.groups.reduce((sum, group) => sum + group.count, 0);
  await until("all nodes are ready", async () => {
    const { nodes } = await cluster.status();
    return nodes.length === count && nodes.every(({ state, workers }) => state === "READY" && workers.every((worker) => worker.state === "warm"));
  });
  return roundMs(performance.now() - begin);
}

/** A job during which the engine goes away and comes back, and the nodes with their containers after it. */
function outage(name: string, away: (...world: Parameters<EngineScenario["run"]>) => Promise<void>): EngineScenario {
  return {
    name,
    run: async (cluster, engine) => {
      await recovered(cluster);
      const facts = await survives(() => away(cluster, engine));
      return { ...facts, recoveryMs: await recovered(cluster), containers: (await cluster.containers()).length };
    },
  };
}

const restarted = outage("the engine is stopped and started in the middle of a job", async (cluster, engine) => {
  await engine.stop("SIGTERM");
  await cluster.untilNode("a node says that it waits for the engine", ({ reason }) => /Docker Engine/.test(reason));
  await engine.start();
});

const crashed = outage("the engine is killed in the middle of a job, and comes back", async (_cluster, engine) => {
  await engine.stop("SIGKILL");
  await engine.start();
});

const frozen = outage("the engine stands still in the middle of a job, and goes on", async (cluster, engine) => {
  engine.freeze();
  try {
    await cluster.untilNode("a node says that it waits for the engine", ({ reason }) => /Docker Engine/.test(reason));
  } finally {
    engine.thaw();
  }
});

const away: EngineScenario = {
  name: "a job ends while the engine is away, the next one waits for it",
  run: async (cluster, engine) => {
    await recovered(cluster);
    const job = remoteParallelMap((x: number) => x, [1]);
    await engine.stop("SIGKILL");
    assert.deepEqual(await job.toArray(), [1], "containers that are warm need no engine");
    const next = remoteParallelMap((x: number) => x + 1, [1]).toArray();
    const { state, reason } = await cluster.untilNode("a node says that it waits for the engine", (node) => /Docker Engine/.test(node.reason));
    await engine.start();
    assert.deepEqual(await next, [2]);
    return { state, reason, recoveryMs: await recovered(cluster), containers: (await cluster.containers()).length };
  },
};

const noImage: EngineScenario = {
  name: "the image is missing: nodes say so, and recover when it is made",
  run: async (cluster) => {
    await recovered(cluster);
    await cluster.docker.getImage(WORKER_IMAGE).remove({ force: true });
    for (const { pid } of (await cluster.status()).nodes) process.kill(pid, "SIGKILL");
    const { reason } = await cluster.untilNode("a node has failed", ({ state }) => state === "FAILED");
    assert.match(reason, /the image burla\/worker-node:\S+ is not on this machine.*burla image/s);
    const waiting = remoteParallelMap((x: number) => x, [1]);
    const result = waiting.toArray();
    const told = await until("the job says why it waits", async () => (await cluster.status()).jobs.find(({ jobId, reason: why }) => jobId === waiting.jobId && /is not on this machine/.test(why)));
    await ensureWorkerImage(cluster.docker);
    assert.deepEqual(await result, [1]);
    return { nodeReason: reason.split("\n")[0] ?? "", jobReason: told.reason, recoveryMs: await recovered(cluster) };
  },
};

export const ENGINE: readonly EngineScenario[] = [restarted, crashed, frozen, away, noImage];
