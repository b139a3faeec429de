/** `kill -9` and cuts half way of 10,000 inputs of a script in Python: exactly 10,000 results, none doubled. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ensureInterpreter } from "../../scripts/python/interpreters.ts";
import { useCluster } from "../support/cluster.ts";
import { Proxy } from "../support/proxy.ts";
import { Script } from "../support/script.ts";
import { pause, until } from "../support/until.ts";

const cluster = useCluster({ BURLA_PYTHON: ensureInterpreter().command });
const kill = (pid: number) => process.kill(pid, "SIGKILL");
const pythonWorkers = () => cluster.processes("worker").filter(({ command }) => command.includes("dist/python"));
let runs = 0;

/** The script stops reading at half of its results until the fault has come. */
async function survives(fault: () => unknown, options = ""): Promise<void> {
  const go = join(cluster.home, `go-${++runs}`);
  const script = Script.python(cluster, `
import os, time
def spin(x):
    end = time.perf_counter() + 0.0005
    while time.perf_counter() < end: pass
    return x
seen = []
for value in remote_parallel_map(spin, (x for x in range(10_000)), ${options}):
    seen.append(value)
    if len(seen) == 5000:
        print("half", flush=True)
        while not os.path.exists(${JSON.stringify(go)}): time.sleep(0.01)
print(len(seen), sorted(seen) == list(range(10_000)))`);
  await script.line(/^half/);
  await fault();
  writeFileSync(go, "");
  const { code, stdout, stderr } = await script.ended();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^10000 True$/m);
}

test("a worker is killed", () => survives(() => kill(pythonWorkers()[0]!.pid)));

test("all workers are killed", () => survives(() => pythonWorkers().forEach(({ pid }) => kill(pid))));

test("a node is killed, and its workers do not outlive it", async () => {
  await survives(() => kill(cluster.processes("node")[0]!.pid));
  await cluster.ready();
});

test("main is killed: the script starts another, and the job goes on", async () => {
  const { pid } = cluster.main;
  await survives(() => kill(pid));
  assert.notEqual(cluster.main.pid, pid);
  await cluster.ready();
});

test("the script's connection is cut, and refused for a while", async () => {
  const proxy = await Proxy.before(cluster);
  const address = `cluster=ClusterAddress(${JSON.stringify(proxy.url)}, ${JSON.stringify(cluster.address.token)})`;
  await survives(async () => {
    proxy.refuse(true);
    proxy.cut();
    await pause(300);
    proxy.refuse(false);
  }, address);
  assert.ok(proxy.connections >= 2, `${proxy.connections} connections`);
  proxy.close();
});

test("in order of the inputs, with the connection cut", async () => {
  const proxy = await Proxy.before(cluster);
  const address = `order="input", cluster=ClusterAddress(${JSON.stringify(proxy.url)}, ${JSON.stringify(cluster.address.token)})`;
  await survives(() => proxy.cut(), address);
  proxy.close();
});

test("Ctrl-C cancels on the cluster at once, and is raised", async () => {
  const script = Script.python(cluster, `
import time
results = remote_parallel_map(lambda x: time.sleep(60), range(100), on_log=print)
print(results.job_id, flush=True)
results.to_list()`);
  const jobId = await script.line(/^job-\S+/);
  await until("it runs", async () => (await cluster.job(jobId).catch(() => null))?.phase === "running");
  script.kill("SIGINT");
  const { stderr, code } = await script.ended();
  assert.match(stderr, /KeyboardInterrupt/);
  assert.notEqual(code, 0);
  assert.equal((await cluster.job(jobId)).phase, "cancelled");
  await cluster.ready();
});

test("a loop that breaks, and a program that ends, cancel what they do not read any more", async () => {
  const { stdout, code } = await Script.python(cluster, `
import time
def slow(x): time.sleep(x); return x
results = remote_parallel_map(slow, [0, 60, 60])
print(results.job_id)
for value in results: break
del results
results = remote_parallel_map(slow, [0, 60, 60])
print(results.job_id)
next(results)`).ended();
  assert.equal(code, 0);
  for (const jobId of stdout.trim().split("\n")) assert.equal((await cluster.job(jobId)).phase, "cancelled", jobId);
});

test("a program that is killed leaves its job to be taken up", async () => {
  const script = Script.python(cluster, `
import time
results = remote_parallel_map(lambda x: time.sleep(60 if x else 0), range(2))
print(results.job_id, flush=True)
for value in results: print("one", flush=True)`);
  const jobId = await script.line(/^job-\S+/);
  await script.line(/^one/);
  script.kill();
  await until("the job is interrupted", async () => (await cluster.job(jobId)).phase === "interrupted");
  await cluster.request(`/v1/jobs/${jobId}/cancel`, { method: "POST" });
});
