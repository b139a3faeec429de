/**
 * The heart of the provider for Compute Engine: which VMs there should be, and what is to be done about it. Pure: state
 * and event in, commands out, with a clock that it is given. `state` is changed in place.
 *
 * A VM, as main sees it:
 *
 *   creating -> booting -> joined -> deleting
 *      |           |          |         ^
 *      +-----------+----------+---------+   refused, silent for too long, gone, idle
 */
import type { GceFailure, NodeGroup, NodeId } from "@burla/protocol";
import { forgetOld, isAvoided, noteFailure, noteSuccess, nextPlace, passes, priceOf, retryDelayMs, type Avoided, type Failures } from "./places.ts";

export interface FleetSpec {
  readonly cluster: string;
  readonly groups: readonly NodeGroup[];
  readonly budgetPerHour: number | null;
  /** Of main's own VM, which is part of the budget. */
  readonly mainPricePerHour: number;
  /** VMs beyond the groups' counts, all together; */
  readonly growNodes: number;
  /** these go after so long without a job. */
  readonly growIdleMs: number;
  /** A VM whose node has not said hello after this long is replaced. */
  readonly bootMs: number;
  /** A VM whose node has been silent for this long is replaced. */
  readonly silentMs: number;
}

export interface Vm {
  readonly name: string;
  readonly nodeId: NodeId;
  readonly group: string;
  readonly zone: string;
  readonly isSpot: boolean;
  /** Of the request that makes it, and later of the one that removes it: sent again, it is the same request. */
  requestId: string;
  phase: "creating" | "booting" | "joined" | "deleting";
  sinceMs: number;
  /** Since when its node has been out of reach. */
  silentSinceMs: number | null;
  /** Since when its node has had no job. */
  idleSinceMs: number;
  /** A request about it is under way. */
  isAsked: boolean;
  tries: number;
  /** When the request is sent again; null while none has failed. */
  retryAtMs: number | null;
}

/** Jobs that may add nodes: so many workers of this size, on so many nodes beyond the spec's. */
export interface Demand {
  readonly workers: number;
  readonly cpu: number;
  readonly ramMiB: number;
  readonly nodes: number;
}

export interface Fleet {
  readonly spec: FleetSpec;
  readonly vms: Map<string, Vm>;
  readonly avoided: Avoided;
  readonly failures: Failures;
  /** Nodes that have said hello and are there, whether or not their VM has been seen. */
  readonly connected: Set<NodeId>;
  demands: readonly Demand[];
  /** The budget kept a VM from being made. */
  isOverBudget: boolean;
  isStopping: boolean;
  /** What is there has been looked at once: before that nothing is made, since it may be there. */
  isKnown: boolean;
}

/** A VM as the API lists it. */
export interface Observed {
  readonly name: string;
  readonly group: string;
  readonly zone: string;
  readonly isSpot: boolean;
  readonly status: string;
}

export type FleetEvent =
  /** `askedMs`: when the list was asked for. What is younger need not be in it. */
  | { readonly type: "observed"; readonly instances: readonly Observed[]; readonly askedMs: number }
  | { readonly type: "inserted"; readonly name: string }
  | { readonly type: "insertFailed"; readonly name: string; readonly failure: GceFailure }
  | { readonly type: "deleted"; readonly name: string }
  | { readonly type: "deleteFailed"; readonly name: string; readonly failure: GceFailure }
  | { readonly type: "joined"; readonly nodeId: NodeId }
  | { readonly type: "lost"; readonly nodeId: NodeId }
  | { readonly type: "tick"; readonly busy: ReadonlySet<NodeId>; readonly demands: readonly Demand[] }
  | { readonly type: "stop" };

export type FleetCommand =
  | { readonly type: "insert"; readonly vm: Vm }
  | { readonly type: "delete"; readonly vm: Vm }
  /** The node is no more: what it held goes back. */
  | { readonly type: "gone"; readonly nodeId: NodeId };

