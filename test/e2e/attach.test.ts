/** Jobs that outlive the program that started them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { attach as attachTo, BurlaError, remoteParallelMap, type AttachOptions } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce, drain, numbers } from "../support/inputs.ts";
import { Script } from "../support/script.ts";
import { until } from "../support/until.ts";

const cluster = useCluster();

/** Without the lines of its calls among those of the test. */
const attach = <Result>(jobId: string, options: AttachOptions = {}) => attachTo<Result>(jobId, { onLog: () => undefined, ...options });

const DETACH = `
  const stream = remoteParallelMap(async (x) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    console.log("line of", x);
    if (x === 13) throw new RangeError("thirteen");
    return x;
  }, Array.from({ length: Number(process.argv[2]) }, (_, i) => i), { detach: true });
  await stream.uploaded;
  console.log(stream.jobId);
`;

/** A detached job of a program that has ended. */
async function detached(count: number): Promise<string> {
  const { code, stdout, stderr } = await Script.run(cluster, DETACH, { args: [String(count)] });
  assert.equal(code, 0, stderr);
  const jobId = /job-\w+/.exec(stdout)?.[0];
  assert.ok(jobId !== undefined);
  return jobId;
}

test("a detached job goes on without its program; another collects its results from the start", async () => {
  const jobId = await detached(200);
  const { values } = await drain(attach<number>(jobId).settled());
  assertEachOnce(values.map(({ index }) => index), 200);
  const failed = values.filter((entry) => entry.status === "rejected");
  assert.equal(failed.length, 1);
  assert.ok(failed[0]!.status === "rejected" && failed[0]!.reason instanceof RangeError);
});

test("a detached job may be read many times, at once and after its end, and from where a reader was", async () => {
  const jobId = await detached(100);
  const [first, second] = await Promise.all([drain(attach<number>(jobId).settled()), drain(attach<number>(jobId).settled())]);
  assert.deepEqual(first.values, second.values, "the same results in the same order");
  const rest = await drain(attach<number>(jobId, { from: 60 }).settled());
  assert.deepEqual(rest.values, first.values.slice(60));
  const none = await drain(attach<number>(jobId, { from: 100 }).settled());
  assert.deepEqual(none.values, []);
});

test("an attached reader that leaves does not stop a detached job", async () => {
  const jobId = await detached(300);
  for await (const entry of attach<number>(jobId).settled()) {
    assert.equal(typeof entry.index, "number");
    break;
  }
  await until("the job is done", async () => (await cluster.job(jobId)).phase === "done");
  assert.equal((await cluster.job(jobId)).done, 299);
});

test("an attached reader may cancel a detached job", async () => {
  const jobId = await detached(5000);
  const stream = attach<number>(jobId);
  await stream.next();
  await stream.cancel();
  assert.equal((await cluster.job(jobId)).phase, "cancelled");
});

test("a detached job's failures are thrown together by attach with onError: \"continue\", and one by one without", async () => {
  const jobId = await detached(50);
  const all = await drain(attach<number>(jobId, { onError: "continue" }));
  assert.equal(all.values.length, 49);
  assert.ok(all.error instanceof AggregateError);
  const thrown = await drain(attach<number>(jobId));
  assert.ok(thrown.error instanceof RangeError);
});

test("a detached job needs its program only until its inputs are uploaded", async () => {
  const script = Script.start(cluster, DETACH, { args: ["1500"] });
  const jobId = await script.line(/(job-\w+)/);
  script.kill();
  await script.ended();
  await until("the job is done", async () => (await cluster.job(jobId)).phase === "done");
  const { inputs, done, failed } = await cluster.job(jobId);
  assert.deepEqual({ inputs, done, failed }, { inputs: 1500, done: 1499, failed: 1 });
});

test("a program killed half way leaves an interrupted job; what it had pushed can be collected", async () => {
  const script = Script.start(cluster, `
    const stream = remoteParallelMap(async (x) => { await new Promise((resolve) => setTimeout(resolve, 2)); return x; }, (function* () { for (let i = 0; ; i++) yield i; })());
    console.log(stream.jobId);
    let taken = 0;
    for await (const x of stream) if (++taken === 200) console.log("half way");
  `);
  const jobId = await script.line(/(job-\w+)/);
  await script.line(/half way/);
  script.kill();
  const { values, error } = await drain(attach<number>(jobId));
  assert.ok(error instanceof BurlaError && error.code === "BURLA_INTERRUPTED", String(error));
  assert.equal((await cluster.job(jobId)).inputs, values.length);
  assertEachOnce(values, values.length);
});

test("an interrupted job stops using processors, and says so", async () => {
  const script = Script.start(cluster, `
    const stream = remoteParallelMap((x) => { const end = Date.now() + 60_000; while (x > 0 && Date.now() < end); return x; }, [0, 1, 2, 3]);
    console.log(stream.jobId);
    for await (const x of stream) console.log("first");
  `);
  const jobId = await script.line(/(job-\w+)/);
  await script.line(/first/);
  script.kill();
  await until("the job is interrupted", async () => (await cluster.job(jobId)).phase === "interrupted");
  await cluster.workersIdle();
  assert.match((await cluster.job(jobId)).reason, /client went away/);
  assert.equal((await cluster.request(`/v1/jobs/${jobId}/cancel`, { method: "POST" })).status, 200);
  assert.equal((await cluster.job(jobId)).phase, "cancelled");
});

test("a second reader of a running job gets every result too, and does not disturb the first", async () => {
  const stream = remoteParallelMap(async (x: number) => { await new Promise((resolve) => setTimeout(resolve, 4)); return x; }, numbers(300));
  const own = drain(stream);
  await until("the job is known", async () => (await cluster.status()).jobs.some(({ jobId }) => jobId === stream.jobId));
  const script = Script.start(cluster, `
    const values = [];
    for await (const x of attach(process.argv[2])) values.push(x);
    console.log(new Set(values).size, values.length);
  `, { args: [stream.jobId] });
  assertEachOnce((await own).values, 300);
  assert.match((await script.ended()).stdout, /^300 300/);
});

test("attach says clearly what it does not know or understand", async () => {
  assert.throws(() => attach("nonsense"), { name: "TypeError", message: /no job id/ });
  const { error } = await drain(attach("job-0000000000000000000"));
  assert.ok(error instanceof BurlaError && error.code === "BURLA_NO_SUCH_JOB");
});

test("a job whose results were all taken is remembered, but not its results", async () => {
  const stream = remoteParallelMap((x: number) => x, numbers(10));
  await stream.toArray();
  assert.equal((await cluster.job(stream.jobId)).phase, "done");
  const { values, error } = await drain(attach(stream.jobId));
  assert.deepEqual(values, []);
  assert.ok(error instanceof BurlaError && error.code === "BURLA_NO_SUCH_JOB");
  assert.match(error.message, /were taken/);
});

test("the lines of a detached job are kept", async () => {
  const jobId = await detached(30);
  await drain(attach<number>(jobId).settled());
  const logs = await (await cluster.request(`/v1/jobs/${jobId}/logs`)).text();
  assert.equal(logs.trim().split("\n").length, 30);
});
