/** Functions that end their process, hang it, or use up its memory: each has its own clear outcome. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BurlaError, remoteParallelMap, type MapFunction, type MapOptions } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce, drain, numbers } from "../support/inputs.ts";
import { isRunning } from "../support/processes.ts";
import { until } from "../support/until.ts";

const cluster = useCluster();
const BAD = 25;

/** Runs a function that ends its worker for one input of sixty. @returns the error of that input; the others must be well. */
async function errorOfBad(fn: MapFunction<number, number>, options: MapOptions = {}): Promise<BurlaError> {
  const { values, error } = await drain(remoteParallelMap(fn, numbers(60), { onLog: () => undefined, ...options }).settled());
  assert.equal(error, undefined);
  assertEachOnce(values.map(({ index }) => index), 60);
  const failed = values.filter((entry) => entry.status === "rejected");
  assert.deepEqual(failed.map(({ index }) => index), [BAD], "its neighbours are unharmed");
  const reason = failed[0]!.status === "rejected" ? failed[0]!.reason : undefined;
  assert.ok(reason instanceof BurlaError, String(reason));
  assert.equal(reason.inputIndex, BAD);
  return reason;
}

for (const [how, fn, told] of [
  ["process.exit(3)", (x: number) => { if (x === 25) process.exit(3); return x; }, /exited with code 3/],
  ["process.exit(0)", (x: number) => { if (x === 25) process.exit(0); return x; }, /exited with code 0/],
  ["process.abort()", (x: number) => { if (x === 25) process.abort(); return x; }, /killed by SIGABRT/],
  ["SIGKILL of itself", (x: number) => { if (x === 25) process.kill(process.pid, "SIGKILL"); return x; }, /killed by SIGKILL/],
  ["SIGSEGV of itself", (x: number) => { if (x === 25) process.kill(process.pid, "SIGSEGV"); return x; }, /killed by SIGSEGV/],
  ["an exit in a later turn", async (x: number) => { if (x === 25) { setTimeout(() => process.exit(9), 5); await new Promise(() => undefined); } return x; }, /exited with code 9/],
  ["last words on stderr and an exit", (x: number) => { if (x === 25) { console.error("the disk is on fire"); process.exit(4); } return x; }, /exited with code 4/],
] as const) {
  test(`${how} ends three workers and is then given up, with how it ended`, async () => {
    const error = await errorOfBad(fn as MapFunction<number, number>);
    assert.equal(error.code, "BURLA_WORKER_LOST");
    assert.match(error.message, /input 25 ended/);
    assert.match(error.message, told);
  });
}

test("an input that ends its worker once or twice is answered by the third", async () => {
  const results = await remoteParallelMap((x: number, { attempt }) => { if (x === 5 && attempt < 3) process.exit(1); return attempt; }, numbers(8)).toArray();
  assert.equal(results[5], 3);
});

test("memory used up by the heap is told with limit and peak", async () => {
  const error = await errorOfBad((x: number) => {
    const kept: unknown[] = [];
    while (x === 25) kept.push({ text: `${kept.length} and some more text` });
    return x;
  }, { ram: "200 MiB" });
  assert.equal(error.code, "BURLA_OUT_OF_MEMORY");
  assert.match(error.message, /limit \d+ MiB, peak \d+ MiB/);
});