/** What the core cannot make up by itself. */
export interface FleetWorld {
  readonly nowMs: number;
  /** Six small letters and digits. */
  readonly newSuffix: () => string;
  readonly newRequestId: () => string;
}

export function createFleet(spec: FleetSpec): Fleet {
  return { spec, vms: new Map(), avoided: new Map(), failures: new Map(), connected: new Set(), demands: [], isOverBudget: false, isStopping: false, isKnown: false };
}

export function stepFleet(fleet: Fleet, event: FleetEvent, world: FleetWorld): FleetCommand[] {
  const commands: FleetCommand[] = [];
  apply(fleet, event, world, commands);
  forgetOld(fleet.avoided, world.nowMs);
  if (fleet.isKnown) decide(fleet, world, commands);
  return commands;
}

function apply(fleet: Fleet, event: FleetEvent, world: FleetWorld, commands: FleetCommand[]): void {
  switch (event.type) {
    case "observed":
      return observe(fleet, event.instances, event.askedMs, world, commands);
    case "inserted":
      return withVm(fleet, event.name, (vm) => {
        if (vm.phase === "creating") vm.phase = "booting";
        if (vm.phase !== "deleting") vm.sinceMs = world.nowMs;
        settleRequest(vm);
        const group = groupOf(fleet, vm);
        if (group !== undefined) noteSuccess(fleet, group, vm);
      });
    case "insertFailed":
      return withVm(fleet, event.name, (vm) => insertFailed(fleet, vm, event.failure, world));
    case "deleted":
      return withVm(fleet, event.name, (vm) => forget(fleet, vm, commands));
    case "deleteFailed":
      return withVm(fleet, event.name, (vm) => {
        if (event.failure.kind === "not-found") forget(fleet, vm, commands);
        else {
          if (event.failure.isOfOperation === true) vm.requestId = world.newRequestId();
          retryLater(vm, world);
        }
      });
    case "joined":
      fleet.connected.add(event.nodeId);
      return withNode(fleet, event.nodeId, (vm) => {
        vm.silentSinceMs = null;
        if (vm.phase === "creating" || vm.phase === "booting") Object.assign(vm, { phase: "joined", idleSinceMs: world.nowMs });
      });
    case "lost":
      fleet.connected.delete(event.nodeId);
      return withNode(fleet, event.nodeId, (vm) => (vm.silentSinceMs ??= world.nowMs));
    case "tick":
      fleet.demands = event.demands;
      for (const vm of fleet.vms.values()) if (event.busy.has(vm.nodeId)) vm.idleSinceMs = world.nowMs;
      return;
    case "stop":
      fleet.isStopping = true;
  }
}

/** VMs that an earlier main made are taken over; those that are gone, or off, are no more. */
function observe(fleet: Fleet, instances: readonly Observed[], askedMs: number, world: FleetWorld, commands: FleetCommand[]): void {
  const there = new Map(instances.map((instance) => [instance.name, instance]));
  for (const vm of [...fleet.vms.values()]) {
    // A node may join before the request that makes its VM is answered: a list from in between says nothing of it.
    const isMade = !vm.isAsked && (vm.phase === "booting" || vm.phase === "joined");
    if (isMade && vm.sinceMs < askedMs && !there.has(vm.name)) forget(fleet, vm, commands);
  }
  for (const instance of there.values()) {
    const vm = fleet.vms.get(instance.name) ?? adopt(fleet, instance, world);
    const isOff = ["STOPPING", "STOPPED", "TERMINATED", "SUSPENDED"].includes(instance.status);
    if (isOff && vm.phase !== "creating") remove(vm, world, commands);
  }
  fleet.isKnown = true;
}

function adopt(fleet: Fleet, { name, group, zone, isSpot }: Observed, { nowMs, newRequestId }: FleetWorld): Vm {
  const nodeId = nodeIdOf(group, name.split("-").pop() ?? "");
  const vm: Vm = {
    name, group, zone, isSpot, nodeId, requestId: newRequestId(), phase: fleet.connected.has(nodeId) ? "joined" : "booting",
    sinceMs: nowMs, silentSinceMs: null, idleSinceMs: nowMs, isAsked: false, tries: 0, retryAtMs: null,
  };
  fleet.vms.set(name, vm);
  return vm;
}

