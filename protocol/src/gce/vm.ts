/** A VM as the API takes it. */
import { CLUSTER_LABEL, GROUP_LABEL, METADATA, regionOf, ROLE_LABEL } from "./names.ts";

export interface VmDescription {
  readonly name: string;
  readonly cluster: string;
  readonly role: "main" | "node";
  /** The node group; null for main. */
  readonly group: string | null;
  readonly zone: string;
  readonly machineType: string;
  readonly isSpot: boolean;
  readonly gpu: { readonly type: string; readonly count: number } | null;
  readonly diskGiB: number;
  readonly diskType: string;
  readonly bootImage: string;
  readonly network: string;
  /** In the VM's own region; null where the network has one for each. */
  readonly subnetwork: string | null;
  readonly hasExternalAddress: boolean;
  readonly tag: string;
  readonly serviceAccount: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A spot VM is removed when Google takes it back, and none is moved or started again behind our back. */
export function instanceResource(vm: VmDescription): object {
  const keepsRunning = !vm.isSpot && vm.gpu === null;
  return {
    name: vm.name,
    machineType: `zones/${vm.zone}/machineTypes/${vm.machineType}`,
    labels: { [CLUSTER_LABEL]: vm.cluster, [ROLE_LABEL]: vm.role, ...(vm.group !== null && { [GROUP_LABEL]: vm.group }) },
    tags: { items: [vm.tag] },
    disks: [{ boot: true, autoDelete: true, initializeParams: { sourceImage: vm.bootImage, diskSizeGb: String(vm.diskGiB), diskType: `zones/${vm.zone}/diskTypes/${vm.diskType}`, labels: { [CLUSTER_LABEL]: vm.cluster } } }],
    ...(vm.gpu !== null && { guestAccelerators: [{ acceleratorType: `zones/${vm.zone}/acceleratorTypes/${vm.gpu.type}`, acceleratorCount: vm.gpu.count }] }),
    networkInterfaces: [{
      network: `global/networks/${vm.network}`,
      ...(vm.subnetwork !== null && { subnetwork: `regions/${regionOf(vm.zone)}/subnetworks/${vm.subnetwork}` }),
      ...(vm.hasExternalAddress && { accessConfigs: [{ type: "ONE_TO_ONE_NAT", name: "External NAT" }] }),
    }],
    serviceAccounts: [{ email: vm.serviceAccount, scopes: ["https://www.googleapis.com/auth/cloud-platform"] }],
    scheduling: {
      provisioningModel: vm.isSpot ? "SPOT" : "STANDARD",
      preemptible: vm.isSpot,
      automaticRestart: keepsRunning,
      onHostMaintenance: keepsRunning ? "MIGRATE" : "TERMINATE",
      ...(vm.isSpot && { instanceTerminationAction: "DELETE" }),
    },
    metadata: { items: Object.entries({ ...vm.metadata, [METADATA.role]: vm.role }).map(([key, value]) => ({ key, value })) },
  };
}

/** The quota that VMs of this kind count against: Google counts some families by a name of their own. */
export function cpuQuota(machineType: string, isSpot: boolean): string {
  if (isSpot) return "PREEMPTIBLE_CPUS";
  const family = machineType.split("-")[0] ?? "";
  return ["e2", "n1", "f1", "g1"].includes(family) ? "CPUS" : `${family.toUpperCase()}_CPUS`;
}

