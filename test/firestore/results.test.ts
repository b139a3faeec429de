/** A local cluster whose queue is in Firestore: the same function as everywhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, BurlaError, remoteParallelMap, type LogLine, type Progress } from "burla";
import { jobInEmulator, useFirestoreCluster } from "../support/firestore.ts";
import { assertEachOnce, drain, numbers } from "../support/inputs.ts";
import { Script } from "../support/script.ts";
import { until } from "../support/until.ts";

const cluster = useFirestoreCluster();

test("a thousand inputs, each once, in their order", async () => {
  const results = await remoteParallelMap((x: number) => x * 2, numbers(1000)).toArray();
  assert.deepEqual(results, numbers(1000).map((x) => x * 2));
});

test("nothing of a job is left in the store when its results were taken, but what it printed", async () => {
  const results = remoteParallelMap((x: number) => (console.log("line", x), x), numbers(20), { onLog: () => undefined });
  await results.toArray();
  const left = () => jobInEmulator(cluster, results.jobId);
  await until("its documents are gone", async () => {
    const { chunks, bodies, results: outcomes } = await left();
    return chunks + bodies + outcomes === 0;
  });
  assert.equal((await left()).state, "done");
});

test("what calls print comes with the index of its input, and `burla logs` has it afterwards", async () => {
  const lines: LogLine[] = [];
  const results = remoteParallelMap((x: number) => { console.log("input", x); return x; }, numbers(50), { onLog: (line) => lines.push(line) });
  await results.toArray();
  assert.deepEqual(lines.map(({ text, index }) => `${text} ${index}`).sort(), numbers(50).map((x) => `input ${x} ${x}`).sort());
  const told = await (await cluster.request(`/v1/jobs/${results.jobId}/logs`)).text();
  assert.equal(told.trim().split("\n").length, 50);
});

test("an error of the function is thrown with its class, its index and its attempt; the job ends", async () => {
  const results = remoteParallelMap((x: number) => { if (x === 7) throw new RangeError("seven"); return x; }, numbers(20));
  const { error } = await drain(results);
  assert.ok(error instanceof RangeError);
  assert.equal((error as RangeError & { inputIndex: number }).inputIndex, 7);
  await until("main knows", async () => (await cluster.job(results.jobId)).phase === "failed");
  await until("people are told of it", async () => (await cluster.job(results.jobId)).failures[0]?.index === 7);
});

test("with onError continue all inputs run, and the failures come together at the end", async () => {
  const { values, error } = await drain(remoteParallelMap((x: number) => { if (x % 10 === 0) throw new Error(`no ${x}`); return x; }, numbers(100), { onError: "continue" }));
  assert.equal(values.length, 90);
  assert.equal((error as AggregateError).errors.length, 10);
});

test("a call that fails is tried again", async () => {
  const flaky = (x: number) => {
    const seen = globalThis as { tried?: Record<number, number> };
    const tried = (seen.tried ??= {});
    tried[x] = (tried[x] ?? 0) + 1;
    if (tried[x] < 3) throw new Error("not yet");
    return tried[x];
  };
  const results = await remoteParallelMap(flaky, numbers(6), { retries: 10 }).toArray();
  assert.ok(results.every((tries) => tries >= 3));
});

test("an input that ends its worker again and again is given up, and no other", async () => {
  const settled = [];
  for await (const one of remoteParallelMap((x: number) => { if (x === 13) process.exit(9); return x; }, numbers(40)).settled()) settled.push(one);
  assert.equal(settled.length, 40);
  const failed = settled.filter((one) => one.status === "rejected");
  assert.equal(failed.length, 1);
  const [{ index, reason }] = failed as unknown as [{ index: number; reason: unknown }];
  assert.equal(index, 13);
  assert.ok(reason instanceof BurlaError && reason.code === "BURLA_WORKER_LOST", String(reason));
});

test("a call that takes too long fails alone", async () => {
  const settled = [];
  const slow = async (x: number) => { if (x === 3) await new Promise((resolve) => setTimeout(resolve, 60_000)); return x; };
  for await (const one of remoteParallelMap(slow, numbers(8), { timeoutMs: 1000 }).settled()) settled.push(one);
  assert.deepEqual(settled.filter((one) => one.status === "rejected").map(({ index }) => index), [3]);
  assert.equal(settled.length, 8);
});

test("values of 100 kB travel in documents of their own, of 3 MB as blobs", async () => {
  const sizes = [100_000, 3_000_000, 10];
  const lengths = await remoteParallelMap((value: Uint8Array) => value, sizes.map((size) => new Uint8Array(size).fill(size % 251))).toArray();
  assert.deepEqual(lengths.map(({ byteLength }) => byteLength), sizes);
  assert.ok(lengths.every((value, at) => value.every((byte) => byte === sizes[at]! % 251)));
});

test("a slow consumer stops the reading of inputs", async () => {
  let pulled = 0;
  const endless = (function* () { for (;;) yield pulled++; })();
  const seen: number[] = [];
  for await (const x of remoteParallelMap((value: number) => value, endless)) {
    seen.push(x);
    if (seen.length === 1) await until("nothing more is pulled", async () => {
      const before = pulled;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return pulled === before;
    });
    if (seen.length === 5) break;
  }
  assert.ok(pulled < 200_000, `${pulled} inputs were pulled for 5 results`);
});

test("cancel ends the job on the nodes", async () => {
  const results = remoteParallelMap(() => new Promise(() => undefined), numbers(10));
  const reading = drain(results);
  await until("it runs", async () => (await cluster.status()).jobs.some(({ jobId, nodes }) => jobId === results.jobId && nodes > 0));
  await results.cancel();
  const { error } = await reading;
  assert.ok(error instanceof BurlaError && error.code === "BURLA_CANCELLED");
  assert.equal((await jobInEmulator(cluster, results.jobId)).state, "cancelled");
  await cluster.ready();
});

test("a detached job ends without its program, and its results are collected later, in the same order by everybody", async () => {
  const job = remoteParallelMap((x: number) => x, numbers(300), { detach: true });
  await job.uploaded;
  await job.return(undefined);
  await until("it is done", async () => (await cluster.job(job.jobId)).phase === "done");
  assert.equal((await cluster.job(job.jobId)).done, 300);
  const all = (await drain(attach<number>(job.jobId))).values;
  assertEachOnce(all, 300);
  assert.deepEqual((await drain(attach<number>(job.jobId))).values, all);
  assert.deepEqual((await drain(attach<number>(job.jobId, { from: 100 }))).values, all.slice(100));
});

test("people see how far it is", async () => {
  const seen: Progress[] = [];
  const slow = async (x: number) => { await new Promise((resolve) => setTimeout(resolve, 50)); return x; };
  await remoteParallelMap(slow, numbers(120), { progress: (progress) => void seen.push(progress) }).toArray();
  assert.ok(seen.some(({ done, total }) => done > 0 && done < 120 && total === 120), JSON.stringify(seen.at(-1)));
});

test("two jobs at once", async () => {
  const slow = async (x: number) => { await new Promise((resolve) => setTimeout(resolve, 5)); return x; };
  const both = await Promise.all([remoteParallelMap(slow, numbers(200)).toArray(), remoteParallelMap(slow, numbers(200)).toArray()]);
  for (const results of both) assert.deepEqual(results, numbers(200));
});

test("a function starts a job of its own", async () => {
  const outer = async (x: number) => (await remoteParallelMap((y: number) => y + 1, [x, x + 1]).toArray()).reduce((sum, y) => sum + y, 0);
  assert.deepEqual(await remoteParallelMap(outer, [1, 10]).toArray(), [5, 23]);
});

test("a program in Python has its queue in main, and reads no job whose queue is elsewhere", async () => {
  const elsewhere = remoteParallelMap((x: number) => x, [1]);
  await elsewhere.toArray();
  const { code, stdout, stderr } = await Script.python(cluster, `
import burla
print(sum(remote_parallel_map(lambda x: x * 2, range(100))))
try: list(burla.attach("${elsewhere.jobId}"))
except burla.BurlaError as error: print(error.code)`).ended();
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "9900\nBURLA_QUEUE\n");
});
