/** What a cluster on Compute Engine will have, need and cost, before anything is made. No I/O. */
import { machinePrice, regionOf, type ClusterSpec, type NodeGroup } from "@burla/protocol";
import { dollars, totalPriceText } from "../dollars.ts";
import type { CloudEstimate, PriceLine } from "../control/types.ts";

export const MAIN_DISK = "pd-balanced";
/** What it costs depends on the work, not on time: no list can say. */
const FIRESTORE: PriceLine = { what: "Firestore, by reads, writes and storage", perHour: null, maxPerHour: null };

export function mainPrice({ gce }: ClusterSpec): number | null {
  const { machineType, diskGiB } = gce.main;
  return machinePrice({ machineType, isSpot: false, gpu: null, diskGiB, diskType: MAIN_DISK });
}

/** Main, each group, where it is to be and what it costs, and what is paid beside VMs. */
export function priceLines(spec: ClusterSpec): PriceLine[] {
  const main = mainPrice(spec);
  return [{ what: `main service, ${spec.gce.main.machineType}`, perHour: main, maxPerHour: main }, ...spec.groups.map(groupLine), ...(spec.queue === "firestore" ? [FIRESTORE] : [])];
}

function groupLine(group: NodeGroup): PriceLine {
  const { name, count, machineType, gpu, zones } = group;
  const kind = `${machineType ?? ""}${gpu === null ? "" : ` with ${gpu.count} ${gpu.type}`}`;
  const spot = { never: "", preferred: " spot if there is any", only: " spot" }[group.spot];
  const regions = [...new Set(zones.map(regionOf))].join(" or ");
  const priceOf = (isSpot: boolean) => {
    const each = priceOfGroup(group, isSpot);
    return each === null ? null : each * count;
  };
  return { what: `${count} × ${kind}${spot}, ${regions} (${name})`, perHour: priceOf(group.spot !== "never"), maxPerHour: priceOf(group.spot === "only") };
}

function priceOfGroup({ pricePerHour, machineType, gpu, diskGiB, diskType }: NodeGroup, isSpot: boolean): number | null {
  return pricePerHour ?? machinePrice({ machineType: machineType ?? "", isSpot, gpu, diskGiB, diskType });
}

/** Of what is known. */
export function totalPerHour(lines: readonly PriceLine[], which: "perHour" | "maxPerHour" = "perHour"): number {
  return lines.reduce((sum, line) => sum + (line[which] ?? 0), 0);
}

/** In order of preference. */
export function mainZones({ gce, groups }: ClusterSpec): string[] {
  const { zone } = gce.main;
  return [...new Set([...(zone === null ? [] : [zone]), ...groups.flatMap(({ zones }) => zones)])];
}

export function priceText(estimate: Pick<CloudEstimate, "prices" | "pricePerHour" | "maxPricePerHour" | "priceList">): string {
  const { prices } = estimate;
  const width = Math.max(...prices.map(({ what }) => what.length));
  return [...prices.map(({ what, perHour }) => `  ${what.padEnd(width)}  ${perHour === null ? "unknown" : dollars(perHour)}`), totalPriceText(estimate)].join("\n");
}
