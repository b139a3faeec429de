/** A program that computes and hears nothing, a machine that sleeps: nobody is taken for dead who is there. */
import assert from "node:assert/strict";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { remoteParallelMap } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce, numbers } from "../support/inputs.ts";
import { isRunning } from "../support/processes.ts";
import { Script } from "../support/script.ts";
import { pause, until } from "../support/until.ts";

const cluster = useCluster();
/** Above all that is allowed: a silence, a lease, the grace of a client. */
const STALL_MS = 25_000;
const PATIENCE_MS = 120_000;

/** Every call leaves a line, so that none runs twice without being seen. */
function journal(name: string): { file: string; calls: () => number[] } {
  const file = join(cluster.home, name);
  appendFileSync(file, "");
  return { file, calls: () => readFileSync(file, "utf8").trim().split("\n").map(Number) };
}

function assertOneRun(job: { phase: string; done: number; lostWorkers: number }, calls: number[], count: number): void {
  assert.deepEqual([job.phase, job.done, job.lostWorkers], ["done", count, 0]);
  assertEachOnce(calls, count);
}

const COUNT = 60;

test("a consumer that computes for long in its loop: its job goes on, and no call runs twice", async () => {
  const { file, calls } = journal("node-consumer");
  const script = Script.start(cluster, `
import { appendFileSync } from "node:fs";
const file = ${JSON.stringify(file)};
const stream = remoteParallelMap(async (x) => { appendFileSync(file, x + "\\n"); await new Promise((resolve) => setTimeout(resolve, 100)); return x; }, Array.from({ length: ${COUNT} }, (_, x) => x));
console.log(stream.jobId);
const seen = [];
for await (const x of stream) {
  seen.push(x);
  if (seen.length !== 1) continue;
  console.log("computing");
  for (const endMs = performance.now() + ${STALL_MS}; performance.now() < endMs;);
  console.log("computed");
}
console.log(new Set(seen).size, seen.length);
`);
  const jobId = await script.line(/^job-.*/);
  await script.line(/^computing/);
  const before = calls().length;
  const computed = script.line(/^computed/, PATIENCE_MS);
  for (let isOver = false; !isOver; ) {
    isOver = await Promise.race([computed.then(() => true), pause(500).then(() => false)]);
    assert.notEqual((await cluster.job(jobId)).phase, "interrupted");
  }
  assert.ok(calls().length > before, "the cluster went on meanwhile");
  const { stdout, code, stderr } = await script.ended(PATIENCE_MS);
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`^${COUNT} ${COUNT}$`, "m"));
  assertOneRun(await cluster.job(jobId), calls(), COUNT);
});

