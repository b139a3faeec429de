/** What `burla up` makes itself: two firewall rules and the VM of main. The nodes' VMs are made by main. */
import { readFileSync } from "node:fs";
import { instanceResource, mainTag, mainVmName, METADATA, nodeTag, serviceAccountEmail, vmName, type ClusterSpec } from "@burla/protocol";
import { BUILD, VERSION } from "../version.ts";
import { MAIN_DISK, mainPrice } from "./plan.ts";
import { ownFile } from "../own-files.ts";

export interface MainVmOptions {
  readonly spec: ClusterSpec;
  readonly project: string;
  readonly zone: string;
  readonly ownerHash: string;
  readonly programsHash: string;
  readonly endpoint: string | null;
}

/** Clients reach main, and nodes do; nobody reaches a node. */
export function firewallRules({ name, gce }: ClusterSpec) {
  const common = { network: `global/networks/${gce.network}`, targetTags: [mainTag(name)], allowed: [{ IPProtocol: "tcp", ports: [String(gce.port)] }] };
  return [
    { ...common, name: vmName(name, "clients"), description: `Burla cluster ${name}: clients reach its main service`, sourceRanges: gce.clientRanges },
    { ...common, name: vmName(name, "nodes"), description: `Burla cluster ${name}: its nodes reach its main service`, sourceTags: [nodeTag(name)] },
  ];
}

export function mainVm({ spec, project, zone, ownerHash, programsHash, endpoint }: MainVmOptions): object {
  const { gce, name, groups } = spec;
  // Paths begin at the state folder of the VM.
  const config = {
    directory: "state", spec, version: VERSION, build: BUILD,
    nodeProgram: "package/dist/services/node.mjs", workerProgram: "package/dist/services/worker.mjs", pythonWorkerProgram: "package/dist/python", clientPackage: "package",
    vm: { port: gce.port, ownerHash, programs: "programs.tgz", programsHash, endpoint, pricePerHour: mainPrice(spec) ?? 0 },
  };
  return instanceResource({
    name: mainVmName(name), cluster: name, role: "main", group: null, zone, machineType: gce.main.machineType, isSpot: false, gpu: null,
    diskGiB: gce.main.diskGiB, diskType: MAIN_DISK, bootImage: groups[0]?.bootImage ?? "", network: gce.network, subnetwork: gce.subnetwork, hasExternalAddress: gce.externalAddresses, tag: mainTag(name),
    serviceAccount: serviceAccountEmail(gce.serviceAccounts.main, project),
    metadata: {
      [METADATA.script]: service("boot.sh"),
      [METADATA.receiver]: service("receive.mjs"),
      [METADATA.config]: JSON.stringify(config),
      [METADATA.programs]: programsHash,
      [METADATA.image]: gce.serviceImage,
      [METADATA.port]: String(gce.port),
      [METADATA.guestAttributes]: "TRUE",
      ...(endpoint !== null && { [METADATA.api]: endpoint }),
    },
  });
}

function service(name: string): string {
  return readFileSync(ownFile(`services/${name}`), "utf8");
}
