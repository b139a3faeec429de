/** The function `setup` runs once in each worker, before its first call. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BurlaError, remoteParallelMap, type LogLine } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce, drain, numbers } from "../support/inputs.ts";

useCluster();

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("what it gives is there in all calls of its worker, awaited", async () => {
  const results = await remoteParallelMap((x: number, { worker }) => ({ x, calls: ++worker.calls, pid: worker.pid, own: process.pid }), numbers(200), {
    setup: async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { pid: process.pid, calls: 0 };
    },
  }).toArray();
  assert.deepEqual(results.map(({ x }) => x), numbers(200));
  for (const { pid, own } of results) assert.equal(pid, own);
  for (const pid of new Set(results.map(({ own }) => own))) {
    const counts = results.filter(({ own }) => own === pid).map(({ calls }) => calls).sort((a, b) => a - b);
    assert.deepEqual(counts, numbers(counts.length).map((n) => n + 1), "each worker was set up once");
  }
});

test("it shares with the function what both close over", async () => {
  const settings = new Map<string, number>();
  let rate = 0;
  const results = await remoteParallelMap((x: number) => x * rate + (settings.get("offset") ?? NaN), [1, 2, 3], {
    setup: () => {
      rate = 10;
      settings.set("offset", 1);
    },
  }).toArray();
  assert.deepEqual(results, [11, 21, 31]);
});

test("what it prints is its own, also later", async () => {
  const lines: LogLine[] = [];
  const results = await remoteParallelMap(async (x: number) => { console.log("call"); await new Promise((resolve) => setTimeout(resolve, 100)); return x; }, [1], {
    onLog: (line) => void lines.push(line),
    setup: ({ log }) => {
      console.log("printed");
      log("logged");
      setTimeout(() => console.error("later"), 20);
    },
  }).toArray();
  assert.deepEqual(results, [1]);
  const of = (text: string) => lines.filter((line) => line.text === text).map(({ origin, index }) => [origin, index]);
  for (const text of ["printed", "logged", "later"]) assert.ok(of(text).length > 0 && of(text).every(([origin, index]) => origin === "setup" && index === -1), text);
  assert.deepEqual(of("call"), [["call", 0]]);
});

class NoModel extends RangeError {
  override name = "NoModel";
}
const failing: [string, () => unknown, RegExp][] = [
  ["throws", () => { throw new NoModel("no model"); }, /`setup` threw: no model/],
  ["rejects", async () => { await pause(10); throw new NoModel("no model"); }, /`setup` threw: no model/],
  ["throws in a callback", () => new Promise(() => setTimeout(() => { throw new NoModel("no model"); }, 10)), /`setup` threw: no model/],
];
for (const [how, setup, message] of failing) {
  test(`one that ${how} ends the job once, with its own error as the cause`, async () => {
    const { values, error } = await drain(remoteParallelMap((x: number) => x, numbers(50), { setup, retries: 3 }).settled());
    assert.deepEqual(values, []);
    assert.ok(error instanceof BurlaError && error.code === "BURLA_SETUP", String(error));
    assert.match(error.message, message);
    assert.ok(error.cause instanceof RangeError && error.cause.name === "NoModel");
    assert.match(error.cause.stack ?? "", /setup\.test\.ts:\d+/);
    assert.doesNotMatch(error.cause.stack ?? "", /worker\.mjs|node:internal/);
  });
}

for (const [how, setup] of [["loops", () => { for (;;); }], ["never resolves", () => new Promise(() => undefined)]] as const) {
  test(`one that ${how} is ended by setupTimeoutMs`, async () => {
    const { error } = await drain(remoteParallelMap((x: number) => x, [1, 2], { setup, setupTimeoutMs: 300 }).settled());
    assert.ok(error instanceof BurlaError && error.code === "BURLA_SETUP", String(error));
    assert.match(error.message, /longer than 300 ms/);
  });
}

test("one that ends its process is told as that", async () => {
  const { error } = await drain(remoteParallelMap((x: number) => x, [1], { setup: () => process.exit(7) }).settled());
  assert.ok(error instanceof BurlaError && error.code === "BURLA_SETUP" && /exited with code 7/.test(error.message), String(error));
});

test("timeoutMs is for calls, not for the set-up", async () => {
  const results = await remoteParallelMap((x: number, { worker }) => x + worker, [1, 2, 3], { setup: async () => { await new Promise((resolve) => setTimeout(resolve, 800)); return 10; }, timeoutMs: 400 }).toArray();
  assert.deepEqual(results, [11, 12, 13]);
});

test("a worker in the place of a lost one is set up as well, and a retry does not run it again", async () => {
  const results = await remoteParallelMap((x: number, { worker, attempt }) => {
    if (x === 3 && attempt === 1) process.exit(1);
    if (x === 5 && attempt === 1) throw new Error("once");
    return { x, worker: ++worker.count > 0 };
  }, numbers(20), { setup: () => ({ count: 0 }), retries: 1 }).toArray();
  assertEachOnce(results.map(({ x }) => x), 20);
  assert.ok(results.every(({ worker }) => worker));
});

test("with concurrency the calls of a worker share it; a nested job has its own", async () => {
  const [sums] = await remoteParallelMap(async (_: number, { worker }) => {
    const { remoteParallelMap: map } = await import("burla");
    const inner = await map(async (x: number, context) => { await new Promise((resolve) => setTimeout(resolve, 5)); return x + context.worker.inner; }, [1, 2, 3, 4], { setup: () => ({ inner: 100 }), concurrency: 4 }).toArray();
    return [worker.outer, ...inner];
  }, [0], { setup: () => ({ outer: 7 }) }).toArray();
  assert.deepEqual(sums, [7, 101, 102, 103, 104]);
});

test("a second parameter with a default is the function's own, unless it takes the context apart", async () => {
  const plain = (x: number, factor = 2) => x * factor;
  async function later(x: number, { by } = { by: 3 }) { return await Promise.resolve(x * by); }
  const tools = { times(x: number, factor = 4) { return x * factor; } };
  const bound = ((a: number, x: number, factor = 5) => a + x * factor).bind(null, 100);
  const apart = (x: number, { index } = { index: -5 }) => x * 1000 + index;
  // As compilers write a default for older JavaScript.
  const compiled = function (x: number, factor: number | undefined) { if (factor === void 0) { factor = 6; } return x * factor; };
  const both = (x: number, context?: { index: number }) => x * 1000 + (context?.index ?? -5);
  const run = (fn: unknown) => remoteParallelMap(fn as (x: number) => unknown, [1, 2]).toArray();
  assert.deepEqual(await Promise.all([plain, later, tools.times, bound, apart, compiled, both].map(run)), [[2, 4], [3, 6], [4, 8], [105, 110], [1000, 2001], [6, 12], [1000, 2001]]);
});
