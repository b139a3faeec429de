import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ClusterStatus, NodeSummary } from "burla/control";
import { TOOLS } from "../contributions.ts";
import { cloudRef, LOCAL_CLUSTER, type ClusterState } from "../clusters/state.ts";
import { machinesAndCost, statusReport } from "./cost.ts";
import { parseInput, runInput } from "./inputs.ts";

const NODE: NodeSummary = { nodeId: "node-1", state: "READY", reason: "", provider: "local", machineType: "process", cpu: 1, cpuInUse: 0, ramMiB: 512, pid: 1, jobs: [], workers: [] };
const STATUS: ClusterStatus = { cluster: "local", version: "1", pid: 1, startedAt: 0, idleDeadline: null, wantedNodes: 2, costPerHour: null, troubles: [], endsAt: null, cpu: 2, cpuInUse: 1, duplicates: 0, nodes: [NODE, { ...NODE, nodeId: "node-2", state: "BOOTING", reason: "starts" }], jobs: [] };
const ONLINE: Pick<ClusterState, "ref" | "link" | "status"> = { ref: LOCAL_CLUSTER, link: { kind: "online" }, status: STATUS };

test("the confirmation names machines and cost", () => {
  assert.equal(machinesAndCost(ONLINE), "It runs on the cluster on this machine: 2 × process, 2 processors in all. It costs nothing but this machine's time.");
  assert.match(machinesAndCost({ ref: LOCAL_CLUSTER, status: null }), /starts the cluster on this machine first/);
  const remote = machinesAndCost({ ref: { id: "https://x", label: "big", kind: "address", url: "https://x" }, status: { ...STATUS, nodes: [{ ...NODE, machineType: "n2-standard-8" }] } });
  const cloud = machinesAndCost({ ref: cloudRef("trial"), status: { ...STATUS, costPerHour: 0.25 } });
  assert.match(cloud, /the cluster trial \(on Google Cloud\).*about \$0\.250 per hour now/);
  assert.match(remote, /the cluster big \(https:\/\/x\): 1 × n2-standard-8.*what their provider asks/);
});

test("the status for an assistant", () => {
  assert.match(statusReport(ONLINE), /online\n2 nodes, 1 of 2 processors in use\n- node node-1: READY.*\n- node node-2: BOOTING \(starts\)/);
  assert.match(statusReport({ ref: LOCAL_CLUSTER, link: { kind: "off" }, status: null }), /off\nIt starts by itself/);
});

test("inputs in exactly one way", () => {
  const base = { file: "a.ts", functionName: "f" };
  assert.doesNotThrow(() => parseInput(runInput, { ...base, inputs: [1] }));
  assert.throws(() => parseInput(runInput, base), /exactly one way/);
  assert.throws(() => parseInput(runInput, { ...base, inputs: [1], inputsFile: "a.json" }), /exactly one way/);
  assert.throws(() => parseInput(runInput, { ...base, inputs: Array(1_001).fill(0) }), /at most 1000/);
  assert.throws(() => parseInput(runInput, { file: 1 }), /file/);
});

test("the manifest names the tools that the code registers", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as { contributes: { languageModelTools: { name: string }[] } };
  assert.deepEqual(manifest.contributes.languageModelTools.map(({ name }) => name).sort(), Object.values<string>(TOOLS).sort());
});