/**
 * Where the reason passes by itself the same request is sent again; what its operation has answered it would answer for
 * ever, so that a new request is made, with a new name. Else the place is avoided, and the VM never was.
 */
function insertFailed(fleet: Fleet, vm: Vm, failure: GceFailure, world: FleetWorld): void {
  // Its node was faster than the answer: so the VM is there.
  if (vm.phase === "joined" && (passes(failure) || failure.kind === "exists")) return void settleRequest(vm);
  if (failure.kind === "exists") return void Object.assign(settleRequest(vm), { phase: "booting", sinceMs: world.nowMs });
  if (passes(failure) && failure.isOfOperation !== true) return retryLater(vm, world);
  fleet.vms.delete(vm.name);
  const group = groupOf(fleet, vm);
  if (group === undefined) return;
  noteFailure(fleet, group, vm, failure, world.nowMs);
  if (passes(failure) && !fleet.isStopping && !isAvoided(fleet, group, vm, world.nowMs)) retryLater(newVm(fleet, group, vm, vm.tries, world), world);
}

function decide(fleet: Fleet, world: FleetWorld, commands: FleetCommand[]): void {
  replaceDead(fleet, world, commands);
  removeSurplus(fleet, world, commands);
  fleet.isOverBudget = false;
  if (!fleet.isStopping) for (const group of fleet.spec.groups) makeMissing(fleet, group, world, commands);
  for (const vm of fleet.vms.values()) askAgain(vm, world, commands);
}

function replaceDead({ vms, spec }: Fleet, world: FleetWorld, commands: FleetCommand[]): void {
  for (const vm of vms.values()) {
    const neverCame = vm.phase === "booting" && world.nowMs - vm.sinceMs > spec.bootMs;
    const isSilent = vm.phase === "joined" && vm.silentSinceMs !== null && world.nowMs - vm.silentSinceMs > spec.silentMs;
    if (neverCame || isSilent) remove(vm, world, commands);
  }
}

/** Beyond what is wanted, the ones that have had no job for long enough; all of them when the cluster ends. */
function removeSurplus(fleet: Fleet, world: FleetWorld, commands: FleetCommand[]): void {
  const wanted = wantedNodes(fleet);
  const names = new Set(fleet.spec.groups.map(({ name }) => name));
  for (const vm of fleet.vms.values()) if (fleet.isStopping || !names.has(vm.group)) remove(vm, world, commands);
  for (const { name } of fleet.spec.groups) {
    const members = liveOf(fleet, name);
    const idle = members.filter((vm) => vm.phase === "joined" && world.nowMs - vm.idleSinceMs >= fleet.spec.growIdleMs).sort((a, b) => a.idleSinceMs - b.idleSinceMs);
    for (const vm of idle.slice(0, Math.max(0, members.length - (wanted.get(name) ?? 0)))) remove(vm, world, commands);
  }
}

function makeMissing(fleet: Fleet, group: NodeGroup, world: FleetWorld, commands: FleetCommand[]): void {
  const { spec } = fleet;
  for (let missing = (wantedNodes(fleet).get(group.name) ?? 0) - liveOf(fleet, group.name).length; missing > 0; missing--) {
    const place = nextPlace(fleet, group, world.nowMs);
    if (place === null) return;
    if (spec.budgetPerHour !== null && costPerHour(fleet) + place.pricePerHour > spec.budgetPerHour + 1e-9) {
      fleet.isOverBudget = true;
      return;
    }
    commands.push({ type: "insert", vm: newVm(fleet, group, place, 1, world) });
  }
}

