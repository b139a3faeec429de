/** VMs of Compute Engine: carries out what `fleet.ts` decides, and tells it what happens. */
import { randomBytes, randomUUID } from "node:crypto";
import {
  audienceOf, instanceResource, isGceFailure, METADATA, namedKinds, nodeTag, serviceAccountEmail, type ClusterSpec, type NodeGroup, type NodeId,
} from "@burla/protocol";
import type { Compute } from "@burla/protocol/gce";
import type { Machine, MachineProvider, Machines, NodeDemand, WorkerSize } from "../provider.ts";
import { costPerHour, createFleet, stepFleet, wantedNodes, type Fleet, type FleetEvent, type Vm } from "./fleet.ts";
import { troublesOf } from "./troubles.ts";

/** What is there is looked at this often: VMs that somebody else removed, or Google. */
const LOOK_MS = 30_000;
const TICK_MS = 1_000;
const BOOT_MS = 10 * 60_000;
const SILENT_MS = 2 * 60_000;
/** How long main waits for VMs to go; whoever ends the cluster looks after them once more. */
const STOP_MS = 5 * 60_000;

export interface GceProviderOptions {
  readonly spec: ClusterSpec;
  readonly version: string;
  readonly project: string;
  readonly compute: Pick<Compute, "insertVm" | "deleteVm" | "listVms">;
  /** How its VMs reach main. */
  readonly main: { readonly address: string; readonly port: number; readonly certificate: string };
  readonly programsHash: string;
  readonly bootScript: string;
  /** Another API than Google's. */
  readonly endpoint: string | null;
  readonly mainPricePerHour: number;
  readonly demands: () => readonly NodeDemand[];
  readonly busy: () => ReadonlySet<NodeId>;
  readonly onGone: (nodeId: NodeId) => void;
  readonly onChange: () => void;
  readonly log: { info(fields: object, text: string): void; error(fields: object, text: string): void };
}

export class GceProvider implements MachineProvider {
  readonly largestWorker: WorkerSize;
  readonly #options: GceProviderOptions;
  readonly #fleet: Fleet;
  readonly #timers = new Set<NodeJS.Timeout>();
  #onEmpty: (() => void) | undefined;
  #isLooking = false;

