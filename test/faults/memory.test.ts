/** Main keeps nothing in memory of what jobs have captured: its memory does not grow with their number. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { attach, remoteParallelMap } from "burla";
import { useCluster } from "../support/cluster.ts";
import { numbers } from "../support/inputs.ts";

const cluster = useCluster();
const MIB = 1 << 20;
const VALUES_MIB = 40;

function residentMiB(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1024;
}

async function growthOver(jobs: number, run: (at: number) => Promise<void>): Promise<number> {
  for (let at = 0; at < 4; at++) await run(at);
  const before = residentMiB(cluster.main.pid);
  for (let at = 0; at < jobs; at++) await run(at);
  return residentMiB(cluster.main.pid) - before;
}

test("captured values of many jobs in a row, and of detached ones that are read again", async () => {
  const growth = await growthOver(10, async (at) => {
    const captured = Buffer.alloc(VALUES_MIB * MIB, at);
    const stream = remoteParallelMap((x: number) => captured[x] ?? -1, numbers(4), { detach: at % 2 === 0 });
    assert.deepEqual(await stream.toArray(), [at, at, at, at]);
    if (at % 2 === 0) assert.deepEqual(await attach(stream.jobId).toArray(), [at, at, at, at]);
  });
  assert.ok(growth < 4 * VALUES_MIB, `main grew by ${Math.round(growth)} MiB over ten jobs with ${VALUES_MIB} MiB each`);
});

test("large results and inputs of many jobs in a row", async () => {
  const growth = await growthOver(8, async (at) => {
    const inputs = numbers(6).map(() => Buffer.alloc(8 * MIB, at));
    for await (const value of remoteParallelMap((input: Uint8Array) => input, inputs)) assert.equal(value[0], at);
  });
  assert.ok(growth < 150, `main grew by ${Math.round(growth)} MiB over eight jobs with 48 MiB each way`);
});
