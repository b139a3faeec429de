/** The contract for Docker, and what only containers have: their limits, seen from the inside. */
import assert from "node:assert/strict";
import Docker from "dockerode";
import { before, test } from "node:test";
import { DockerRuntime } from "../../services/node/src/containers/docker/runtime.ts";
import { LABELS, spaceOf } from "../../services/node/src/containers/docker/names.ts";
import { describeExit } from "../../services/node/src/containers/runtime.ts";
import { containerRuntimeContract } from "../contract/container-runtime.ts";
import { JAVASCRIPT } from "../contract/languages.ts";
import { ensureWorkerImage, PYTHON_WORKER_PROGRAM, WORKER_IMAGE } from "./support/engine.ts";
import { MAX_PROCESSES, openDocker, SCRATCH_MIB } from "./support/runtime.ts";

const docker = new Docker();
before(() => ensureWorkerImage(docker));

const bench = containerRuntimeContract(openDocker(WORKER_IMAGE), JAVASCRIPT);

/** Containers of the workbench, ended ones too. */
async function containersOf(directory: string) {
  return docker.listContainers({ all: true, filters: { label: [`${LABELS.space}=${spaceOf(directory)}`] } });
}

/** Runs a program to its end and gives what it told. */
async function inside(code: string): Promise<Record<string, unknown>> {
  const container = bench().start(`${code}\nprocess.exit(0);`);
  const [told] = (await bench().told(1)) as [Record<string, unknown>];
  assert.equal((await container.exited).code, 0);
  return told;
}

test("no rights: an unprivileged user without capabilities, who can gain none, under the engine's seccomp profile", async () => {
  const { status, uid, groups } = await inside(`
    const { readFileSync } = await import("node:fs");
    await tell({ status: readFileSync("/proc/self/status", "utf8"), uid: process.getuid(), groups: process.getgroups() });`);
  assert.deepEqual([uid, groups], [65534, [65534]]);
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) assert.match(String(status), new RegExp(`^${set}:\\s+0+$`, "m"));
  assert.match(String(status), /^NoNewPrivs:\s+1$/m);
  assert.match(String(status), /^Seccomp:\s+2$/m);
});

test("no files: a read-only root, mounts that it cannot write to, neither the engine's socket nor other folders of the node", async () => {
  const { sockets, job } = { sockets: bench().socketPath, job: `${bench().directory}/job` };
  const told = await inside(`
    const { existsSync, readdirSync, writeFileSync, unlinkSync } = await import("node:fs");
    const attempt = (body) => { try { body(); return "done"; } catch (error) { return error.code; } };
    await tell({
      root: attempt(() => writeFileSync("/file", "")), etc: attempt(() => writeFileSync("/etc/passwd", "")), program: attempt(() => writeFileSync("/burla/worker.mjs", "")),
      job: attempt(() => writeFileSync(${JSON.stringify(`${job}/file`)}, "")), socket: attempt(() => unlinkSync(${JSON.stringify(sockets)})),
      output: attempt(() => writeFileSync("/burla/output/more", "")), devices: attempt(() => writeFileSync("/dev/kmsg", "")),
      engine: existsSync("/var/run/docker.sock"), node: readdirSync(${JSON.stringify(bench().directory)}).sort(),
    });`);
  assert.deepEqual(told, {
    root: "EROFS", etc: "EROFS", program: "EROFS", job: "EROFS", socket: "EROFS", output: "EACCES", devices: told["devices"],
    engine: false, node: ["job", "packages", "sockets"],
  });
  assert.notEqual(told["devices"], "done");
});

test("no network: nothing but loopback, and nobody there", async () => {
  const { interfaces, address, name } = await inside(`
    const { networkInterfaces } = await import("node:os");
    const { lookup } = await import("node:dns/promises");
    const reach = (options) => new Promise((resolve) => connect(options).on("connect", () => resolve("connected")).on("error", (error) => resolve(error.code)));
    await tell({
      interfaces: Object.keys(networkInterfaces()), address: await reach({ host: "10.0.0.1", port: 80 }),
      name: await lookup("example.com").catch((error) => error.code),
    });`);
  assert.deepEqual(interfaces, ["lo"]);
  assert.equal(address, "ENETUNREACH");
  assert.match(String(name), /^(EAI_AGAIN|ENOTFOUND)$/);
});

