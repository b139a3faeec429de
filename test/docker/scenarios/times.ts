/** How long containers take by themselves. */
import assert from "node:assert/strict";
import { Workbench } from "../../contract/workbench.ts";
import { WORKER_IMAGE } from "../support/engine.ts";
import { openDocker } from "../support/runtime.ts";
import { medianMs, roundMs, type Facts } from "../support/scenario.ts";

const MANY = 20;
const ROUNDS = 10;

async function withBench(body: (bench: Workbench) => Promise<Facts>): Promise<Facts> {
  const bench = new Workbench(openDocker(WORKER_IMAGE));
  await bench.setUp();
  try {
    return await body(bench);
  } finally {
    bench.tearDown();
  }
}

const PROGRAM = `await tell("up"); stay();`;

export const TIMES: readonly { readonly name: string; readonly run: () => Promise<Facts> }[] = [
  {
    name: "one container: from its making to its first word, and from kill to removal",
    run: () => withBench(async (bench) => {
      const up: number[] = [], killed: number[] = [];
      for (let round = 1; round <= ROUNDS; round++) {
        const begin = performance.now();
        const container = bench.start(PROGRAM);
        await bench.told(round);
        up.push(performance.now() - begin);
        const killedAt = performance.now();
        container.kill();
        await container.exited;
        killed.push(performance.now() - killedAt);
      }
      return { rounds: ROUNDS, upMs: medianMs(up), killMs: medianMs(killed) };
    }),
  },
  {
    name: "twenty containers at once: started, and killed",
    run: () => withBench(async (bench) => {
      const begin = performance.now();
      const containers = Array.from({ length: MANY }, () => bench.start(PROGRAM));
      await bench.told(MANY);
      const upMs = performance.now() - begin;
      const killedAt = performance.now();
      for (const container of containers) container.kill();
      await bench.untilConnected(0);
      const silentMs = performance.now() - killedAt;
      const reports = await Promise.all(containers.map(({ exited }) => exited));
      assert.ok(reports.every(({ signal }) => signal === "SIGKILL"));
      return { containers: MANY, upMs: roundMs(upMs), killedMs: roundMs(silentMs), removedMs: roundMs(performance.now() - killedAt) };
    }),
  },
];
