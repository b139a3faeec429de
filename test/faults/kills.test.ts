/** `kill -9`, cuts and freezes of each part, half way of 10,000 inputs: exactly 10,000 results, none doubled. */
import assert from "node:assert/strict";
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { attach, BurlaError, remoteParallelMap } from "burla";
import { useCluster } from "../support/cluster.ts";
import { MANY, survives } from "../support/half-way.ts";
import { assertEachOnce, drain, numbers } from "../support/inputs.ts";
import { isRunning } from "../support/processes.ts";
import { Proxy } from "../support/proxy.ts";
import { Script } from "../support/script.ts";
import { pause, until } from "../support/until.ts";

const cluster = useCluster();

const kill = (pid: number) => process.kill(pid, "SIGKILL");

test("a worker is killed", () => survives(() => kill(cluster.processes("worker")[0]!.pid)));

test("all workers are killed", () => survives(() => cluster.processes("worker").forEach(({ pid }) => kill(pid))));

for (const [what, folder] of [["sockets that workers dial", "sockets"], ["code that workers load", "bundles"]] as const) {
  test(`somebody removes the ${what}, and all workers are killed`, async () => {
    await survives(() => {
      const nodes = join(cluster.directory, "nodes");
      for (const node of readdirSync(nodes)) rmSync(join(nodes, node, folder), { recursive: true });
      cluster.processes("worker").forEach(({ pid }) => kill(pid));
    });
    await cluster.ready();
  });
}

test("a node is killed: another takes its place, and its workers do not outlive it", async () => {
  await cluster.ready();
  const before = cluster.processes();
  await survives(() => kill(cluster.processes("node")[0]!.pid));
  await cluster.ready();
  const after = cluster.processes();
  assert.equal(after.length, before.length, "as many processes as before");
});

test("all nodes are killed", async () => {
  await survives(() => cluster.processes("node").forEach(({ pid }) => kill(pid)));
  await cluster.ready();
});

test("main is killed: the client starts another, and the job goes on", async () => {
  const { pid } = cluster.main;
  await survives(() => kill(pid));
  assert.notEqual(cluster.main.pid, pid);
  await cluster.ready();
});

test("a node that an earlier main had started is killed: another takes its place", async () => {
  const node = cluster.processes("node")[0]!.pid;
  await survives(() => kill(node));
  await cluster.ready();
  assert.equal(cluster.processes("node").length, (await cluster.status()).nodes.length);
  assert.ok(!isRunning(node));
});

test("main is killed three times", async () => {
  await survives(async () => {
    await until("main is there", () => cluster.processes("main").length === 1 && cluster.isAnnounced);
    kill(cluster.main.pid);
  }, { at: [2000, 5000, 8000] });
  await cluster.ready();
});

test("main is killed while results wait for a slow consumer", async () => {
  await survives(async () => {
    await pause(300);
    kill(cluster.main.pid);
    await pause(300);
  });
});

test("main is killed while functions wait for jobs that they have started: those are known to the next main", async () => {
  let killed = false;
  const results = remoteParallelMap(async (x: number) => {
    console.log("begun");
    const inner = remoteParallelMap(async (y: number) => { await new Promise((resolve) => setTimeout(resolve, 100)); return y; }, [x, x + 1, x + 2, x + 3, x + 4, x + 5]);
    return (await inner.toArray()).length;
  }, [1, 2], {
    onLog: () => {
      if (!killed) setTimeout(() => kill(cluster.main.pid), 300);
      killed = true;
    },
  });
  assert.deepEqual(await results.toArray(), [6, 6]);
  assert.ok(killed);
});

test("the log of a job that streams for long stays bounded, and main can be killed after it was shortened", async () => {
  const inputs = (function* () { for (let at = 0; at < 3000; at++) { const input = Buffer.alloc(64 << 10); input.writeUInt32LE(at); yield input; } })();
  const stream = remoteParallelMap((input: Uint8Array) => input, inputs);
  const log = join(cluster.directory, "jobs", stream.jobId, "job.log");
  const results: number[] = [];
  let largest = 0;
  for await (const result of stream) {
    results.push(Buffer.from(result).readUInt32LE(0));
    largest = Math.max(largest, statSync(log, { throwIfNoEntry: false })?.size ?? 0);
    if (results.length === 2500) kill(cluster.main.pid);
  }
  assertEachOnce(results, 3000);
  assert.ok(largest > 64 << 20 && largest < 256 << 20, `${largest >> 20} of ${2 * 3000 / 16} MiB that passed through`);
  await cluster.ready();
});

