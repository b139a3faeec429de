/** Which quotas of Google Cloud a cluster counts against, and which are too small for it. No I/O. */
import { cpuQuota, machineSize, regionOf, type ClusterSpec, type NodeGroup } from "@burla/protocol";
import type { CloudProblem } from "../control/types.ts";
import { MAIN_DISK, mainZones } from "./plan.ts";

/** Of the whole project, beside those of each region. */
export const GLOBAL = "all regions";

export interface QuotaNeed {
  /** Or `GLOBAL`. */
  readonly region: string;
  readonly metric: string;
  readonly amount: number;
}

export interface Quota {
  readonly metric: string;
  readonly limit: number;
  readonly usage: number;
}

/** Machines that are alike, as far as quotas go. */
interface Machines {
  readonly zone: string;
  readonly count: number;
  readonly machineType: string;
  readonly cpu: number;
  readonly isSpot: boolean;
  readonly diskType: string;
  readonly diskGiB: number;
  readonly gpu: NodeGroup["gpu"];
}

/** Of the first choice of main and of each group, summed. */
export function quotaNeeds(spec: ClusterSpec): QuotaNeed[] {
  const needs = new Map<string, QuotaNeed>();
  for (const need of machinesOf(spec).flatMap(needsOf).filter(({ metric }) => spec.gce.externalAddresses || metric !== "IN_USE_ADDRESSES")) {
    const key = `${need.region} ${need.metric}`;
    needs.set(key, { ...need, amount: need.amount + (needs.get(key)?.amount ?? 0) });
  }
  return [...needs.values()];
}

function machinesOf(spec: ClusterSpec): Machines[] {
  const { machineType, diskGiB } = spec.gce.main;
  const main = { zone: mainZones(spec)[0] ?? "", count: 1, machineType, cpu: machineSize(machineType)?.cpu ?? 2, isSpot: false, diskType: MAIN_DISK, diskGiB, gpu: null };
  const groups = spec.groups.map(({ zones, count, machineType, cpu, spot, diskType, diskGiB, gpu }) => ({
    zone: zones[0] ?? "", count, machineType: machineType ?? "", cpu: machineSize(machineType ?? "")?.cpu ?? cpu, isSpot: spot !== "never", diskType, diskGiB, gpu,
  }));
  return [main, ...groups];
}

function needsOf({ zone, count, machineType, cpu, isSpot, diskType, diskGiB, gpu }: Machines): QuotaNeed[] {
  const region = regionOf(zone);
  const needs: QuotaNeed[] = [
    { region, metric: cpuQuota(machineType, isSpot), amount: cpu * count },
    { region, metric: "IN_USE_ADDRESSES", amount: count },
    { region, metric: diskType === "pd-standard" ? "DISKS_TOTAL_GB" : "SSD_TOTAL_GB", amount: diskGiB * count },
    { region: GLOBAL, metric: "CPUS_ALL_REGIONS", amount: cpu * count },
  ];
  if (gpu !== null) {
    needs.push({ region, metric: `${isSpot ? "PREEMPTIBLE_" : ""}${gpu.type.toUpperCase().replaceAll("-", "_").replace("NVIDIA_TESLA_", "NVIDIA_")}_GPUS`, amount: gpu.count * count });
    needs.push({ region: GLOBAL, metric: "GPUS_ALL_REGIONS", amount: gpu.count * count });
  }
  return needs.filter(({ amount }) => amount > 0);
}

/** @param quotas by region; what Google does not list has no limit. */
export function quotaProblems(needs: readonly QuotaNeed[], quotas: ReadonlyMap<string, readonly Quota[]>): CloudProblem[] {
  return withoutPreemptible(needs, quotas).flatMap(({ region, metric, amount }) => {
    const quota = quotas.get(region)?.find((candidate) => candidate.metric === metric);
    const free = quota === undefined ? Infinity : Math.max(0, quota.limit - quota.usage);
    if (free >= amount) return [];
    const message = `the quota ${metric} in ${region} leaves ${free} of the ${amount} ${unitOf(metric)} that are wanted`;
    return [{ message, cure: "Ask for more at console.cloud.google.com/iam-admin/quotas, or name zones of other regions.", isWarning: true }];
  });
}

/** A project that was never given a quota for spot VMs has 0 of it, and they count as all others do. */
function withoutPreemptible(needs: readonly QuotaNeed[], quotas: ReadonlyMap<string, readonly Quota[]>): QuotaNeed[] {
  const real = new Map<string, QuotaNeed>();
  for (const need of needs) {
    const isNone = need.metric === "PREEMPTIBLE_CPUS" && quotas.get(need.region)?.find(({ metric }) => metric === need.metric)?.limit === 0;
    const metric = isNone ? "CPUS" : need.metric;
    const key = `${need.region} ${metric}`;
    real.set(key, { ...need, metric, amount: need.amount + (real.get(key)?.amount ?? 0) });
  }
  return [...real.values()];
}

function unitOf(metric: string): string {
  if (metric === "IN_USE_ADDRESSES") return "external addresses";
  if (metric.endsWith("_GB")) return "GB of disk";
  return metric.includes("GPUS") ? "GPUs" : "processors";
}
