/** A disk that takes no more: jobs end with an error that says so, the cluster goes on, and works again when there is room. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BurlaError, remoteParallelMap } from "burla";
import { TestCluster, useCluster } from "../support/cluster.ts";
import { drain, numbers } from "../support/inputs.ts";
import { Script } from "../support/script.ts";

const cluster = useCluster();
const MIB = 1 << 20;

/** Main may write no file beyond this: the system refuses what a full disk would refuse. */
function limitFiles(bytes: number | "unlimited"): void {
  execFileSync("prlimit", ["--pid", String(cluster.main.pid), `--fsize=${bytes}:unlimited`]);
}

async function withLittleRoom(run: () => Promise<void>): Promise<void> {
  const { pid } = cluster.main;
  limitFiles(8 * MIB);
  try {
    await run();
  } finally {
    limitFiles("unlimited");
  }
  assert.equal(cluster.main.pid, pid, "main goes on");
  assert.deepEqual(await remoteParallelMap((x: number) => x, numbers(100)).toArray(), numbers(100));
}

function assertStorageError(error: unknown): void {
  assert.ok(error instanceof BurlaError && error.code === "BURLA_STORAGE", String(error));
  assert.match(error.message, /EFBIG.*\n {2}Raise the limit on the size of files/);
}

test("results for which there is no room end the job with an error, not with fewer results", () => withLittleRoom(async () => {
  const { values, error } = await drain(remoteParallelMap((x: number) => Buffer.alloc(MIB, x), numbers(100)));
  assertStorageError(error);
  assert.ok(values.length < 100);
}));

test("inputs for which there is no room end the job with an error", () => withLittleRoom(async () => {
  const stream = remoteParallelMap((x: Uint8Array) => x.byteLength, numbers(100).map(() => Buffer.alloc(MIB)));
  assertStorageError((await drain(stream)).error);
  assert.equal((await cluster.job(stream.jobId)).phase, "failed");
}));

test("captured values for which there is no room end the job with an error", () => withLittleRoom(async () => {
  const captured = Buffer.alloc(12 * MIB);
  assertStorageError((await drain(remoteParallelMap((x: number) => captured[x], [1]))).error);
}));

test("printed lines for which there is no room are no reason to end the job", () => withLittleRoom(async () => {
  const results = await remoteParallelMap((x: number) => {
    for (let line = 0; line < 50; line++) console.log("x".repeat(10_000));
    return x;
  }, numbers(40), { onLog: () => undefined }).toArray();
  assert.deepEqual(results, numbers(40));
}));

test("a cluster that cannot be started says why", async () => {
  const other = new TestCluster();
  writeFileSync(join(other.home, "clusters"), "a file where a folder should be");
  const { code, stderr } = await Script.run(other, `await remoteParallelMap((x) => x, [1]).toArray();`);
  assert.equal(code, 1);
  assert.match(stderr, /cannot write to the state folder .*(ENOTDIR|EEXIST)[^]*BURLA_STORAGE/);
  await other.dispose();
});
