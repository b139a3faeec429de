/** What functions do to their container, and others to it: the job has every result, and nothing is left behind. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { BurlaError, remoteParallelMap, type RemoteResults, type Settled } from "burla";
import { assertEachOnce, drain, numbers } from "../../support/inputs.ts";
import { until } from "../support/until.ts";
import type { DockerCluster } from "../support/cluster.ts";
import { listenForStuck } from "../support/held.ts";
import { roundMs, type Scenario } from "../support/scenario.ts";

const INPUTS = 200;
/** The input that misbehaves. */
const BAD = 17;

/** Takes some milliseconds; for input 17 it never ends, until its worker does. */
async function stuckOnce(x: number, { attempt }: { attempt: number }): Promise<number> {
  if (x === 17 && attempt === 1) {
    console.log(`stuck in ${hostname()}`);
    await new Promise(() => undefined);
  }
  await new Promise((resolve) => setTimeout(resolve, 10));
  return x;
}

async function settledOf<Result>(stream: { settled(): AsyncGenerator<Settled<Result>> }): Promise<{ failures: Map<number, unknown>; values: Map<number, Result> }> {
  const failures = new Map<number, unknown>(), values = new Map<number, Result>();
  for await (const entry of stream.settled()) {
    assert.ok(!failures.has(entry.index) && !values.has(entry.index), `input ${entry.index} was answered twice`);
    if (entry.status === "fulfilled") values.set(entry.index, entry.value);
    else failures.set(entry.index, entry.reason);
  }
  return { failures, values };
}

const killed: Scenario = {
  name: "a container is killed in the middle of a job",
  run: async (cluster) => {
    await cluster.ready();
    let lostWorkers = 0;
    const { onLog, container } = listenForStuck();
    const all = remoteParallelMap(stuckOnce, numbers(INPUTS), { onLog, progress: (progress) => (lostWorkers = progress.lostWorkers) }).toArray();
    const id = await container;
    await cluster.docker.getContainer(id).kill({ signal: "SIGKILL" });
    assertEachOnce(await all, INPUTS);
    assert.equal(lostWorkers, 1);
    return { inputs: INPUTS, kills: 1, lostWorkers };
  },
};

const outOfMemory: Scenario = {
  name: "a call takes more memory than its container has",
  run: async () => {
    const { failures, values } = await settledOf(remoteParallelMap((x: number) => {
      if (x !== 3) return x;
      const all: Buffer[] = [];
      for (;;) all.push(Buffer.alloc(1 << 24, 1));
    }, numbers(10), { ram: "192 MiB" }));
    const error = failures.get(3);
    assert.deepEqual([failures.size, values.size], [1, 9]);
    assert.ok(error instanceof BurlaError && error.code === "BURLA_OUT_OF_MEMORY", String(error));
    assert.match(error.message, /limit 192 MiB, peak 19\d MiB/);
    return { answered: values.size + failures.size, code: error.code, message: error.message.split("\n")[0] ?? "" };
  },
};

/** The bad input of forty fails with this code of the system, the others are answered. */
async function onlyBadFails(expected: string, results: RemoteResults<number>): Promise<{ answered: number; code: string }> {
  const { failures, values } = await settledOf(results);
  const code = (failures.get(BAD) as { code?: string } | undefined)?.code ?? "";
  assert.deepEqual([failures.size, values.size, code], [1, 39, expected]);
  return { answered: failures.size + values.size, code };
}

const scratch: Scenario = {
  name: "a call fills the scratch folder",
  run: async (cluster) => {
    const facts = await onlyBadFails("ENOSPC", remoteParallelMap(async (x: number) => {
      if (x !== 17) return 0;
      const { appendFileSync } = await import("node:fs");
      for (let mib = 0; ; mib++) appendFileSync("/tmp/full", Buffer.alloc(1 << 20));
    }, numbers(40)));
    return { ...facts, scratchMiB: cluster.spec.containers.scratchMiB };
  },
};

