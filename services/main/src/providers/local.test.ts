/** The provider with a program that stands for the node service: it writes down each of its starts. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { childEnvironment, parseClusterSpec, type ClusterSpec, type NodeId } from "@burla/protocol";
import { isAlive } from "../lock.ts";
import { LocalProvider } from "./local.ts";

const SPEC: ClusterSpec = {
  ...parseClusterSpec({ idleMinutes: 1, groups: [{ name: "n", count: 2, cpu: 1, ramMiB: 256 }] }),
  containers: { runtime: "process", kinds: [], network: "none", scratchMiB: 1, maxProcesses: 16 },
};
const PROGRAM = `
import { appendFileSync } from "node:fs";
const { nodeId } = JSON.parse(process.env.BURLA_NODE);
appendFileSync(STARTS, nodeId + " " + process.pid + " " + Date.now() + "\\n");
if (process.env.END_AT_ONCE) throw new RangeError("no room");
process.on("SIGTERM", () => process.exit(0));
setInterval(() => undefined, 1000);
`;

let directory: string;
let starts: string;
let gone: NodeId[];
/** How many troubles there were at each change. */
let changes: number[];
let providers: LocalProvider[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-provider-"));
  starts = join(directory, "starts");
  appendFileSync(starts, "");
  writeFileSync(join(directory, "program.mjs"), PROGRAM.replace("STARTS", JSON.stringify(starts)));
  gone = [];
  changes = [];
  providers = [];
});
afterEach(async () => {
  for (const provider of providers) {
    await provider.stop();
  }
  for (const { pid } of started()) kill(pid);
  rmSync(directory, { recursive: true, force: true });
});

function started(): { nodeId: string; pid: number; atMs: number }[] {
  const lines = readFileSync(starts, "utf8").split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [nodeId = "", pid, atMs] = line.split(" ");
    return { nodeId, pid: Number(pid), atMs: Number(atMs) };
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

async function untilStarted(count: number): Promise<ReturnType<typeof started>> {
  const watcher = watch(starts);
  try {
    while (started().length < count) await once(watcher, "change");
    return started();
  } finally {
    watcher.close();
  }
}

function newProvider(environment: NodeJS.ProcessEnv = {}, build = "b1", spec = SPEC): LocalProvider {
  const provider = new LocalProvider({
    spec, version: "0.0.0", build, directory: join(directory, "nodes"), connectionFile: join(directory, "cluster.json"), nodeProgram: join(directory, "program.mjs"),
    workerProgram: "", pythonWorkerProgram: "", python: "python3", clientPackage: "", environment: { ...childEnvironment(), ...environment }, onGone: (nodeId) => void gone.push(nodeId), onChange: () => void changes.push(providers.flatMap(({ machines }) => machines.troubles).length), log: { error: () => undefined },
  });
  providers.push(provider);
  return provider;
}

/** Leaves the nodes of a main that was killed. */
async function nodesOfADeadMain(): Promise<ReturnType<typeof started>> {
  const program = `
    const { LocalProvider } = await import(${JSON.stringify(new URL("./local.ts", import.meta.url).href)});
    new LocalProvider({ ...JSON.parse(process.argv[1]), environment: process.env, onGone: () => undefined, onChange: () => undefined, log: { error: () => undefined } }).start();
  `;
  const options = { spec: SPEC, version: "0.0.0", build: "b1", directory: join(directory, "nodes"), connectionFile: join(directory, "cluster.json"), nodeProgram: join(directory, "program.mjs"), workerProgram: "", pythonWorkerProgram: "", python: "python3", clientPackage: "" };
  const earlier = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program, JSON.stringify(options)], { stdio: ["ignore", "inherit", "inherit"], env: childEnvironment() });
  const earlierEnded = once(earlier, "exit");
  await untilStarted(2);
  earlier.kill("SIGKILL");
  await earlierEnded;
  return started();
}

test("each node of the spec is started; one that dies is reported and started again", async () => {
  newProvider().start();
  const first = await untilStarted(2);
  assert.deepEqual(first.map(({ nodeId }) => nodeId).sort(), ["n-1", "n-2"]);
  kill(first[0]?.pid ?? 0);
  const again = await untilStarted(3);
  assert.equal(again[2]?.nodeId, first[0]?.nodeId);
  assert.deepEqual(gone, [first[0]?.nodeId]);
});

