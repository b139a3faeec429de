/** Where the next VM of a group may be made, and what is avoided for a while because it was refused. Pure. */
import { cpuQuota, machinePrice, regionOf, type GceFailure, type NodeGroup } from "@burla/protocol";

const MINUTE_MS = 60_000;
/** A zone without machines is asked again after this long, and ever later. */
const FIRST_STOCKOUT_MS = 2 * MINUTE_MS;
const MAX_AVOID_MS = 30 * MINUTE_MS;
/** A zone whose operations keep failing is left alone for this long, and ever longer. */
const FIRST_FAULT_MS = MINUTE_MS;
/** A quota frees itself when somebody else's machines go. */
const FIRST_QUOTA_MS = MINUTE_MS;
/** What is refused as such is asked again, in case somebody has mended it. */
const REFUSED_MS = 2 * MINUTE_MS;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = MINUTE_MS;

export interface Place {
  readonly zone: string;
  readonly isSpot: boolean;
  readonly pricePerHour: number;
}

interface Avoidance {
  readonly untilMs: number;
  readonly lastMs: number;
  readonly failure: GceFailure;
}

/** By what is avoided: a zone for a machine type, now or for good, or a quota of a region. */
export type Avoided = Map<string, Avoidance>;
/** By group: what is wrong with its requests as such. */
export type Failures = Map<string, { readonly untilMs: number; readonly failure: GceFailure }>;

interface Memory {
  readonly avoided: Avoided;
  readonly failures: Failures;
}

/** Zones in order; where spot is preferred, all of them as spot before any at the full price. Null: none for now. */
export function nextPlace({ avoided, failures }: Memory, group: NodeGroup, nowMs: number): Place | null {
  if ((failures.get(group.name)?.untilMs ?? 0) > nowMs) return null;
  for (const isSpot of spotOrder(group)) {
    for (const zone of group.zones) {
      if (!isAvoided({ avoided }, group, { zone, isSpot }, nowMs)) return { zone, isSpot, pricePerHour: priceOf(group, isSpot) };
    }
  }
  return null;
}

export function noteFailure({ avoided, failures }: Memory, group: NodeGroup, { zone, isSpot }: Pick<Place, "zone" | "isSpot">, failure: GceFailure, nowMs: number): void {
  const [stock, quota, lack] = keysOf(group, zone, isSpot);
  if (failure.kind === "unsupported") noteLack({ avoided, failures }, group, lack, failure, nowMs);
  else if (isFault(failure)) noteFault(avoided, stock, failure, nowMs);
  else if (failure.kind === "stockout") avoid(avoided, stock, FIRST_STOCKOUT_MS, failure, nowMs);
  else if (failure.kind === "quota") avoid(avoided, quota, FIRST_QUOTA_MS, failure, nowMs);
  else failures.set(group.name, { untilMs: nowMs + REFUSED_MS, failure });
}

/** Made there, a VM shows that the zone's operations succeed again. */
export function noteSuccess({ avoided, failures }: Memory, group: NodeGroup, { zone, isSpot }: Pick<Place, "zone" | "isSpot">): void {
  const [stock] = keysOf(group, zone, isSpot);
  const known = avoided.get(stock);
  if (known !== undefined && isFault(known.failure)) avoided.delete(stock);
  failures.delete(group.name);
}

export function isAvoided({ avoided }: Pick<Memory, "avoided">, group: NodeGroup, { zone, isSpot }: Pick<Place, "zone" | "isSpot">, nowMs: number): boolean {
  return keysOf(group, zone, isSpot).some((key) => (avoided.get(key)?.untilMs ?? 0) > nowMs);
}

/** The reason passes by itself. */
export function passes({ kind }: GceFailure): boolean {
  return kind === "transient" || kind === "rate-limit";
}

function isFault(failure: GceFailure): boolean {
  return passes(failure) && failure.isOfOperation === true;
}

/** Once is chance: only counted. Twice, and others are tried before this zone is. */
function noteFault(avoided: Avoided, key: string, failure: GceFailure, nowMs: number): void {
  if (avoided.has(key)) avoid(avoided, key, FIRST_FAULT_MS, failure, nowMs);
  else avoided.set(key, { untilMs: nowMs, lastMs: FIRST_FAULT_MS / 2, failure });
}

/** Other zones may have it; where none has, the group is at fault. */
function noteLack(memory: Memory, group: NodeGroup, key: string, failure: GceFailure, nowMs: number): void {
  const untilMs = nowMs + MAX_AVOID_MS;
  memory.avoided.set(key, { untilMs, lastMs: MAX_AVOID_MS, failure });
  const lacks = (zone: string) => keysOf(group, zone, false).some((candidate) => memory.avoided.get(candidate)?.failure.kind === "unsupported");
  if (group.zones.every(lacks)) memory.failures.set(group.name, { untilMs, failure: { ...failure, message: `none of its zones has ${kindOf(group)} (${failure.message})` } });
}

/** Twice as long as the last time. */
function avoid(avoided: Avoided, key: string, firstMs: number, failure: GceFailure, nowMs: number): void {
  const lastMs = Math.min(MAX_AVOID_MS, (avoided.get(key)?.lastMs ?? firstMs / 2) * 2);
  avoided.set(key, { untilMs: nowMs + lastMs, lastMs, failure });
}

/** What was refused long ago counts no more. */
export function forgetOld(avoided: Avoided, nowMs: number): void {
  for (const [key, { untilMs }] of avoided) if (untilMs + MAX_AVOID_MS < nowMs) avoided.delete(key);
}

/** With the same request, which is harmless however often it is sent. */
export function retryDelayMs(tries: number): number {
  return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(tries - 1, 10));
}

/** Of one VM, as far as it is known; else nothing, so that a budget is not the reason that nothing runs. */
export function priceOf(group: NodeGroup, isSpot: boolean): number {
  const { machineType, gpu, diskGiB, diskType, pricePerHour } = group;
  return pricePerHour ?? machinePrice({ machineType: machineType ?? "", isSpot, gpu, diskGiB, diskType }) ?? 0;
}

function spotOrder({ spot }: NodeGroup): boolean[] {
  if (spot === "only") return [true];
  return spot === "preferred" ? [true, false] : [false];
}

function kindOf({ machineType, gpu }: NodeGroup): string {
  return `${machineType ?? ""}${gpu === null ? "" : `+${gpu.type}`}`;
}

function keysOf(group: NodeGroup, zone: string, isSpot: boolean): [stock: string, quota: string, lack: string] {
  const { machineType, gpu } = group;
  const kind = kindOf(group);
  return [`${kind} ${zone} ${isSpot ? "spot" : "full"}`, `${regionOf(zone)} ${cpuQuota(machineType ?? "", isSpot)}${gpu === null ? "" : ` ${gpu.type}`}`, `${kind} ${zone} any`];
}
