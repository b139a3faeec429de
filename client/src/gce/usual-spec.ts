/** A small cluster on Compute Engine for who has no spec: to be seen, and to be written over. */
import { parseClusterSpec, type ClusterSpec } from "@burla/protocol";

export function usualGceSpec(name = "cloud"): ClusterSpec {
  return parseClusterSpec({
    name,
    provider: "gce",
    groups: [{ name: "node", count: 2, machineType: "e2-standard-4", zones: ["us-central1-a", "us-central1-b", "us-central1-c", "us-central1-f"], spot: "preferred" }],
    idleMinutes: 30,
    budgetPerHour: 1,
  });
}
