/** The disk of the engine is full while a cluster uses it. Only for an engine that is nobody else's, with a small disk. */
import assert from "node:assert/strict";
import { remoteParallelMap } from "burla";
import { assertEachOnce, numbers } from "../../support/inputs.ts";
import { until } from "../support/until.ts";
import { WORKER_IMAGE } from "../support/engine.ts";
import { roundMs } from "../support/scenario.ts";
import type { EngineScenario } from "./engine.ts";

/** Room for the image and some containers. */
export const ENGINE_DISK_MIB = 320;
const NO_ROOM = /the disk of the Docker Engine is full/;

const full: EngineScenario = {
  name: "the disk of the engine is full: nodes say so, and jobs wait for room",
  run: async (cluster, engine) => {
    await cluster.ready();
    const empty = engine.fill();
    try {
      // Warm containers have all they need; the fresh set after this job cannot be made.
      assertEachOnce(await remoteParallelMap((x: number) => x, numbers(20)).toArray(), 20);
      const { reason } = await cluster.untilNode("a node has failed", ({ state }) => state === "FAILED");
      assert.match(reason, NO_ROOM);
      await until("all nodes have", async () => (await cluster.status()).nodes.every(({ state }) => state === "FAILED"));
      const waiting = remoteParallelMap((x: number) => x + 1, numbers(20));
      const all = waiting.toArray();
      const told = await until("the job says why it waits", async () => {
        const { jobs } = await cluster.status();
        return jobs.find(({ jobId, reason: why }) => jobId === waiting.jobId && NO_ROOM.test(why))?.reason;
      });
      const begin = performance.now();
      empty();
      assertEachOnce((await all).map((x) => x - 1), 20);
      await cluster.ready();
      assert.ok((await cluster.containers()).every(({ image }) => image === WORKER_IMAGE));
      return { nodeReason: reason, jobReason: told, roomToReadyMs: roundMs(performance.now() - begin) };
    } finally {
      empty();
    }
  },
};

export const ENGINE_DISK: readonly EngineScenario[] = [full];
