/** Several jobs on one cluster: side by side, nested, many. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { remoteParallelMap } from "burla";
import { useCluster } from "../support/cluster.ts";
import { drain, numbers } from "../support/inputs.ts";
import { Script } from "../support/script.ts";
import { until } from "../support/until.ts";

const cluster = useCluster();

test("two jobs of two programs run at the same time and share the nodes", async () => {
  await cluster.ready();
  const source = `
    const work = async (x) => { await new Promise((resolve) => setTimeout(resolve, 20)); return x; };
    for await (const x of remoteParallelMap(work, Array.from({ length: 400 }, (_, i) => i))) if (x === 0) console.log("begun");
    console.log("done");`;
  const [first, second] = [Script.start(cluster, source), Script.start(cluster, source)];
  await Promise.all([first.line(/begun/), second.line(/begun/)]);
  const { nodes, jobs } = await cluster.status();
  const running = jobs.filter(({ phase }) => phase === "running");
  assert.equal(running.length, 2, "both run");
  const byJob = new Map<string, number>();
  for (const jobId of nodes.flatMap((node) => node.jobs)) byJob.set(jobId, (byJob.get(jobId) ?? 0) + 1);
  assert.deepEqual([...byJob.values()], Array.from(byJob, () => nodes.length / 2));
  for (const { code, stdout } of await Promise.all([first.ended(), second.ended()])) {
    assert.equal(code, 0);
    assert.match(stdout, /done/);
  }
});

test("a job that comes late gets its share of nodes that are all in use", async () => {
  const long = remoteParallelMap(async (x: number) => { await new Promise((resolve) => setTimeout(resolve, 20)); return x; }, numbers(100_000));
  const drained = drain(long);
  await until("the first job has all nodes", async () => (await cluster.status()).nodes.every((node) => node.jobs.includes(long.jobId)));
  const late = await remoteParallelMap((x: number) => x + 1, numbers(10)).toArray();
  assert.deepEqual(late, numbers(10).map((x) => x + 1));
  assert.equal((await cluster.job(long.jobId)).phase, "running");
  await until("the first job has all nodes again", async () => (await cluster.status()).nodes.every((node) => node.jobs.includes(long.jobId)));
  await long.cancel();
  await drained;
});

test("more jobs than nodes have them in turn: nobody waits for another to end", async () => {
  const nodes = (await cluster.status()).nodes.length;
  const rest = async (x: number) => { await new Promise((resolve) => setTimeout(resolve, 20)); return x; };
  const long = numbers(nodes).map(() => remoteParallelMap(rest, numbers(100_000)));
  const drained = long.map((stream) => drain(stream));
  await until("each long job has a node", async () => {
    const busy = new Set((await cluster.status()).nodes.flatMap((node) => node.jobs));
    return long.every(({ jobId }) => busy.has(jobId));
  });
  const waiting = remoteParallelMap((x: number) => x + 1, numbers(10));
  const results = waiting.toArray();
  await until("its reason can be read", async () => /waits for a node: \d busy with \d other jobs?/.test((await cluster.job(waiting.jobId).catch(() => undefined))?.reason ?? ""));
  assert.deepEqual(await results, numbers(10).map((x) => x + 1));
  for (const { jobId } of long) assert.equal((await cluster.job(jobId)).endedAt, null, "the long ones go on");
  await until("all long jobs have a node again", async () => {
    const busy = new Set((await cluster.status()).nodes.flatMap((node) => node.jobs));
    return long.every(({ jobId }) => busy.has(jobId));
  });
  for (const stream of long) await stream.cancel();
  await Promise.all(drained);
});

test("many small jobs in a row", async () => {
  for (const round of numbers(30)) assert.deepEqual(await remoteParallelMap((x: number) => x + round, [1, 2, 3]).toArray(), [1, 2, 3].map((x) => x + round));
});

test("fifty jobs at once all end", async () => {
  const jobs = numbers(50).map((job) => remoteParallelMap((x: number) => x * job, numbers(20)).toArray());
  const results = await Promise.all(jobs);
  for (const [job, values] of results.entries()) assert.deepEqual(values, numbers(20).map((x) => x * job));
});

test("a function may map functions itself, two levels deep", async () => {
  const results = await remoteParallelMap(async (x: number) => {
    const inner = await remoteParallelMap(async (y: number) => {
      const innermost = await remoteParallelMap((z: number) => z + 1, [y, y + 1]).toArray();
      return innermost.reduce((sum, value) => sum + value, 0);
    }, [x, x * 10]).toArray();
    return inner;
  }, [1, 2]).toArray();
  assert.deepEqual(results, [[5, 23], [7, 43]]);
});

test("more nested calls than workers do not wait for one another for ever", async () => {
  const results = await remoteParallelMap(async (x: number) => {
    const inner = await remoteParallelMap((y: number) => y * 2, [x, x + 1, x + 2]).toArray();
    return inner.reduce((sum, value) => sum + value, 0);
  }, numbers(12), { concurrency: 4 }).toArray();
  assert.deepEqual(results, numbers(12).map((x) => 6 * x + 6));
});

test("a nested job's error is the error of the call that started it", async () => {
  const { error } = await drain(remoteParallelMap(async (x: number) => {
    const inner = remoteParallelMap((y: number) => { if (y === 2) throw new RangeError(`inner ${y}`); return y; }, [x, x + 1]);
    return await inner.toArray();
  }, [1]));
  assert.ok(error instanceof RangeError && error.message === "inner 2");
});

test("a nested job ends when the job that started it is cancelled", async () => {
  const stream = remoteParallelMap(async (x: number) => {
    if (x === 0) return 0;
    const inner = remoteParallelMap(async () => { await new Promise((resolve) => setTimeout(resolve, 60_000)); return 1; }, [1, 2], { name: "the inner job" });
    await inner.toArray();
    return x;
  }, [0, 1]);
  await stream.next();
  const inner = await until("the inner job runs", async () => (await cluster.status()).jobs.find(({ name, phase }) => name === "the inner job" && phase === "running"));
  await stream.cancel();
  await until("the inner job is cancelled", async () => (await cluster.job(inner.jobId)).phase === "cancelled");
  await cluster.workersIdle();
  await cluster.ready();
});

test("a nested job that its call abandons ends with the outer job at the latest", async () => {
  await remoteParallelMap(async (x: number) => {
    const inner = remoteParallelMap(async (y: number) => { if (y > 0) await new Promise((resolve) => setTimeout(resolve, 60_000)); return y; }, [0, 1, 2], { name: "abandoned" });
    await inner.next();
    return x;
  }, [1]).toArray();
  await until("the abandoned job ends", async () => (await cluster.status()).jobs.filter(({ name }) => name === "abandoned").every(({ phase }) => phase === "cancelled"));
  await cluster.ready();
});
