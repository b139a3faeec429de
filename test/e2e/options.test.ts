/** Each option does what it says, on real workers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BurlaError, remoteParallelMap, TimeoutError, type Progress } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce, drain, numbers } from "../support/inputs.ts";

const cluster = useCluster();

const sleep = async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
};

test("retries call again, with the attempt number and a growing pause", async () => {
  const calls = await remoteParallelMap(
    (x: number, { attempt }) => {
      if (attempt < 3) throw Object.assign(new Error(`attempt ${attempt}`), { at: Date.now() });
      return { x, attempt, at: Date.now() };
    },
    numbers(10),
    { retries: 2 },
  ).toArray();
  assert.deepEqual(calls.map(({ x, attempt }) => [x, attempt]), numbers(10).map((x) => [x, 3]));
});

test("an input that fails more often than retries allow is rejected with its last error", async () => {
  const startMs = performance.now();
  const { values } = await drain(
    remoteParallelMap((x: number, { attempt }) => { throw new Error(`input ${x} attempt ${attempt}`); }, numbers(3), { retries: 2 }).settled(),
  );
  const messages = values.map((entry) => (entry.status === "rejected" ? (entry.reason as Error).message : "")).sort();
  assert.deepEqual(messages, ["input 0 attempt 3", "input 1 attempt 3", "input 2 attempt 3"]);
  assert.ok(performance.now() - startMs >= 300, "the pauses are 100 ms and 200 ms");
});

test("a failed input is tried again while its neighbours go on", async () => {
  const { values } = await drain(
    remoteParallelMap((x: number, { attempt }) => { if (x % 50 === 3 && attempt === 1) throw new Error("first"); return x; }, numbers(1000), { retries: 1 }),
  );
  assertEachOnce(values, 1000);
});

for (const [kind, hang] of [
  ["a busy loop", (x: number) => { if (x === 25) for (;;); return x; }],
  ["a promise that never resolves", (x: number) => (x === 25 ? new Promise<number>(() => undefined) : x)],
] as const) {
  test(`timeoutMs ends ${kind} with a TimeoutError and harms no other input`, async () => {
    const { values, error } = await drain(remoteParallelMap(hang as (x: number) => Promise<number>, numbers(60), { timeoutMs: 400 }).settled());
    assert.equal(error, undefined);
    assertEachOnce(values.map(({ index }) => index), 60);
    const failed = values.filter(({ status }) => status === "rejected");
    assert.deepEqual(failed.map(({ index }) => index), [25]);
    const reason = failed[0]!.status === "rejected" ? failed[0]!.reason : undefined;
    assert.ok(reason instanceof TimeoutError && reason.code === "BURLA_TIMEOUT" && reason.inputIndex === 25);
    assert.match(reason.message, /400 ms/);
  });
}

test("a timeout with onError: \"throw\" is thrown, and calls that are quick enough are not ended by it", async () => {
  const { error } = await drain(remoteParallelMap((x: number) => new Promise<number>((resolve) => { if (x !== 2) resolve(x); }), numbers(5), { timeoutMs: 200 }));
  assert.ok(error instanceof TimeoutError);
  assert.deepEqual(await remoteParallelMap(sleep, [50, 60, 70, 80, 90, 100], { timeoutMs: 5000 }).toArray(), [50, 60, 70, 80, 90, 100]);
});

test("a timed out call is tried again when retries allow", async () => {
  const results = await remoteParallelMap(
    (x: number, { attempt }) => new Promise<number>((resolve) => { if (x !== 2 || attempt > 1) resolve(attempt); }),
    numbers(5),
    { timeoutMs: 200, retries: 1 },
  ).toArray();
  assert.equal(results[2], 2);
});

test("timeouts of calls at once in one worker hit the one that hangs", async () => {
  const { values } = await drain(
    remoteParallelMap(async (x: number) => {
      await new Promise((resolve) => setTimeout(resolve, x === 7 ? 60_000 : 20));
      return x;
    }, numbers(40), { timeoutMs: 1000, concurrency: 8 }).settled(),
  );
  assertEachOnce(values.map(({ index }) => index), 40);
  assert.deepEqual(values.filter(({ status }) => status === "rejected").map(({ index }) => index), [7]);
});

test("concurrency runs waiting calls of one worker at once", async () => {
  const counts = await remoteParallelMap(
    async () => {
      const shared = globalThis as unknown as { atOnce?: number };
      shared.atOnce = (shared.atOnce ?? 0) + 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
      const most = shared.atOnce;
      shared.atOnce--;
      return most;
    },
    numbers(64),
    { concurrency: 16 },
  ).toArray();
  assert.ok(Math.max(...counts) > 4, `at most ${Math.max(...counts)} at once`);
  assert.ok(Math.max(...counts) <= 16);
});

test("maxParallelism limits the calls at once over all nodes", async () => {
  await cluster.ready();
  const spans = await remoteParallelMap(
    async () => {
      const from = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 30));
      return { from, to: Date.now() };
    },
    numbers(12),
    { maxParallelism: 1 },
  ).toArray();
  spans.sort((a, b) => a.from - b.from);
  for (const [at, span] of spans.entries()) {
    if (at > 0) assert.ok(span.from >= spans[at - 1]!.to, "two calls overlap");
  }
});

test("maxParallelism also limits concurrency", async () => {
  const counts = await remoteParallelMap(
    async () => {
      const shared = globalThis as unknown as { atOnce?: number };
      shared.atOnce = (shared.atOnce ?? 0) + 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return shared.atOnce--;
    },
    numbers(30),
    { concurrency: 16, maxParallelism: 3 },
  ).toArray();
  assert.ok(Math.max(...counts) <= 3);
});

test("env is set for the calls, and is not there for the next job", async () => {
  const read = () => [process.env["MY_SETTING"], process.env["BURLA_JOB_TOKEN"] === undefined];
  const [first] = await remoteParallelMap(read, [1], { env: { MY_SETTING: "on" } }).toArray();
  assert.equal(first?.[0], "on");
  const [second] = await remoteParallelMap(read, [1]).toArray();
  assert.equal(second?.[0], undefined);
});

test("name is shown by the cluster; without it the function's name", async () => {
  function scoreDocument(x: number) { return x; }
  const named = remoteParallelMap(scoreDocument, [1], { name: "my job" });
  const unnamed = remoteParallelMap(scoreDocument, [1]);
  await Promise.all([named.toArray(), unnamed.toArray()]);
  assert.equal((await cluster.job(named.jobId)).name, "my job");
  assert.equal((await cluster.job(unnamed.jobId)).name, "scoreDocument");
});

test("more processors or memory than any node has is refused with what there is", async () => {
  for (const options of [{ cpu: 4000 }, { ram: "900000 GiB" }]) {
    const { error } = await drain(remoteParallelMap((x: number) => x, [1], options));
    assert.ok(error instanceof BurlaError && error.code === "BURLA_NO_FITTING_NODE", String(error));
    assert.match(error.message, /the largest has \d+/);
  }
});

test("a fraction of a processor gives a node more workers", async () => {
  await cluster.ready();
  const pids = await remoteParallelMap(async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    return process.pid;
  }, numbers(16), { cpu: 0.5 }).toArray();
  const { nodes } = await cluster.status();
  assert.ok(new Set(pids).size > nodes.reduce((sum, { cpu }) => sum + cpu, 0), "more workers than processors");
});

test("ram is the limit of the worker's heap", async () => {
  const [limitMiB] = await remoteParallelMap(async () => {
    const { getHeapStatistics } = await import("node:v8");
    return Math.round(getHeapStatistics().heap_size_limit / 1024 / 1024);
  }, [1], { ram: "300 MiB" }).toArray();
  assert.ok(limitMiB !== undefined && limitMiB < 500, `${limitMiB} MiB`);
});

test("progress tells how far the job is, and ends with all of it", async () => {
  const told: Progress[] = [];
  const stream = remoteParallelMap(sleep, numbers(40).map(() => 20), { progress: (progress) => told.push(progress) });
  await stream.toArray();
  assert.ok(told.length > 0);
  assert.ok(told.every(({ jobId }) => jobId === stream.jobId));
  assert.ok(told.some(({ phase, workers }) => phase === "running" && workers > 0));
  assert.equal(told.at(-1)?.done, 40, "the last one tells of the end");
});

test("context has the index, the attempt, a signal, and a log that may be passed on alone", async () => {
  const lines: string[] = [];
  const results = await remoteParallelMap(
    (x: string, { index, attempt, signal, log }) => {
      [`${x} at ${index}`].forEach(log);
      return [index, attempt, signal.aborted];
    },
    ["a", "b"],
    { onLog: ({ index, text }) => lines.push(`${index} ${text}`) },
  ).toArray();
  assert.deepEqual(results, [[0, 1, false], [1, 1, false]]);
  assert.deepEqual(lines.map((line) => line.slice(0, 8)).sort(), ["0 a at 0", "1 b at 1"]);
});
