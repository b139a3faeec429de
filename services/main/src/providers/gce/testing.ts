/** A fleet on a clock of its own, against a cloud that does as a test says. */
import { parseClusterSpec, type GceFailure, type NodeGroup, type NodeId } from "@burla/protocol";
import { createFleet, stepFleet, type Demand, type Fleet, type FleetCommand, type FleetEvent, type FleetSpec, type Vm } from "./fleet.ts";

export const ZONES = ["us-central1-a", "us-central1-b", "europe-west4-a"];

export function groupOf(changes: Partial<NodeGroup> = {}): NodeGroup {
  const spec = parseClusterSpec({ name: "test", provider: "gce", groups: [{ name: "small", count: 2, machineType: "e2-standard-2", zones: ZONES, ...changes }] });
  return spec.groups[0] as NodeGroup;
}

export function fleetSpec(changes: Partial<FleetSpec> = {}): FleetSpec {
  return { cluster: "test", groups: [groupOf()], budgetPerHour: null, mainPricePerHour: 0, growNodes: 0, growIdleMs: 60_000, bootMs: 600_000, silentMs: 120_000, ...changes };
}

export class TestFleet {
  readonly fleet: Fleet;
  nowMs = 1_000_000;
  #last = 0;

  constructor(spec: Partial<FleetSpec> = {}, { isKnown = true } = {}) {
    this.fleet = createFleet(fleetSpec(spec));
    if (isKnown) this.begin = this.step({ type: "observed", instances: [], askedMs: this.nowMs });
  }

  /** What it did when it had first looked. */
  begin: FleetCommand[] = [];

  step(event: FleetEvent): FleetCommand[] {
    const world = { nowMs: this.nowMs, newSuffix: () => `s${String(++this.#last).padStart(5, "0")}`, newRequestId: () => `request-${++this.#last}` };
    return stepFleet(this.fleet, event, world);
  }

  after(ms: number, { busy = [] as NodeId[], demands = [] as Demand[] } = {}): FleetCommand[] {
    this.nowMs += ms;
    return this.step({ type: "tick", busy: new Set(busy), demands });
  }

  refuse(vm: Vm, kind: GceFailure["kind"], message: string = kind, isOfOperation = false): FleetCommand[] {
    return this.step({ type: "insertFailed", name: vm.name, failure: { kind, message, isOfOperation } });
  }

  /** It is made, and its node says hello. */
  join(vm: Vm): FleetCommand[] {
    return [...this.step({ type: "inserted", name: vm.name }), ...this.step({ type: "joined", nodeId: vm.nodeId })];
  }

  get vms(): Vm[] {
    return [...this.fleet.vms.values()];
  }
}

export function inserted(commands: readonly FleetCommand[]): Vm[] {
  return commands.flatMap((command) => (command.type === "insert" ? [command.vm] : []));
}

export function deleted(commands: readonly FleetCommand[]): Vm[] {
  return commands.flatMap((command) => (command.type === "delete" ? [command.vm] : []));
}