test("what calls print is told once, though main is killed and the connection is cut meanwhile", async () => {
  const proxy = await Proxy.before(cluster);
  const texts: string[] = [];
  const stream = remoteParallelMap(async (x: number) => {
    console.log(`line ${x}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
    return x;
  }, numbers(1500), { cluster: { url: proxy.url, token: cluster.address.token }, onLog: ({ text }) => texts.push(text) });
  let results = 0;
  const restarts = new Set([300, 900]);
  for await (const _ of stream) {
    results++;
    if (results === 600) proxy.cut();
    if (!restarts.delete(results)) continue;
    await until("main is there", () => cluster.processes("main").length === 1 && cluster.isAnnounced);
    kill(cluster.main.pid);
    await until("main is gone", () => cluster.processes("main").length === 0);
    await remoteParallelMap((x: number) => x, [1]).toArray();
  }
  proxy.close();
  const expected = numbers(1500).map((x) => `line ${x}`).sort();
  assert.deepEqual(texts.sort(), expected, "as the client was told");
  const kept = (await (await cluster.request(`/v1/jobs/${stream.jobId}/logs`)).text()).trimEnd().split("\n").map((line) => (JSON.parse(line) as { text: string }).text);
  assert.deepEqual(kept.sort(), expected, "as the cluster keeps them");
});

test("main, a node and a worker are killed at once", async () => {
  await survives(() => {
    kill(cluster.processes("worker")[0]!.pid);
    kill(cluster.processes("node").at(-1)!.pid);
    kill(cluster.main.pid);
  });
  await cluster.ready();
});

test("the client's connection is cut", async () => {
  const proxy = await Proxy.before(cluster);
  await survives(() => proxy.cut(), { cluster: { url: proxy.url, token: cluster.address.token } });
  assert.ok(proxy.connections > 1);
  proxy.close();
});

test("the client's connection is cut again and again, and refused for a while", async () => {
  const proxy = await Proxy.before(cluster);
  await survives(async () => {
    proxy.refuse(true);
    proxy.cut();
    setTimeout(() => proxy.refuse(false), 200);
  }, { at: [1000, 2500, 4000, 6000, 9000], cluster: { url: proxy.url, token: cluster.address.token } });
  proxy.close();
});

test("the client's connection is cut while it submits, before main has answered", async () => {
  const proxy = await Proxy.before(cluster);
  const target = { url: proxy.url, token: cluster.address.token };
  await remoteParallelMap((x: number) => x, [1], { cluster: target }).toArray();
  for (const delayMs of [0, 1, 3, 8, 20]) {
    const results = remoteParallelMap((x: number) => x + delayMs, numbers(50), { cluster: target }).toArray();
    setTimeout(() => proxy.cut(), delayMs);
    assert.deepEqual(await results, numbers(50).map((x) => x + delayMs));
  }
  proxy.close();
});

test("in order of the inputs nothing is lost either when main is killed and the connection is cut", async () => {
  const proxy = await Proxy.before(cluster);
  const { values } = await drain(
    (async function* () {
      let taken = 0;
      for await (const value of remoteParallelMap((x: number) => x, numbers(3000), { order: "input", cluster: { url: proxy.url, token: cluster.address.token } })) {
        if (++taken === 1000) proxy.cut();
        yield value;
      }
    })(),
  );
  assert.deepEqual(values, numbers(3000));
  proxy.close();
});

test("a client whose cluster is gone for good is told so", async () => {
  const { error } = await drain(remoteParallelMap((x: number) => x, [1], { cluster: { url: "http://127.0.0.1:9", token: "none" } }));
  assert.ok(error instanceof BurlaError && error.code === "BURLA_UNREACHABLE");
});

test("cancel reaches the cluster although the connection was just cut", async () => {
  const proxy = await Proxy.before(cluster);
  const stream = remoteParallelMap((x: number) => { const endMs = performance.now() + (x < 4 ? 1 : 60_000); while (performance.now() < endMs); return x; }, numbers(100), {
    cluster: { url: proxy.url, token: cluster.address.token },
  });
  await stream.next();
  proxy.cut();
  await stream.cancel();
  await until("the job is cancelled", async () => (await cluster.job(stream.jobId)).phase === "cancelled");
  await cluster.workersIdle();
  proxy.close();
});

test("main is killed while a detached job runs and nobody is connected: it goes on when somebody comes", async () => {
  const script = await Script.run(cluster, `
    const stream = remoteParallelMap(async (x) => { await new Promise((resolve) => setTimeout(resolve, 4)); return x; }, Array.from({ length: 800 }, (_, i) => i), { detach: true });
    await stream.uploaded;
    console.log(stream.jobId);
  `);
  const jobId = /job-\w+/.exec(script.stdout)![0];
  kill(cluster.main.pid);
  await until("main is gone", () => cluster.processes("main").length === 0);
  await remoteParallelMap((x: number) => x, [1]).toArray();
  assertEachOnce((await drain(attach<number>(jobId))).values, 800);
  assertEachOnce((await drain(attach<number>(jobId))).values, 800);
});

for (const language of ["typescript", "python"] as const) {
  test(`whoever attaches to the job of a dead program is told that inputs are missing, though some had failed (${language})`, async () => {
    const script = language === "typescript"
      ? Script.start(cluster, `
          const inputs = (async function* () { for (let x = 0; ; x++) { yield x; if (x > 60) await new Promise((resolve) => setTimeout(resolve, 100_000)); } })();
          const stream = remoteParallelMap((x) => { if (x === 3) throw new RangeError("three"); return x; }, inputs, { onError: "continue" });
          console.log(stream.jobId);
          let results = 0;
          for await (const _ of stream) if (++results === 30) console.log("half");`)
      : Script.python(cluster, `
import time
def inputs():
    for x in range(62): yield x
    time.sleep(100)
def call(x):
    if x == 3: raise IndexError("three")
    return x
stream = remote_parallel_map(call, inputs(), on_error="continue")
print(stream.job_id, flush=True)
for results, _ in enumerate(stream):
    if results == 30: print("half", flush=True)`);
    const jobId = await script.line(/^job-\S+/);
    await script.line(/^half/);
    script.kill();
    const end = language === "typescript"
      ? await Script.run(cluster, `
          let results = 0;
          try { for await (const _ of attach("${jobId}").settled()) results++; } catch (error) { console.log(error.code, results > 29); }`)
      : await Script.python(cluster, `
results = 0
try:
    for _ in attach("${jobId}").settled(): results += 1
except BurlaError as error: print(error.code, str(results > 29).lower())`).ended();
    assert.equal(end.stdout.trim(), "BURLA_INTERRUPTED true", end.stderr);
  });
}

test("main is killed after a detached job has ended: its results are still there", async () => {
  const stream = remoteParallelMap((x: number) => x, numbers(500), { detach: true });
  await until("it is done", async () => (await cluster.status()).jobs.some(({ jobId, phase }) => jobId === stream.jobId && phase === "done"));
  kill(cluster.main.pid);
  await until("main is gone", () => cluster.processes("main").length === 0);
  assertEachOnce((await drain(attach<number>(stream.jobId))).values, 500);
  assert.equal((await cluster.job(stream.jobId)).phase, "done");
});

test("a node frozen past its lease loses its inputs to another, and is replaced", async () => {
  await cluster.ready();
  const node = cluster.processes("node")[0]!.pid;
  const workers = cluster.processes("worker").map(({ pid }) => pid);
  await survives(async () => {
    process.kill(node, "SIGSTOP");
  });
  await until("the node is ended", () => !isRunning(node));
  await until("another takes its place", async () => (await cluster.status()).nodes.every(({ state }) => state === "READY"));
  assert.ok(workers.length > 0);
});

test("after all this, the cluster works as before", async () => {
  await survives(() => undefined);
  assert.equal((await cluster.status()).nodes.every(({ state }) => state !== "FAILED"), true);
  assert.equal(MANY, 10_000);
});
