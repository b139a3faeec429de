/** A small cluster on Compute Engine for who has no spec: to be seen, and to be written over. */
import { parseClusterSpec, type ClusterSpec } from "@burla/protocol";

export interface UsualOptions {
  readonly name?: string | undefined;
  /** Machines of its one group. */
  readonly nodes?: number | undefined;
  readonly region?: string | undefined;
}

const NODES = 2;
const REGION = "us-central1";
/** Dollars. A cluster of the usual size stays far below; a larger one has half as much again as it costs. */
const BUDGET_PER_HOUR = 1;
const BUDGET_PER_NODE = 0.25;

/** Regions with the zones that have machines of the usual type. A spec may name any other. */
export const REGIONS: Readonly<Record<string, readonly string[]>> = {
  "us-central1": zonesOf("us-central1", "abcf"),
  "us-east1": zonesOf("us-east1", "bcd"),
  "us-west1": zonesOf("us-west1", "abc"),
  "southamerica-east1": zonesOf("southamerica-east1", "abc"),
  "europe-west1": zonesOf("europe-west1", "bcd"),
  "europe-west3": zonesOf("europe-west3", "abc"),
  "europe-west4": zonesOf("europe-west4", "abc"),
  "asia-south1": zonesOf("asia-south1", "abc"),
  "asia-northeast1": zonesOf("asia-northeast1", "abc"),
  "asia-southeast1": zonesOf("asia-southeast1", "abc"),
  "australia-southeast1": zonesOf("australia-southeast1", "abc"),
};

/** @throws BurlaError BURLA_SPEC where one of the options is none. */
export function usualGceSpec({ name = "cloud", nodes = NODES, region = REGION }: UsualOptions = {}): ClusterSpec {
  return parseClusterSpec({
    name,
    provider: "gce",
    groups: [{ name: "node", count: nodes, machineType: "e2-standard-4", zones: REGIONS[region] ?? [`${region}-a`, `${region}-b`, `${region}-c`], spot: "preferred" }],
    idleMinutes: 30,
    budgetPerHour: Math.max(BUDGET_PER_HOUR, nodes * BUDGET_PER_NODE),
  });
}

function zonesOf(region: string, letters: string): string[] {
  return [...letters].map((letter) => `${region}-${letter}`);
}
