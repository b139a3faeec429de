import assert from "node:assert/strict";
import { test } from "node:test";
import { parseClusterSpec } from "@burla/protocol";
import { GLOBAL, quotaNeeds, quotaProblems } from "./quotas.ts";

const spec = parseClusterSpec({
  name: "trial", provider: "gce",
  groups: [
    { name: "a", count: 3, machineType: "e2-standard-4", zones: ["us-central1-a", "us-central1-b"], diskGiB: 100, diskType: "pd-balanced" },
    { name: "b", count: 2, machineType: "n2-standard-8", zones: ["us-central1-a"], spot: "preferred", diskGiB: 50, diskType: "pd-standard" },
    { name: "own", count: 1, machineType: "z9-mega-4", cpu: 4, ramMiB: 1000, zones: ["europe-west4-a"], gpu: { type: "nvidia-tesla-t4", count: 2 }, diskGiB: 10, diskType: "pd-ssd" },
  ],
});
const NEEDS = quotaNeeds(spec);
const amountOf = (region: string, metric: string) => NEEDS.find((need) => need.region === region && need.metric === metric)?.amount;
const textsOf = (region: string, quotas: Record<string, number>) =>
  quotaProblems(NEEDS, new Map([[region, Object.entries(quotas).map(([metric, limit]) => ({ metric, limit, usage: 0 }))]])).map(({ message }) => message);

test("processors, addresses, disks and GPUs are summed over main and all groups", () => {
  assert.deepEqual(["CPUS", "PREEMPTIBLE_CPUS", "IN_USE_ADDRESSES", "SSD_TOTAL_GB", "DISKS_TOTAL_GB"].map((metric) => amountOf("us-central1", metric)), [14, 16, 6, 320, 100]);
  assert.deepEqual(["Z9_CPUS", "IN_USE_ADDRESSES", "SSD_TOTAL_GB", "NVIDIA_T4_GPUS"].map((metric) => amountOf("europe-west4", metric)), [4, 1, 10, 2]);
  assert.deepEqual(["CPUS_ALL_REGIONS", "GPUS_ALL_REGIONS"].map((metric) => amountOf(GLOBAL, metric)), [34, 2]);
});

test("no quota for spot VMs means that they count as all others", () => {
  assert.deepEqual(textsOf("us-central1", { PREEMPTIBLE_CPUS: 0, CPUS: 30 }), []);
  assert.deepEqual(textsOf("us-central1", { PREEMPTIBLE_CPUS: 0, CPUS: 24 }), ["the quota CPUS in us-central1 leaves 24 of the 30 processors that are wanted"]);
  assert.deepEqual(textsOf("us-central1", { PREEMPTIBLE_CPUS: 8, CPUS: 14 }), ["the quota PREEMPTIBLE_CPUS in us-central1 leaves 8 of the 16 processors that are wanted"]);
});

test("each quota that is too small is told in its own unit", () => {
  assert.deepEqual(textsOf("us-central1", { IN_USE_ADDRESSES: 4, SSD_TOTAL_GB: 250 }), [
    "the quota IN_USE_ADDRESSES in us-central1 leaves 4 of the 6 external addresses that are wanted",
    "the quota SSD_TOTAL_GB in us-central1 leaves 250 of the 320 GB of disk that are wanted",
  ]);
  assert.deepEqual(textsOf(GLOBAL, { CPUS_ALL_REGIONS: 12, GPUS_ALL_REGIONS: 0 }), [
    "the quota CPUS_ALL_REGIONS in all regions leaves 12 of the 34 processors that are wanted",
    "the quota GPUS_ALL_REGIONS in all regions leaves 0 of the 2 GPUs that are wanted",
  ]);
});

test("without external addresses none is counted", () => {
  const inner = { ...spec, gce: { ...spec.gce, externalAddresses: false } };
  assert.ok(quotaNeeds(spec).some(({ metric }) => metric === "IN_USE_ADDRESSES"));
  assert.deepEqual(quotaNeeds(inner), quotaNeeds(spec).filter(({ metric }) => metric !== "IN_USE_ADDRESSES"));
});