test("one that ends at once is started ever later, and it is said why", async () => {
  const provider = newProvider({ END_AT_ONCE: "1" });
  provider.start();
  assert.deepEqual(provider.machines.troubles, []);
  const all = await untilStarted(10);
  const times = all.filter(({ nodeId }) => nodeId === "n-1").map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((atMs, at) => atMs - (times[at] ?? 0));
  for (const [at, gap] of gaps.entries()) assert.ok(gap >= 100 * 2 ** at, `pause ${at} was ${gap} ms`);
  while (provider.machines.troubles.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.match(provider.machines.troubles.join("\n"), /^the node n-1 ends as soon as it is started \(RangeError: no room; all of it in .*node\.log\)\nthe node n-2 /);
  provider.joined("n-1" as NodeId, 0);
  assert.equal(provider.machines.troubles.length, 1);
  assert.deepEqual(changes, [1, 2, 1], "told when they come and when they go");
});

test("nodes outlive main and are taken over by the next one, which starts them again when they die", async () => {
  await nodesOfADeadMain();
  const [survivor, other] = started();
  assert.ok(survivor !== undefined && other !== undefined && isAlive(survivor.pid));

  newProvider().start();
  assert.equal(started().length, 2, "none was started a second time");
  kill(survivor.pid);
  const all = await untilStarted(3);
  assert.equal(all[2]?.nodeId, survivor.nodeId);
  assert.deepEqual(gone, [survivor.nodeId]);
  assert.ok(isAlive(other.pid));
});

test("nodes of another build are not taken over but replaced", async () => {
  const before = await nodesOfADeadMain();
  newProvider({}, "b2").start();
  const all = await untilStarted(4);
  assert.deepEqual(all.slice(2).map(({ nodeId }) => nodeId).sort(), ["n-1", "n-2"]);
  for (const { pid } of before) while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
});

test("nodes that were told something else are replaced, and those that the spec no longer has are ended", async () => {
  const before = await nodesOfADeadMain();
  const groups = SPEC.groups.map((group) => ({ ...group, count: 1, cpu: 2 }));
  newProvider({}, "b1", { ...SPEC, groups }).start();
  const all = await untilStarted(3);
  assert.deepEqual(all.slice(2).map(({ nodeId }) => nodeId), ["n-1"]);
  for (const { pid } of before) while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
});

test("a recorded pid that belongs to another program by now is not taken for the node", async () => {
  newProvider().start();
  const [first] = await untilStarted(2);
  await providers.pop()?.stop();
  assert.ok(first !== undefined);
  const stranger = spawn("sleep", ["60"]);
  const provider = newProvider();
  const folder = join(directory, "nodes", "n-1");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "pid"), String(stranger.pid));
  provider.start();
  await untilStarted(4);
  assert.ok(isAlive(stranger.pid ?? 0));
  stranger.kill();
});

test("a node that was started unknown to this main makes way for the known one", async () => {
  const provider = newProvider();
  provider.start();
  const [first] = await untilStarted(2);
  assert.ok(first !== undefined);
  const environment = { ...childEnvironment(), BURLA_NODE: JSON.stringify({ nodeId: first.nodeId }), BURLA_NODE_ID: first.nodeId };
  const stray = spawn(process.execPath, [join(directory, "program.mjs")], { stdio: "ignore", env: environment });
  await untilStarted(3);
  provider.joined(first.nodeId as NodeId, first.pid);
  provider.joined(first.nodeId as NodeId, process.pid);
  assert.ok(isAlive(first.pid));
  provider.joined(first.nodeId as NodeId, stray.pid ?? 0);
  assert.deepEqual(await once(stray, "exit"), [null, "SIGKILL"]);
  assert.ok(isAlive(first.pid));
  assert.deepEqual(gone, []);
});

test("a node whose pid the disk does not take does not run on unknown; it is started again when there is room", async () => {
  const obstacle = join(directory, "nodes", "n-1", "pid");
  mkdirSync(obstacle, { recursive: true });
  const provider = newProvider();
  provider.start();
  while (provider.machines.troubles.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.match(provider.machines.troubles.join(), /^the node n-1 ends as soon as it is started \(EISDIR/);
  rmSync(obstacle, { recursive: true });
  while (!existsSync(obstacle)) await new Promise((resolve) => setTimeout(resolve, 20));
  const known = Number(readFileSync(obstacle, "utf8"));
  while (!started().some(({ pid }) => pid === known)) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(started().filter(({ nodeId, pid }) => nodeId === "n-1" && isAlive(pid)).map(({ pid }) => pid), [known]);
});

test("stopping waits for the nodes, kills those that stay, and removes their folders", async () => {
  const provider = newProvider();
  provider.start();
  const all = await untilStarted(2);
  await provider.stop();
  for (const { pid } of all) assert.ok(!isAlive(pid));
  assert.ok(!existsSync(join(directory, "nodes", "n-1")));
  providers.length = 0;
});
