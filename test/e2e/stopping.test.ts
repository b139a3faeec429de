/** Every way to stop a job: the processors are idle soon, the job says so, and nothing else is harmed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BurlaError, remoteParallelMap, type RemoteResults } from "burla";
import { useCluster } from "../support/cluster.ts";
import { drain, numbers } from "../support/inputs.ts";
import { within } from "../support/until.ts";

const cluster = useCluster();

/** Busy for a second, so that a worker which goes on would be seen. */
const busy = (x: number) => {
  const endMs = performance.now() + (x < 4 ? 1 : 60_000);
  while (performance.now() < endMs);
  return x;
};
const patient = async (x: number) => {
  await new Promise((resolve) => setTimeout(resolve, x < 4 ? 1 : 60_000));
  return x;
};

async function assertStopped(stream: { jobId: string }): Promise<void> {
  await within(5000, "the workers' becoming idle", cluster.workersIdle());
  const { phase, running } = await cluster.job(stream.jobId);
  assert.deepEqual({ phase, running }, { phase: "cancelled", running: 0 });
  assert.deepEqual(await remoteParallelMap((x: number) => x, [1, 2, 3]).toArray(), [1, 2, 3], "the cluster works on");
}

for (const [kind, fn] of [["busy", busy], ["waiting", patient]] as const) {
  test(`break cancels ${kind} calls`, async () => {
    const stream = remoteParallelMap(fn, numbers(1000));
    for await (const value of stream) {
      assert.equal(typeof value, "number");
      break;
    }
    await assertStopped(stream);
  });

  test(`return and throw cancel ${kind} calls`, async () => {
    const returned = remoteParallelMap(fn, numbers(1000));
    await returned.next();
    await returned.return();
    await assertStopped(returned);
    const thrown = remoteParallelMap(fn, numbers(1000));
    await thrown.next();
    await assert.rejects(thrown.throw(new Error("mine")), /mine/);
    await assertStopped(thrown);
  });

  test(`cancel() rejects a waiting iteration of ${kind} calls`, async () => {
    const stream = remoteParallelMap(fn, numbers(1000));
    await stream.next();
    const rest = drain(stream);
    await stream.cancel();
    const { error } = await rest;
    assert.ok(error instanceof BurlaError && error.code === "BURLA_CANCELLED");
    await assertStopped(stream);
  });

  test(`a signal stops ${kind} calls with its reason`, async () => {
    const controller = new AbortController();
    const stream = remoteParallelMap(fn, numbers(1000), { signal: controller.signal });
    await stream.next();
    const rest = drain(stream);
    controller.abort(new RangeError("my reason"));
    const { error } = await rest;
    assert.ok(error instanceof RangeError && error.message === "my reason");
    await assertStopped(stream);
  });
}

test("a signal that is aborted already starts nothing", async () => {
  const stream = remoteParallelMap(busy, numbers(1000), { signal: AbortSignal.abort(new RangeError("before")) });
  const { values, error } = await drain(stream);
  assert.deepEqual(values, []);
  assert.ok(error instanceof RangeError && error.message === "before");
  assert.equal((await cluster.status()).jobs.some(({ jobId }) => jobId === stream.jobId), false);
});

test("a signal that aborts while the job starts stops it", async () => {
  const controller = new AbortController();
  const rest = drain(remoteParallelMap(busy, numbers(1000), { signal: controller.signal }));
  setImmediate(() => controller.abort());
  const { error } = await rest;
  assert.equal((error as Error).name, "AbortError");
  await cluster.workersIdle();
});

test("cancel before the first use starts nothing", async () => {
  const stream = remoteParallelMap(busy, numbers(1000));
  await stream.cancel();
  await assert.rejects(async () => { for await (const value of stream) assert.fail(String(value)); }, { code: "BURLA_CANCELLED" });
  await cluster.workersIdle();
});

test("cancel twice, and after the end, does nothing more", async () => {
  const stream = remoteParallelMap((x: number) => x, numbers(3));
  assert.equal((await stream.toArray()).length, 3);
  await Promise.all([stream.cancel(), stream.cancel()]);
  assert.equal((await cluster.job(stream.jobId)).phase, "done");
});

test("the function's own signal aborts when its job is cancelled", async () => {
  const stream = remoteParallelMap(async (x: number, { signal, log }) => {
    if (x === 0) return "started";
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    log(`aborted ${x}`);
    return "aborted";
  }, numbers(4), { onLog: () => undefined });
  await stream.next();
  await stream.cancel();
  await assertStopped(stream);
  const logs = await (await cluster.request(`/v1/jobs/${stream.jobId}/logs`)).text();
  assert.match(logs, /"aborted \d"/);
});

test("cancelling by request over HTTP ends the iteration", async () => {
  const stream = remoteParallelMap(busy, numbers(1000));
  await stream.next();
  const rest = drain(stream);
  assert.equal((await cluster.request(`/v1/jobs/${stream.jobId}/cancel`, { method: "POST" })).status, 200);
  const { error } = await rest;
  assert.ok(error instanceof BurlaError && error.code === "BURLA_CANCELLED");
  await assertStopped(stream);
});

test("cancelling one job leaves another alone", async () => {
  const other = remoteParallelMap(async (x: number) => { await new Promise((resolve) => setTimeout(resolve, 5)); return x; }, numbers(200)).toArray();
  const stream: RemoteResults<number> = remoteParallelMap(busy, numbers(1000));
  await stream.next();
  await stream.cancel();
  assert.deepEqual(await other, numbers(200));
});