function newVm({ spec, vms }: Fleet, group: NodeGroup, { zone, isSpot }: Pick<Vm, "zone" | "isSpot">, tries: number, { nowMs, newSuffix, newRequestId }: FleetWorld): Vm {
  const suffix = newSuffix();
  const vm: Vm = {
    name: `burla-${spec.cluster}-${suffix}`, nodeId: nodeIdOf(group.name, suffix), group: group.name, zone, isSpot,
    requestId: newRequestId(), phase: "creating", sinceMs: nowMs, silentSinceMs: null, idleSinceMs: nowMs, isAsked: true, tries, retryAtMs: null,
  };
  vms.set(vm.name, vm);
  return vm;
}

function askAgain(vm: Vm, { nowMs }: FleetWorld, commands: FleetCommand[]): void {
  if (vm.isAsked || vm.retryAtMs === null || vm.retryAtMs > nowMs) return;
  vm.isAsked = true;
  vm.tries++;
  vm.retryAtMs = null;
  commands.push({ type: vm.phase === "deleting" ? "delete" : "insert", vm });
}

function remove(vm: Vm, { nowMs, newRequestId }: FleetWorld, commands: FleetCommand[]): void {
  // A request that makes it is under way: it is removed when that has ended.
  if (vm.phase === "deleting" || vm.isAsked) return;
  Object.assign(vm, { phase: "deleting", sinceMs: nowMs, requestId: newRequestId(), isAsked: true, tries: 1, retryAtMs: null });
  commands.push({ type: "delete", vm }, { type: "gone", nodeId: vm.nodeId });
}

function forget(fleet: Fleet, vm: Vm, commands: FleetCommand[]): void {
  fleet.vms.delete(vm.name);
  commands.push({ type: "gone", nodeId: vm.nodeId });
}

function retryLater(vm: Vm, { nowMs }: FleetWorld): void {
  vm.isAsked = false;
  vm.retryAtMs = nowMs + retryDelayMs(vm.tries);
}

function settleRequest(vm: Vm): Vm {
  return Object.assign(vm, { isAsked: false, tries: 0, retryAtMs: null });
}

function groupOf({ spec }: Fleet, vm: Vm): NodeGroup | undefined {
  return spec.groups.find(({ name }) => name === vm.group);
}

function withVm(fleet: Fleet, name: string, act: (vm: Vm) => void): void {
  const vm = fleet.vms.get(name);
  if (vm !== undefined) act(vm);
}

function withNode(fleet: Fleet, nodeId: NodeId, act: (vm: Vm) => void): void {
  for (const vm of fleet.vms.values()) if (vm.nodeId === nodeId) return act(vm);
}

function nodeIdOf(group: string, suffix: string): NodeId {
  return `${group}-${suffix}` as NodeId;
}

const liveOf = ({ vms }: Fleet, group: string): Vm[] => [...vms.values()].filter((vm) => vm.group === group && vm.phase !== "deleting");

/** How many VMs each group should have: its count, and what jobs may add. */
export function wantedNodes({ spec, demands, isStopping }: Fleet): Map<string, number> {
  const wanted = new Map(spec.groups.map(({ name, count }) => [name, isStopping ? 0 : count]));
  let left = isStopping ? 0 : spec.growNodes;
  for (const { workers, cpu, ramMiB, nodes } of demands) {
    const group = spec.groups.find((candidate) => cpu <= candidate.cpu && ramMiB <= candidate.ramMiB);
    if (group === undefined) continue;
    const perNode = Math.max(1, Math.floor(Math.min(group.cpu / cpu, ramMiB === 0 ? Infinity : group.ramMiB / ramMiB) + 1e-9));
    const extra = Math.max(0, Math.min(left, nodes, Math.ceil(workers / perNode) - group.count));
    wanted.set(group.name, (wanted.get(group.name) ?? 0) + extra);
    left -= extra;
  }
  return wanted;
}

/** Of all VMs that are not on their way out, main's own among them. */
export function costPerHour({ spec, vms }: Fleet): number {
  let sum = spec.mainPricePerHour;
  for (const vm of vms.values()) {
    const group = spec.groups.find(({ name }) => name === vm.group);
    if (group !== undefined && vm.phase !== "deleting") sum += priceOf(group, vm.isSpot);
  }
  return sum;
}
