/**
 * A cluster's whole life on Compute Engine: main and six nodes in two groups, a job of 20,000 inputs, during which two
 * VMs are taken back, a zone has no more machines and main is killed; then everything goes. Tells its facts one by one.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { processesWith } from "../support/processes.ts";
import { Script } from "../support/script.ts";
import { until } from "../support/until.ts";
import { Cloud } from "./cloud.ts";

export interface Fact {
  readonly fact: string;
  readonly [name: string]: unknown;
}

export const NODES = 6;
export const INPUTS = 20_000;
const CLUSTER = "life";
const PREEMPTED = 2;

const spec = {
  name: CLUSTER, provider: "gce", idleMinutes: 10, budgetPerHour: 2,
  containers: { kinds: [{ warmPerCpu: 0.5 }] },
  groups: [
    { name: "first", count: 3, machineType: "e2-small", zones: ["us-central1-a", "us-central1-b"], spot: "preferred" },
    { name: "second", count: 3, machineType: "n1-standard-2", zones: ["europe-west4-a", "us-central1-b"] },
  ],
};

/** One worker's answer is the input and the node: a result that is there twice, or not, would show in the sum. */
const PROGRAM = `
const seen = new Uint8Array(${INPUTS});
let done = 0;
for await (const index of remoteParallelMap(async (x) => { await new Promise((resolve) => setTimeout(resolve, 4)); return x; }, Array.from({ length: ${INPUTS} }, (_, index) => index))) {
  seen[index]++;
  if (++done % 2000 === 0) console.log("done " + done);
}
console.log("results " + JSON.stringify({ results: done, once: seen.every((count) => count === 1) }));
`;

export async function runScenario(tell: (fact: Fact) => void): Promise<void> {
  const cloud = await Cloud.start({ preemptionMs: 5_000 });
  const startedMs = performance.now();
  const elapsed = () => Math.round(performance.now() - startedMs);
  try {
    await live(cloud, (fact) => tell({ ...fact, afterMs: elapsed() }));
  } catch (error) {
    console.error(cloud.logs);
    throw error;
  } finally {
    await cloud.close();
  }
  tell({ fact: "closed", processes: processesWith(cloud.home).length, afterMs: elapsed() });
}

async function live(cloud: Cloud, tell: (fact: Fact) => void): Promise<void> {
  const specFile = join(cloud.home, "spec.json");
  writeFileSync(specFile, JSON.stringify(spec));
  const up = await cloud.run("up", "--spec", specFile, "--yes", "--json");
  if (up.code !== 0) throw new Error(up.stderr);
  const started = await cloud.status(CLUSTER);
  tell({ fact: "up", nodes: started.nodes.length, groups: new Set(started.nodes.map(({ nodeId }) => nodeId.split("-")[0])).size, costPerHour: started.costPerHour, resources: cloud.emulator.resources.length });

  const job = Script.start(cloud, PROGRAM, { env: { ...cloud.emulator.environment, BURLA_CLUSTER: CLUSTER } });
  await job.line(/^done 2000$/);
  const victims = started.nodes.slice(0, PREEMPTED).map(({ nodeId }) => nodeId);
  cloud.emulator.faults.refuse("us-central1-a", { code: "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS" });
  tell({ fact: "refused", zone: "us-central1-a" });
  await Promise.all(victims.map((nodeId) => cloud.emulator.preempt(vmOf(nodeId))));
  tell({ fact: "preempted", nodes: victims });

  await job.line(/^done 8000$/);
  const main = cloud.emulator.processes.find(({ role, command }) => role === "main" && !command.startsWith("/bin/bash"));
  if (main === undefined) throw new Error("main's program was not found");
  process.kill(main.pid, "SIGKILL");
  tell({ fact: "main killed", pid: main.pid });

  const facts = JSON.parse(await job.line(/^results (.*)$/)) as { results: number; once: boolean };
  const end = await job.ended();
  tell({ fact: "results", ...facts, code: end.code });
  const whole = await until("six nodes are there again", async () => {
    const status = await cloud.status(CLUSTER);
    const live = status.nodes.filter(({ nodeId }) => !victims.includes(nodeId));
    return live.length === NODES ? live : null;
  }, 60_000);
  const zones = whole.filter(({ nodeId }) => !started.nodes.some((before) => before.nodeId === nodeId)).map(({ machineType }) => machineType);
  tell({ fact: "replaced", nodes: whole.length, by: zones });

  const down = await cloud.run("down", CLUSTER, "--json");
  tell({ fact: "down", code: down.code, ...(JSON.parse(down.stdout) as object) });
  tell({ fact: "left", resources: cloud.emulator.resources });
}

function vmOf(nodeId: string): string {
  return `burla-${CLUSTER}-${nodeId.split("-").pop() ?? ""}`;
}