/** More than the first window, of calls so long that they are not over before the consumer computes. */
const AHEAD_COUNT = 500;
for (const [what, inputs, works] of [
  ["a consumer that computes for long leaves no worker idle when its inputs are in an array", "Array.from({ length: COUNT }, (_, x) => x)", "all"],
  ["a generator is not pulled far ahead of it", "(function* () { for (let x = 0; x < COUNT; x++) yield x; })()", "some"],
] as const) {
  test(what, async () => {
    const { file, calls } = journal(`ahead-${works}`);
    const script = Script.start(cluster, `
import { appendFileSync, readFileSync } from "node:fs";
const COUNT = ${AHEAD_COUNT};
const file = ${JSON.stringify(file)};
const stream = remoteParallelMap(async (x) => { appendFileSync(file, x + "\\n"); await new Promise((resolve) => setTimeout(resolve, 20)); return x; }, ${inputs});
const calls = () => readFileSync(file, "utf8").split("\\n").length - 1;
const isStill = (ms) => { const before = calls(); for (const endMs = performance.now() + ms; performance.now() < endMs;); return calls() === before; };
const seen = [];
for await (const x of stream) {
  if (seen.push(x) !== 100) continue;
  while (!isStill(3_000));
  console.log("calls " + calls());
}
console.log(new Set(seen).size, seen.length);
`);
    const made = Number(await script.line(/^calls (\d+)$/, PATIENCE_MS));
    const { stdout, code, stderr } = await script.ended(PATIENCE_MS);
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^${AHEAD_COUNT} ${AHEAD_COUNT}$`, "m"));
    assertEachOnce(calls(), AHEAD_COUNT);
    if (works === "all") assert.equal(made, AHEAD_COUNT);
    else assert.ok(made < AHEAD_COUNT, `${made} calls were made for a consumer that took a hundred results`);
  });
}

test("one that computes between its call and the first look at the results", async () => {
  const script = Script.start(cluster, `
const stream = remoteParallelMap((x) => x, [1, 2, 3]);
const all = stream.toArray();
for (const endMs = performance.now() + ${STALL_MS}; performance.now() < endMs;);
console.log(JSON.stringify(await all));
`);
  const { stdout, code, stderr } = await script.ended(PATIENCE_MS);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^\[1,2,3\]$/m);
});

test("a consumer in Python that keeps its interpreter to itself for long", async () => {
  const { file, calls } = journal("python-consumer");
  // A long match holds the interpreter from its first character to its last.
  const script = Script.python(cluster, `
import re, time
def call(x):
    with open(${JSON.stringify(file)}, "a") as file: file.write(f"{x}\\n")
    import time
    time.sleep(0.1)
    return x
stream = remote_parallel_map(call, list(range(${COUNT})))
print(stream.job_id, flush=True)
seen = []
for x in stream:
    seen.append(x)
    if len(seen) == 1:
        end = time.monotonic() + ${STALL_MS / 1000}
        size = 24
        while time.monotonic() < end:
            re.match("(a+)+b", "a" * size)
            if time.monotonic() < end - 20: size = 28
print(len(seen), sorted(seen) == list(range(${COUNT})))`);
  const jobId = await script.line(/^job-.*/);
  const { stdout, code, stderr } = await script.ended(PATIENCE_MS);
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`^${COUNT} True$`, "m"));
  assertOneRun(await cluster.job(jobId), calls(), COUNT);
});

/** Stops these processes as a machine that sleeps does: all of them hear nothing, and wake up at once. */
async function sleep(pids: readonly number[], ms: number): Promise<void> {
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  await pause(ms);
  for (const pid of pids) process.kill(pid, "SIGCONT");
}

for (const [what, roles] of [["main stands still for long, as with a slow disk", ["main"]], ["the machine sleeps", ["main", "node", "worker"]]] as const) {
  test(`${what}: nothing is taken for dead, and no call runs twice`, async () => {
    await cluster.ready();
    const name = roles.join("-");
    const { file, calls } = journal(name);
    const nodes = cluster.processes("node").map(({ pid }) => pid);
    const script = Script.start(cluster, `
import { appendFileSync } from "node:fs";
const file = ${JSON.stringify(file)};
const stream = remoteParallelMap(async (x) => { appendFileSync(file, x + "\\n"); await new Promise((resolve) => setTimeout(resolve, 200)); return x; }, Array.from({ length: ${COUNT} }, (_, x) => x));
console.log(stream.jobId);
const seen = [];
for await (const x of stream) { seen.push(x); if (seen.length === 3) console.log("going"); }
console.log(new Set(seen).size, seen.length);
`);
    const jobId = await script.line(/^job-.*/);
    await script.line(/^going/);
    const asleep = roles.flatMap((role) => cluster.processes(role).map(({ pid }) => pid));
    await sleep(roles.length === 1 ? asleep : [...asleep, script.pid], STALL_MS);
    const { stdout, code, stderr } = await script.ended(PATIENCE_MS);
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^${COUNT} ${COUNT}$`, "m"));
    assertOneRun(await cluster.job(jobId), calls(), COUNT);
    assert.ok(nodes.every(isRunning), "the same nodes are there");
  });
}

test("after all this the cluster works as before", async () => {
  await until("all nodes are ready", async () => (await cluster.status()).nodes.every(({ state }) => state === "READY"));
  assertEachOnce(await remoteParallelMap((x: number) => x, numbers(1000)).toArray(), 1000);
});