  constructor(options: GceProviderOptions) {
    const { spec, mainPricePerHour } = options;
    this.#options = options;
    this.largestWorker = { cpu: Math.max(...spec.groups.map(({ cpu }) => cpu)), ramMiB: Math.max(...spec.groups.map(({ ramMiB }) => ramMiB)) };
    this.#fleet = createFleet({
      cluster: spec.name, groups: spec.groups, budgetPerHour: spec.budgetPerHour, mainPricePerHour,
      growNodes: spec.grow.nodes, growIdleMs: spec.grow.idleMinutes * 60_000, bootMs: BOOT_MS, silentMs: SILENT_MS,
    });
  }

  start(): void {
    void this.#look();
    this.#timers.add(setInterval(() => void this.#look(), LOOK_MS));
    this.#timers.add(setInterval(() => this.#handle({ type: "tick", busy: this.#options.busy(), demands: this.#options.demands() }), TICK_MS));
  }

  machineOf(nodeId: NodeId): Machine {
    const vm = this.#vmOf(nodeId);
    const group = this.#options.spec.groups.find(({ name }) => name === vm?.group);
    const where = vm === undefined ? "" : ` ${vm.zone}${vm.isSpot ? " spot" : ""}`;
    return { provider: "gce", machineType: `${group?.machineType ?? "VM"}${where}` };
  }

  joined(nodeId: NodeId): void {
    this.#handle({ type: "joined", nodeId });
  }

  /** A node's connection is gone: perhaps its VM is, which a look tells. */
  check(nodeId: NodeId): void {
    this.#handle({ type: "lost", nodeId });
    void this.#look();
  }

  /** The network may be at fault: a VM that is heard of again in time is kept. */
  replace(nodeId: NodeId): void {
    this.check(nodeId);
  }

  /** The node that a VM of this name is to run; null for one that main has not made. */
  nodeOf(vmName: string): NodeId | null {
    const vm = this.#fleet.vms.get(vmName);
    return vm === undefined || vm.phase === "deleting" ? null : vm.nodeId;
  }

  get machines(): Machines {
    const phases = [...this.#fleet.vms.values()].map(({ phase }) => phase);
    return {
      wanted: [...wantedNodes(this.#fleet).values()].reduce((sum, count) => sum + count, 0),
      booting: phases.filter((phase) => phase === "creating" || phase === "booting").length,
      troubles: troublesOf(this.#fleet, performance.now()),
      costPerHour: costPerHour(this.#fleet),
    };
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    const late = setTimeout(() => this.#onEmpty?.(), STOP_MS);
    const again = setInterval(() => void this.#look(), TICK_MS);
    this.#handle({ type: "stop" });
    await empty;
    clearTimeout(late);
    clearInterval(again);
  }

  #vmOf(nodeId: NodeId): Vm | undefined {
    return [...this.#fleet.vms.values()].find((vm) => vm.nodeId === nodeId);
  }

  #handle(event: FleetEvent): void {
    const before = JSON.stringify(this.machines);
    const world = { nowMs: performance.now(), newSuffix, newRequestId: randomUUID };
    for (const command of stepFleet(this.#fleet, event, world)) {
      if (command.type === "gone") this.#options.onGone(command.nodeId);
      else void (command.type === "insert" ? this.#insert(command.vm) : this.#delete(command.vm));
    }
    if (JSON.stringify(this.machines) !== before) this.#options.onChange();
    if (this.#fleet.isStopping && this.#fleet.isKnown && this.#fleet.vms.size === 0) this.#onEmpty?.();
  }

  async #insert({ name, zone, requestId }: Vm): Promise<void> {
    const { compute, log } = this.#options;
    const vm = this.#fleet.vms.get(name);
    const group = this.#options.spec.groups.find((candidate) => candidate.name === vm?.group);
    if (vm === undefined || group === undefined) return;
    log.info({ vm: name, zone, isSpot: vm.isSpot }, "makes a VM");
    try {
      await compute.insertVm(zone, this.#resourceOf(vm, group), requestId);
      this.#handle({ type: "inserted", name });
    } catch (error) {
      const failure = failureOf(error);
      log.error({ vm: name, zone, ...failure }, "a VM could not be made");
      this.#handle({ type: "insertFailed", name, failure });
    }
  }

  async #delete({ name, zone, requestId }: Vm): Promise<void> {
    const { compute, log } = this.#options;
    log.info({ vm: name }, "removes a VM");
    try {
      await compute.deleteVm(zone, name, requestId);
      this.#handle({ type: "deleted", name });
    } catch (error) {
      this.#handle({ type: "deleteFailed", name, failure: failureOf(error) });
    }
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const askedMs = performance.now();
      const instances = await this.#options.compute.listVms(this.#options.spec.name);
      this.#handle({ type: "observed", instances: instances.filter(({ role }) => role === "node"), askedMs });
    } catch (error) {
      this.#options.log.error(failureOf(error), "the VMs could not be listed");
    } finally {
      this.#isLooking = false;
    }
  }

  #resourceOf(vm: Vm, group: NodeGroup): object {
    const { spec, main, endpoint, project, bootScript, programsHash } = this.#options;
    const { network, subnetwork, externalAddresses: hasExternalAddress, serviceAccounts, serviceImage } = spec.gce;
    const metadata = {
      [METADATA.script]: bootScript,
      [METADATA.config]: JSON.stringify(this.#nodeConfig(vm, group)),
      [METADATA.programs]: programsHash,
      [METADATA.image]: serviceImage,
      ...(spec.containers.runtime === "docker" && { [METADATA.engine]: "TRUE" }),
      [METADATA.main]: main.address,
      [METADATA.port]: String(main.port),
      [METADATA.certificate]: main.certificate,
      [METADATA.audience]: audienceOf(spec.name),
      ...(endpoint !== null && { [METADATA.api]: endpoint }),
    };
    return instanceResource({
      name: vm.name, cluster: spec.name, role: "node", group: group.name, zone: vm.zone, machineType: group.machineType ?? "", isSpot: vm.isSpot, gpu: group.gpu,
      diskGiB: group.diskGiB, diskType: group.diskType, bootImage: group.bootImage, network, subnetwork, hasExternalAddress, tag: nodeTag(spec.name),
      serviceAccount: serviceAccountEmail(serviceAccounts.node, project), metadata,
    });
  }

  /** Paths begin at the state folder of the VM. */
  #nodeConfig({ nodeId }: Vm, { cpu, ramMiB }: NodeGroup): object {
    const { spec, version, main } = this.#options;
    const { runtime, network, scratchMiB, maxProcesses } = spec.containers;
    return {
      nodeId, directory: "state", connectionFile: "", workerProgram: "package/dist/services/worker.mjs", pythonWorkerProgram: "package/dist/python", python: "python3", clientPackage: "package",
      cpu, ramMiB, maxCpu: cpu, maxRamMiB: ramMiB,
      containers: { runtime, network, scratchMiB, maxProcesses },
      warm: namedKinds(spec.containers, version).map(({ warmPerCpu, ...kind }) => ({ ...kind, count: Math.round(warmPerCpu * cpu) })),
      orphanMs: spec.gce.orphanMinutes * 60_000,
      aloneMs: spec.firestore.aloneMinutes * 60_000,
      vm: { url: `https://${main.address}:${main.port}`, certificate: main.certificate, audience: audienceOf(spec.name) },
    };
  }
}


function failureOf(error: unknown) {
  if (isGceFailure(error)) return { kind: error.kind, message: error.message, isOfOperation: error.isOfOperation };
  return { kind: "transient" as const, message: error instanceof Error ? error.message : String(error) };
}

const LETTERS = "abcdefghjkmnpqrstvwxyz0123456789";

function newSuffix(): string {
  return [...randomBytes(6)].map((byte) => LETTERS[byte % LETTERS.length] ?? "").join("");
}