const forks: Scenario = {
  name: "a call forks without end",
  run: async (cluster) => {
    const facts = await onlyBadFails("EAGAIN", remoteParallelMap(async (x: number) => {
      if (x !== 17) return 0;
      const { spawn } = await import("node:child_process");
      for (let started = 0; ; started++) {
        const child = spawn("sh", ["-c", "read x"], { stdio: ["pipe", "ignore", "ignore"] });
        await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
      }
    }, numbers(40)));
    return { ...facts, maxProcesses: cluster.spec.containers.maxProcesses };
  },
};

const stubborn: Scenario = {
  name: "a call ignores SIGTERM and never ends",
  run: async (cluster) => {
    await cluster.ready();
    const stream = remoteParallelMap(() => {
      process.removeAllListeners("SIGTERM");
      process.on("SIGTERM", () => undefined);
      for (;;);
    }, numbers(4));
    const ended = drain(stream);
    await cluster.untilNode("calls run", (node) => node.workers.some(({ state }) => state === "busy"));
    const begin = performance.now();
    await stream.cancel();
    const { error } = await ended;
    assert.ok(error instanceof BurlaError && error.code === "BURLA_CANCELLED");
    const readyMs = roundMs(performance.now() - begin + (await cluster.timeToReady()));
    return { code: error.code, cancelToReadyMs: readyMs, containers: (await cluster.containers()).length };
  },
};

const gigabyte: Scenario = {
  name: "calls write a gigabyte to stdout, by themselves and by a child",
  run: async (cluster) => {
    let lines = 0;
    const results = await remoteParallelMap(async (how: "console" | "child") => {
      const mib = 1024;
      if (how === "console") {
        const text = `${"x".repeat(1023)}\n`.repeat(1024);
        for (let at = 0; at < mib; at++) process.stdout.write(text);
        return how;
      }
      const { spawn } = await import("node:child_process");
      const program = `const { writeSync } = require("node:fs"); const b = Buffer.alloc(1 << 20, "x".repeat(1023) + "\\n"); for (let at = 0; at < ${mib}; at++) writeSync(1, b);`;
      const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "inherit", "ignore"] });
      const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => child.once("exit", (...end) => resolve(end)));
      return `${how} ${code ?? signal}`;
    }, ["console", "child"] as const, { onLog: () => void lines++, order: "input", maxParallelism: 2 }).toArray();
    assert.deepEqual(results, ["console", "child 0"]);
    assert.ok(lines > 1000);
    await cluster.ready();
    return { written: "2 GiB", linesSeen: lines };
  },
};

const crashedNode: Scenario = {
  name: "a node service is killed: its containers go, its inputs are answered",
  run: async (cluster) => {
    await cluster.ready();
    const { onLog, container } = listenForStuck();
    const all = remoteParallelMap(stuckOnce, numbers(INPUTS), { onLog }).toArray();
    const id = await container;
    const before = await cluster.containers();
    const nodeId = before.find((each) => each.id.startsWith(id))?.nodeId;
    const victim = (await cluster.status()).nodes.find((node) => node.nodeId === nodeId);
    assert.ok(victim !== undefined);
    const left = before.filter((each) => each.nodeId === nodeId).map((each) => each.id);
    process.kill(victim.pid, "SIGKILL");
    assertEachOnce(await all, INPUTS);
    await allThere(cluster);
    const now = await cluster.containers();
    assert.ok(left.length > 0 && left.every((id) => now.every((container) => container.id !== id)), "what it left is gone");
    return { inputs: INPUTS, leftBehind: left.length, containersNow: now.length };
  },
};

async function allThere(cluster: DockerCluster): Promise<void> {
  const count = cluster.spec.groups.reduce((sum, group) => sum + group.count, 0);
  await until("all nodes are back and ready", async () => {
    const { nodes } = await cluster.status();
    return nodes.length === count && nodes.every(({ state }) => state === "READY");
  });
}

export const MISDEEDS: readonly Scenario[] = [killed, outOfMemory, scratch, forks, stubborn, gigabyte, crashedNode];