test("the scratch folder ends at its size, and what is there runs", async () => {
  const { written, code, ran } = await inside(`
    const { appendFileSync, chmodSync, statSync, unlinkSync, writeFileSync } = await import("node:fs");
    const { execFileSync } = await import("node:child_process");
    let code = "";
    try { for (;;) appendFileSync("/tmp/file", Buffer.alloc(1 << 18)); } catch (error) { code = error.code; }
    const written = statSync("/tmp/file").size;
    unlinkSync("/tmp/file");
    writeFileSync("/tmp/program", "#!/bin/sh\\necho ran\\n");
    chmodSync("/tmp/program", 0o755);
    await tell({ written, code, ran: execFileSync("/tmp/program", { encoding: "utf8" }) });`);
  assert.equal(written, SCRATCH_MIB * 1024 * 1024);
  assert.equal(code, "ENOSPC");
  assert.equal(ran, "ran\n");
});

test("it forks no more than its limit, and lives on", async () => {
  const { started, code } = await inside(`
    let started = 0, code = "";
    for (; started < 200 && code === ""; started++) {
      const child = spawn("sh", ["-c", "read x"], { stdio: ["pipe", "ignore", "ignore"] });
      await new Promise((resolve) => child.once("spawn", resolve).once("error", (error) => { code = error.code; resolve(); }));
    }
    await tell({ started, code });`);
  assert.equal(code, "EAGAIN");
  assert.ok(Number(started) < MAX_PROCESSES);
});

test("it gets no more than its processors", async () => {
  const spin = "const begin = process.hrtime.bigint(), cpu = process.cpuUsage(); while (process.hrtime.bigint() - begin < 1_000_000_000n); const { user, system } = process.cpuUsage(cpu); await tell({ share: (user + system) / 1e6 });";
  const container = bench().start(`${spin} process.exit(0);`, { cpu: 0.25 });
  const [{ share }] = (await bench().told(1)) as [{ share: number }];
  await container.exited;
  assert.ok(share < 0.4, `${share} of a processor`);
});

test("a child that the kernel ended for its memory is not the end of the worker, nor later its reason", async () => {
  const container = bench().start(`
    const child = spawn(process.execPath, ["-e", "const all = []; setInterval(() => all.push(Buffer.alloc(1 << 23, 1)), 1)"], { stdio: "ignore" });
    child.once("exit", async (code, signal) => { await tell(signal); process.exit(3); });`, { ramMiB: 150 });
  assert.deepEqual(await bench().told(1), ["SIGKILL"]);
  const report = await container.exited;
  assert.deepEqual([report.code, report.outOfMemory], [3, null]);
});

test("an image that is not there is a clear refusal with its cure", async () => {
  const report = await bench().start("stay();", { image: "no-such-image:1" }).exited;
  assert.equal(report.cause, "refused");
  assert.match(describeExit(report), /could not be started: the image no-such-image:1 is not on this machine.*docker pull/s);
});

test("a runtime whose image is missing cannot get ready, and says how to make it", async () => {
  const runtime = await DockerRuntime.connect({
    nodeId: "n", directory: bench().directory, sockets: bench().directory, jobFolder: `${bench().directory}/job`, packages: `${bench().directory}/packages`, workerProgram: "", pythonWorkerProgram: PYTHON_WORKER_PROGRAM, onTrouble: () => undefined,
    containers: { network: "none", scratchMiB: 1, maxProcesses: 16 }, kinds: [{ image: "burla/worker-node:0.0.0-none" }],
  });
  await assert.rejects(runtime.prepare(), /BURLA_CONTAINERS|burla\/worker-node:0\.0\.0-none is not on this machine\n.*burla image/s);
});

test("nothing of an ended container is left, killed or not", async () => {
  const { directory } = bench();
  const running = bench().start(`await tell("ready"); stay();`);
  await bench().told(1);
  assert.equal((await containersOf(directory)).length, 1);
  await Promise.all([bench().start("stay();", { image: "no-such-image:1" }).exited, bench().start("process.exit(0);").exited]);
  running.kill();
  await running.exited;
  assert.deepEqual(await containersOf(directory), []);
});

test("one that somebody else removes has ended", async () => {
  const { directory } = bench();
  const container = bench().start(`await tell("ready"); stay();`);
  await bench().told(1);
  const [{ Id = "" } = {}] = await containersOf(directory);
  await docker.getContainer(Id).remove({ force: true });
  assert.equal((await container.exited).cause, "ended");
});