test("memory used up by buffers outside of the heap is told with limit and peak", async () => {
  const error = await errorOfBad(async (x: number) => {
    const kept: Buffer[] = [];
    while (x === 25) {
      kept.push(Buffer.alloc(16 << 20, 1));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return x;
  }, { ram: "300 MiB" });
  assert.equal(error.code, "BURLA_OUT_OF_MEMORY");
  assert.match(error.message, /limit 300 MiB, peak [345]\d\d MiB/);
});

test("memory used up by a child process counts as the call's", async () => {
  const error = await errorOfBad(async (x: number) => {
    if (x !== 25) return x;
    const { execFileSync } = await import("node:child_process");
    execFileSync(process.execPath, ["-e", "const kept = []; setInterval(() => kept.push(Buffer.alloc(16 << 20, 1)), 10)"]);
    return x;
  }, { ram: "300 MiB" });
  assert.equal(error.code, "BURLA_OUT_OF_MEMORY");
});

test("an exception in a timer fails the call that set it, and not its neighbours", async () => {
  const { values } = await drain(remoteParallelMap(async (x: number) => {
    if (x === 25) setTimeout(() => { throw new RangeError("in the timer"); }, 5);
    await new Promise((resolve) => setTimeout(resolve, x === 25 ? 60_000 : 1));
    return x;
  }, numbers(60)).settled());
  const failed = values.filter((entry) => entry.status === "rejected");
  assert.deepEqual(failed.map(({ index }) => index), [25]);
  assert.ok(failed[0]!.status === "rejected" && failed[0]!.reason instanceof RangeError);
});

test("a rejection that nobody handles fails the call that made it", async () => {
  const { values } = await drain(remoteParallelMap(async (x: number) => {
    if (x % 2 === 1) void Promise.reject(new TypeError(`unhandled ${x}`));
    await new Promise((resolve) => setTimeout(resolve, 30));
    return x;
  }, numbers(8), { concurrency: 4 }).settled());
  for (const entry of values) {
    if (entry.index % 2 === 0) assert.equal(entry.status, "fulfilled");
    else assert.ok(entry.status === "rejected" && (entry.reason as Error).message === `unhandled ${entry.index}`);
  }
});

test("an exception after its call has ended is printed, and harms nobody", async () => {
  const lines: string[] = [];
  const results = await remoteParallelMap(async (x: number) => {
    if (x === 0) setTimeout(() => { throw new Error("too late"); }, 5);
    else await new Promise((resolve) => setTimeout(resolve, 40));
    return x;
  }, numbers(6), { onLog: ({ text }) => lines.push(text), concurrency: 3 }).toArray();
  assert.deepEqual(results, numbers(6));
  assert.match(lines.join("\n"), /too late/);
});

test("children that a function has spawned end with its worker", async () => {
  const stream = remoteParallelMap(async () => {
    const { spawn } = await import("node:child_process");
    const children = [spawn("sleep", ["1000"], { stdio: "ignore" }), spawn("sleep", ["1000"], { stdio: "ignore", detached: true })];
    for (const child of children) child.unref();
    return children.map(({ pid }) => pid ?? 0);
  }, [1, 2, 3]);
  const { values } = await drain(stream);
  assert.equal(values.length, 3);
  await until("the children are gone", () => values.flat().every((pid) => !isRunning(pid)));
});

test("a worker that closes its own sockets is replaced", async () => {
  const error = await errorOfBad(async (x: number) => {
    if (x !== 25) return x;
    const { closeSync, readdirSync, readlinkSync } = await import("node:fs");
    for (const fd of readdirSync("/proc/self/fd").map(Number)) {
      try {
        if (readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:")) closeSync(fd);
      } catch {
        // It was the descriptor of the listing itself.
      }
    }
    for (;;) await new Promise((resolve) => setTimeout(resolve, 1000));
  });
  assert.equal(error.code, "BURLA_WORKER_LOST");
});

test("a stopped worker is ended by the timeout of its call", async () => {
  const error = await errorOfBad((x: number) => { if (x === 25) process.kill(process.pid, "SIGSTOP"); return x; }, { timeoutMs: 500 });
  assert.equal(error.code, "BURLA_TIMEOUT");
});

test("a worker that is stopped and not continued is replaced, also without a timeout", async () => {
  const results = await remoteParallelMap((x: number, { attempt }) => { if (x === 5 && attempt === 1) process.kill(process.pid, "SIGSTOP"); return attempt; }, numbers(8)).toArray();
  assert.equal(results[5], 2);
});

test("functions that change the process around them do not harm the service", async () => {
  const results = await remoteParallelMap((x: number) => {
    process.exitCode = 7;
    process.removeAllListeners();
    (process as { env: unknown }).env = {};
    (globalThis as { setImmediate: unknown }).setImmediate = undefined;
    (globalThis as { Promise: unknown }).Promise = undefined;
    (performance as { now: unknown }).now = () => NaN;
    return x;
  }, numbers(200)).toArray();
  assert.deepEqual(results, numbers(200));
});

test("process.stdin is at its end, and cwd is the caller's", async () => {
  const [read] = await remoteParallelMap(async () => {
    let text = "";
    for await (const piece of process.stdin) text += String(piece);
    return { text, cwd: process.cwd() };
  }, [1]).toArray();
  assert.deepEqual(read, { text: "", cwd: process.cwd() });
});

test("after all this, the cluster has its workers and works", async () => {
  assert.deepEqual(await remoteParallelMap((x: number) => x, numbers(1000)).toArray(), numbers(1000));
  await cluster.ready();
  const { nodes } = await cluster.status();
  assert.equal(cluster.processes("worker").length, nodes.reduce((sum, { workers }) => sum + workers.length, 0));
});
