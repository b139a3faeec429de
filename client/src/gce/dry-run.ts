/** All that a cluster on Compute Engine would make, for `burla up --plan`. No I/O, and nothing secret. */
import { mainVmName, serviceAccountEmail, type ClusterSpec } from "@burla/protocol";
import type { CloudPlan } from "../control/types.ts";
import { MAIN_DISK, mainPrice, mainZones, priceLines } from "./plan.ts";
import { firewallRules } from "./resources.ts";

/** @param plan what a look at the project has shown. Its prices are those of single lines; `vms` has each kind of VM once. */
export function dryRun(spec: ClusterSpec, plan: CloudPlan): object {
  const { cluster, project, problems, prices, pricePerHour, maxPricePerHour, priceList, budgetPerHour, idleMinutes, endsAt } = plan;
  const isPossible = problems.every(({ isWarning }) => isWarning);
  return { cluster, project, isPossible, problems, vms: vmsOf(spec, project), firewallRules: firewallRules(spec), prices, pricePerHour, maxPricePerHour, priceList, budgetPerHour, idleMinutes, endsAt };
}

function vmsOf(spec: ClusterSpec, project: string): object[] {
  const { gce, groups, name } = spec;
  const [, ...groupPrices] = priceLines(spec);
  const common = { network: gce.network, subnetwork: gce.subnetwork, externalAddress: gce.externalAddresses };
  const main = {
    role: "main", name: mainVmName(name), count: 1, machineType: gce.main.machineType, zones: mainZones(spec), spot: "never", gpu: null, diskGiB: gce.main.diskGiB, diskType: MAIN_DISK,
    bootImage: groups[0]?.bootImage ?? null, ...common, serviceAccount: serviceAccountEmail(gce.serviceAccounts.main, project), pricePerHour: mainPrice(spec),
  };
  const nodes = groups.map(({ name: group, count, machineType, zones, spot, gpu, diskGiB, diskType, bootImage }, at) => ({
    role: "node", group, count, machineType, zones, spot, gpu, diskGiB, diskType, bootImage, ...common,
    serviceAccount: serviceAccountEmail(gce.serviceAccounts.node, project), pricePerHour: groupPrices[at]?.perHour ?? null,
  }));
  return [main, ...nodes];
}
