/** What a cluster on Compute Engine will have, need and cost, before anything is made. No I/O. */
import { cpuQuota, machinePrice, machineSize, regionOf, type ClusterSpec, type NodeGroup } from "@burla/protocol";
import { dollars } from "../dollars.ts";
import type { CloudEstimate, PriceLine } from "../control/types.ts";

export interface QuotaNeed {
  readonly region: string;
  readonly metric: string;
  readonly cpus: number;
}

export const MAIN_DISK = "pd-balanced";

export function mainPrice({ gce }: ClusterSpec): number | null {
  const { machineType, diskGiB } = gce.main;
  return machinePrice({ machineType, isSpot: false, gpu: null, diskGiB, diskType: MAIN_DISK });
}

/** At most: where spot is preferred and there is none, the full price. */
export function priceLines(spec: ClusterSpec): PriceLine[] {
  const main = { what: `main service, ${spec.gce.main.machineType}`, perHour: mainPrice(spec) };
  const groups = spec.groups.map((group) => {
    const each = priceOfGroup(group, group.spot !== "never");
    const kind = `${group.machineType ?? ""}${group.gpu === null ? "" : ` with ${group.gpu.count} ${group.gpu.type}`}`;
    const spot = { never: "", preferred: " spot if there is any", only: " spot" }[group.spot];
    return { what: `${group.count} × ${kind}${spot} (${group.name})`, perHour: each === null ? null : each * group.count };
  });
  return [main, ...groups];
}

function priceOfGroup({ pricePerHour, machineType, gpu, diskGiB, diskType }: NodeGroup, isSpot: boolean): number | null {
  return pricePerHour ?? machinePrice({ machineType: machineType ?? "", isSpot, gpu, diskGiB, diskType });
}

export function totalPerHour(lines: readonly PriceLine[]): number {
  return lines.reduce((sum, { perHour }) => sum + (perHour ?? 0), 0);
}

/** Of those quotas that the first choice of each group counts against. */
export function quotaNeeds(spec: ClusterSpec): QuotaNeed[] {
  const needs = new Map<string, QuotaNeed>();
  const add = (zone: string, machineType: string, isSpot: boolean, cpus: number) => {
    const [region, metric] = [regionOf(zone), cpuQuota(machineType, isSpot)];
    const before = needs.get(`${region} ${metric}`)?.cpus ?? 0;
    needs.set(`${region} ${metric}`, { region, metric, cpus: before + cpus });
  };
  add(mainZones(spec)[0] ?? "", spec.gce.main.machineType, false, machineSize(spec.gce.main.machineType)?.cpu ?? 2);
  for (const { zones, machineType, spot, count, cpu } of spec.groups) add(zones[0] ?? "", machineType ?? "", spot !== "never", (machineSize(machineType ?? "")?.cpu ?? cpu) * count);
  return [...needs.values()];
}

/** In order of preference. */
export function mainZones({ gce, groups }: ClusterSpec): string[] {
  const { zone } = gce.main;
  return [...new Set([...(zone === null ? [] : [zone]), ...groups.flatMap(({ zones }) => zones)])];
}

export function priceText({ prices, pricePerHour, priceList }: Pick<CloudEstimate, "prices" | "pricePerHour" | "priceList">): string {
  const width = Math.max(...prices.map(({ what }) => what.length));
  const unknown = prices.some(({ perHour }) => perHour === null) ? ", and what the list does not know" : "";
  return [
    ...prices.map(({ what, perHour }) => `  ${what.padEnd(width)}  ${perHour === null ? "unknown" : dollars(perHour)}`),
    `About ${dollars(pricePerHour)} per hour${unknown}, by a list of ${priceList.date}, without network traffic.`,
  ].join("\n");
}
