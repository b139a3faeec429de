/**
 * A cluster's whole life on Compute Engine: main and six nodes in two groups, a job of 20,000 inputs, during which two
 * VMs are taken back, a zone has no more machines and main is killed; then everything goes. Tells its facts one by one.
 * Inputs and results travel through main, or through Cloud Firestore.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { processesWith } from "../support/processes.ts";
import { statusSchema, type ClusterStatus } from "@burla/protocol";
import * as v from "valibot";
import type { Script, ScriptEnd } from "../support/script.ts";
import { until } from "../support/until.ts";

export interface Fact {
  readonly fact: string;
  readonly [name: string]: unknown;
}

export const NODES = 6;
export const INPUTS = 20_000;
export const CLUSTER = "life";
const PREEMPTED = 2;
const REFUSED = "us-central1-a";

export type Queue = "stream" | "firestore";

const specOf = (queue: Queue) => ({
  name: CLUSTER, queue, provider: "gce", idleMinutes: 10, budgetPerHour: 2,
  containers: { kinds: [{ warmPerCpu: 0.5 }] },
  groups: [
    { name: "first", count: 3, machineType: "e2-small", zones: ["us-central1-a", "us-central1-b"], spot: "preferred" },
    { name: "second", count: 3, machineType: "n1-standard-2", zones: ["europe-west4-a", "us-central1-b"] },
  ],
});

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

/** The emulator, or a real project. */
export interface CloudUnderTest {
  readonly home: string;
  readonly patienceMs: number;
  /** For whoever looks for a cause. */
  readonly logs: string;
  /** The `burla` command. */
  run(...args: string[]): Promise<ScriptEnd>;
  program(source: string, cluster: string): Script;
  /** @returns whether a zone can be made to have no machines. */
  refuseZone(zone: string): boolean;
  takeBack(vm: string): Promise<void>;
  killMain(): Promise<void>;
  /** VMs and firewall rules of the cluster. */
  resources(): Promise<string[]>;
  close(): Promise<void>;
}

type Tell = (fact: Fact) => void;

/** @param cloud it is closed afterwards. */
export async function runScenario(cloud: CloudUnderTest, queue: Queue, tell: Tell): Promise<void> {
  const startedMs = performance.now();
  const timed: Tell = (fact) => tell({ ...fact, afterMs: Math.round(performance.now() - startedMs) });
  try {
    await live(cloud, queue, timed);
  } catch (error) {
    console.error(cloud.logs);
    throw error;
  } finally {
    await cloud.close();
  }
  timed({ fact: "closed", processes: processesWith(cloud.home).length });
}

async function live(cloud: CloudUnderTest, queue: Queue, tell: Tell): Promise<void> {
  const specFile = join(cloud.home, "spec.json");
  writeFileSync(specFile, JSON.stringify(specOf(queue)));
  const up = await cloud.run("up", "--spec", specFile, "--yes", "--json");
  if (up.code !== 0) throw new Error(up.stderr);
  const started = await statusOf(cloud);
  const groups = new Set(started.nodes.map(({ nodeId }) => nodeId.split("-")[0]));
  tell({ fact: "up", queue, nodes: started.nodes.length, groups: groups.size, costPerHour: started.costPerHour, resources: (await cloud.resources()).length });

  const job = cloud.program(PROGRAM, CLUSTER);
  await job.line(/^done 2000$/, cloud.patienceMs);
  const victims = started.nodes.slice(0, PREEMPTED).map(({ nodeId }) => nodeId);
  if (cloud.refuseZone(REFUSED)) tell({ fact: "refused", zone: REFUSED });
  await Promise.all(victims.map((nodeId) => cloud.takeBack(vmOf(nodeId))));
  tell({ fact: "preempted", nodes: victims });

  await job.line(/^done 8000$/, cloud.patienceMs);
  await cloud.killMain();
  tell({ fact: "main killed" });

  const facts = JSON.parse(await job.line(/^results (.*)$/, cloud.patienceMs)) as { results: number; once: boolean };
  tell({ fact: "results", ...facts, code: (await job.ended(cloud.patienceMs)).code });
  await tellReplacements(cloud, started, victims, tell);

  const down = await cloud.run("down", CLUSTER, "--json");
  tell({ fact: "down", code: down.code, ...(JSON.parse(down.stdout) as object) });
  tell({ fact: "left", resources: await cloud.resources() });
}

/** Main goes on making what is missing, also after its restart. */
async function tellReplacements(cloud: CloudUnderTest, started: ClusterStatus, victims: readonly string[], tell: Tell): Promise<void> {
  const whole = await until("six nodes are there again", async () => {
    const live = (await statusOf(cloud)).nodes.filter(({ nodeId }) => !victims.includes(nodeId));
    return live.length === NODES ? live : null;
  }, cloud.patienceMs);
  const fresh = whole.filter(({ nodeId }) => !started.nodes.some((before) => before.nodeId === nodeId));
  tell({ fact: "replaced", nodes: whole.length, by: fresh.map(({ machineType }) => machineType) });
}

async function statusOf(cloud: CloudUnderTest): Promise<ClusterStatus> {
  const { stdout, stderr } = await cloud.run("status", "--cluster", CLUSTER, "--json");
  if (stdout.trim() === "") throw new Error(stderr);
  return v.parse(statusSchema, JSON.parse(stdout));
}

function vmOf(nodeId: string): string {
  return `burla-${CLUSTER}-${nodeId.split("-").pop() ?? ""}`;
}
