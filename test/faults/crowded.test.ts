/** Main takes nothing for a while, and calls go on to answer: what waits for it at the node is bounded, and all of it comes. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MAX_UNSTORED_BYTES } from "@burla/protocol";
import { attach, remoteParallelMap } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce, numbers } from "../support/inputs.ts";
import { Script } from "../support/script.ts";
import { pause, until } from "../support/until.ts";

const cluster = useCluster();
const MIB = 1 << 20;
const LARGE_BYTES = 4 * MIB;
const COUNT = 100_000;
/** A quick machine answers several times as much, if nothing keeps it from that. What waits, what each of the two workers was about to say, and what memory has to spare. */
const BOUND_BYTES = 5 * MAX_UNSTORED_BYTES;
const STALL_MS = 5_000;

function residentBytes(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

/** While main stands still. @returns how much the nodes grew by, each. */
async function growthWithoutMain(flag: string): Promise<number[]> {
  const nodes = cluster.processes("node").map(({ pid }) => pid);
  const { pid } = cluster.main;
  const before = nodes.map(residentBytes);
  const peaks = [...before];
  process.kill(pid, "SIGSTOP");
  writeFileSync(flag, "");
  for (const endMs = performance.now() + STALL_MS; performance.now() < endMs; await pause(50)) nodes.forEach((node, at) => (peaks[at] = Math.max(peaks[at] ?? 0, residentBytes(node))));
  rmSync(flag);
  process.kill(pid, "SIGCONT");
  return peaks.map((peak, at) => peak - (before[at] ?? 0));
}

interface Outcome {
  readonly growth: number[];
  readonly taken: number[];
  readonly large: number;
}

/** A job of calls that answer little, and much while main stands still. */
async function play(timeoutMs: number | undefined): Promise<Outcome> {
  const flag = join(cluster.home, "large");
  const call = (x: number) => (existsSync(flag) ? Buffer.alloc(LARGE_BYTES, x) : x);
  const job = remoteParallelMap(call, numbers(COUNT), { detach: true, ...(timeoutMs !== undefined && { timeoutMs }) });
  await job.uploaded;
  await job.return(undefined);
  await until("some are done", async () => (await cluster.job(job.jobId)).done > COUNT / 20);
  const growth = await growthWithoutMain(flag);
  let large = 0;
  const taken: number[] = [];
  for await (const value of attach<number | Buffer>(job.jobId, { order: "input" })) {
    const index = taken.length;
    if (typeof value === "number") {
      taken.push(value);
      continue;
    }
    large++;
    assert.equal(value.byteLength, LARGE_BYTES);
    assert.equal(value[0], index % 256);
    taken.push(index);
  }
  return { growth, taken, large };
}

for (const [what, timeoutMs] of [["", undefined], [", of calls that may take less time than main stands still", STALL_MS / 2]] as const) {
  test(`large results while main stands still${what}`, async (t) => {
    const { growth, taken, large } = await play(timeoutMs);
    assertEachOnce(taken, COUNT);
    t.diagnostic(`${large} large results; nodes grew by ${growth.map((bytes) => Math.round(bytes / MIB)).join()} MiB`);
    assert.ok(large > 0, "nothing large was answered");
    for (const bytes of growth) assert.ok(bytes < BOUND_BYTES, `a node grew by ${Math.round(bytes / MIB)} MiB`);
  });
}

test("large results of Python while main stands still", async (t) => {
  const flag = join(cluster.home, "large");
  const script = Script.python(cluster, `
def call(x):
    import os
    return bytes([x % 256]) * ${LARGE_BYTES} if os.path.exists(${JSON.stringify(flag)}) else x
results = remote_parallel_map(call, list(range(${COUNT})), detach=True)
results.wait_uploaded()
print(results.job_id, flush=True)
taken, large = 0, 0
for x, value in results.entries():
    taken += 1
    if isinstance(value, bytes):
        large += 1
        assert len(value) == ${LARGE_BYTES} and value[0] == x % 256
    else: assert value == x
print("taken", taken, large)`);
  const jobId = await script.line(/^(job-.*)$/);
  await until("some are done", async () => (await cluster.job(jobId)).done > COUNT / 20);
  const growth = await growthWithoutMain(flag);
  const [taken, large] = (await script.line(/^taken (.*)$/, 120_000)).split(" ").map(Number);
  t.diagnostic(`${large} large results; nodes grew by ${growth.map((bytes) => Math.round(bytes / MIB)).join()} MiB`);
  assert.equal(taken, COUNT);
  for (const bytes of growth) assert.ok(bytes < BOUND_BYTES, `a node grew by ${Math.round(bytes / MIB)} MiB`);
});
