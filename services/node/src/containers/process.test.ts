/** Workers as processes, with programs that stand for the worker service. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { newWorkerId, type WorkerId } from "@burla/protocol";
import { ProcessRuntime, removeLeftovers } from "./process.ts";
import { describeExit, type Container } from "./runtime.ts";

let directory: string;
let told: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-process-"));
  told = join(directory, "told");
  writeFileSync(told, "");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs a program in which `tell(text)` writes down a line. */
function start(code: string, ramMiB = 256, workerId: WorkerId = newWorkerId()): Container {
  const workerProgram = join(directory, "program.mjs");
  writeFileSync(workerProgram, `import { appendFileSync } from "node:fs"; import { spawn } from "node:child_process";\nconst tell = (text) => appendFileSync(${JSON.stringify(told)}, text + "\\n");\n${code}`);
  const runtime = new ProcessRuntime({ workerProgram, pythonWorkerProgram: "", python: "python3", directory: join(directory, "workers") });
  return runtime.start({ workerId, runtime: "node", python: null, image: null, socketPath: "/no/socket", token: "secret", cpu: 1, ramMiB });
}

async function lines(count: number): Promise<string[]> {
  const watcher = watch(told);
  try {
    for (;;) {
      const all = readFileSync(told, "utf8").split("\n").slice(0, -1);
      if (all.length >= count) return all;
      await once(watcher, "change");
    }
  } finally {
    watcher.close();
  }
}

/** Resolves when the process runs no more; a dead one that nobody reaps counts as gone. */
async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) return;
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a worker is told who it is, in a folder of its own that goes with it, without secrets of this service", async () => {
  process.env["BURLA_SECRET_OF_THE_NODE"] = "x";
  const container = start("tell(JSON.stringify([process.cwd(), Object.keys(process.env).filter((name) => name.startsWith('BURLA_')).sort()]));");
  const [cwd, names] = JSON.parse((await lines(1))[0] ?? "") as [string, string[]];
  assert.equal(cwd, join(directory, "workers", container.workerId));
  assert.deepEqual(names, ["BURLA_WORKER_ID", "BURLA_WORKER_SOCKET", "BURLA_WORKER_STDERR", "BURLA_WORKER_STDOUT", "BURLA_WORKER_TOKEN"]);
  assert.deepEqual(await container.exited, { cause: "ended", code: 0, signal: null, why: null, outOfMemory: null, stderrTail: "" });
  assert.deepEqual(readdirSync(join(directory, "workers")), []);
  delete process.env["BURLA_SECRET_OF_THE_NODE"];
});

test("how it ended is reported, with its last words", async () => {
  const report = await start("console.error('x'.repeat(2000) + ' the end'); process.exitCode = 4;").exited;
  assert.equal(report.code, 4);
  assert.ok(report.stderrTail.length <= 500 && report.stderrTail.endsWith("the end"));
  assert.match(describeExit(report), /^it exited with code 4; its last words: x+ the end$/);
  const killed = await start("process.kill(process.pid, 'SIGKILL'); setInterval(() => 0, 1000);").exited;
  assert.equal(describeExit(killed), "it was killed by SIGKILL");
});

const FAMILY = `
const child = spawn(process.execPath, ["-e", "const c = require('node:child_process').spawn('sleep', ['60']); console.log(c.pid); setInterval(() => 0, 1000)"], { stdio: ["ignore", "pipe", "ignore"] });
child.stdout.on("data", (text) => { tell(child.pid); tell(String(text).trim()); });
process.on("SIGTERM", () => undefined);
setInterval(() => 0, 1000);
`;

for (const how of ["kill", "stop"] as const) {
  test(`${how} ends the worker with its children and their children, also one that ignores SIGTERM`, async () => {
    const container = start(FAMILY);
    const pids = (await lines(2)).map(Number);
    container[how]();
    assert.equal((await container.exited).signal, "SIGKILL");
    for (const pid of pids) await untilGone(pid);
  });
}

test("children that a worker leaves behind when it ends by itself end too", async () => {
  const container = start(`const child = spawn("sleep", ["60"], { stdio: "ignore" }); tell(child.pid); child.unref();`);
  const [pid] = (await lines(1)).map(Number);
  assert.equal((await container.exited).code, 0);
  await untilGone(pid ?? 0);
});

test("stop lets a worker that listens end by itself", async () => {
  const container = start("process.on('SIGTERM', () => process.exit(7)); tell('ready'); setInterval(() => 0, 1000);");
  await lines(1);
  container.stop();
  assert.equal((await container.exited).code, 7);
});

test("more memory than its limit ends it, and is told with limit and peak", async () => {
  const report = await start("const all = []; setInterval(() => all.length < 128 && all.push(Buffer.alloc(1 << 23, 1)), 5);", 150).exited;
  assert.equal(report.outOfMemory?.limitMiB, 150);
  assert.ok(report.outOfMemory.peakMiB >= 150);
  assert.match(describeExit(report), /ran out of memory \(limit 150 MiB, peak \d+ MiB\)/);
});

test("V8's own limit is told as memory too", async () => {
  const report = await start("const all = []; for (;;) all.push(new Array(10_000).fill({}));", 120).exited;
  assert.equal(report.outOfMemory?.limitMiB, 120);
});

test("a worker that stays under its limit is left alone", async () => {
  const report = await start("const b = Buffer.alloc(1 << 25, 1); setTimeout(() => tell(b.length), 350);", 512).exited;
  assert.deepEqual([report.code, report.outOfMemory], [0, null]);
});

test("leftovers of a killed node are ended and removed; a process that only has the same pid is not", async () => {
  const workers = join(directory, "workers");
  const container = start("tell('ready'); setInterval(() => 0, 1000);");
  await lines(1);
  const stranger = spawn("sleep", ["60"], { detached: true });
  for (const [name, pid] of [["w-stranger", String(stranger.pid)], ["w-gone", "4194305"], ["w-rubbish", "rubbish"], ["w-zero", "0"], ["w-none", null]] as const) {
    mkdirSync(join(workers, name));
    if (pid !== null) writeFileSync(join(workers, name, "pid"), pid);
  }
  removeLeftovers(workers);
  assert.equal((await container.exited).signal, "SIGKILL");
  assert.deepEqual(readdirSync(workers), []);
  assert.equal(stranger.exitCode, null);
  assert.ok(existsSync(`/proc/${stranger.pid ?? 0}`));
  stranger.kill();
  removeLeftovers(join(directory, "no", "such", "folder"));
});

test("a worker that the system refuses to start is told as one that has ended, with the reason", async () => {
  const runtime = new ProcessRuntime({ workerProgram: join(directory, "program.mjs"), pythonWorkerProgram: "", python: "python3", directory: join(directory, "workers") });
  rmSync(join(directory, "workers"), { recursive: true });
  writeFileSync(join(directory, "workers"), "a file where a folder should be");
  const container = runtime.start({ workerId: newWorkerId(), runtime: "node", python: null, image: null, socketPath: "/no/socket", token: "secret", cpu: 1, ramMiB: 256 });
  assert.match(describeExit(await container.exited), /ENOTDIR|EEXIST/);
});

test("what a worker has started ends with it, also in a group of its own and with a parent that has ended", async () => {
  for (const how of ["kill", "stop", "exit"] as const) {
    writeFileSync(told, "");
    const container = start(`
      const options = { detached: true, stdio: "ignore" };
      tell(String(spawn("sleep", ["1000"], options).pid));
      spawn("sh", ["-c", "setsid sleep 1000 & echo $! >> " + ${JSON.stringify(told)}], options).once("exit", () => ${how === "exit" ? "process.exit(1)" : "undefined"});
      setInterval(() => undefined, 1000);
    `);
    const pids = (await lines(2)).map(Number);
    if (how !== "exit") container[how]();
    await container.exited;
    for (const pid of pids) await untilGone(pid);
  }
});
