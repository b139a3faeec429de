/** What machines of Compute Engine hold and cost, by `prices.json`. No list of ours is a bill: it says its date and source. */
import prices from "./prices.json" with { type: "json" };

const MIB_PER_GIB = 1024;

export interface MachineSize {
  readonly cpu: number;
  readonly ramMiB: number;
}

/** What the price of a VM depends on. */
export interface PricedMachine {
  readonly machineType: string;
  readonly isSpot: boolean;
  readonly gpu: { readonly type: string; readonly count: number } | null;
  readonly diskGiB: number;
  readonly diskType: string;
}

/** When the prices were entered, for which region, and where they are from. */
export const PRICES = { date: prices.date, region: prices.region, source: prices.source };

interface Known extends MachineSize {
  readonly hour: number;
  readonly spotShare: number;
}

/** @returns null for a machine type that the list does not know. */
export function machineSize(machineType: string): MachineSize | null {
  const known = find(machineType);
  return known === null ? null : { cpu: known.cpu, ramMiB: known.ramMiB };
}

/** US dollars for one hour, disk and external address included; null where the list does not know a part. */
export function machinePrice({ machineType, isSpot, gpu, diskGiB, diskType }: PricedMachine): number | null {
  const machine = find(machineType);
  const disk = valueOf(prices.diskGibHour, diskType);
  const card = gpu === null ? { hour: 0, spotShare: 1 } : valueOf(prices.gpus, gpu.type);
  if (machine === null || disk === undefined || card === undefined) return null;
  const share = (spotShare: number) => (isSpot ? spotShare : 1);
  const address = isSpot ? prices.addressHour.spot : prices.addressHour.full;
  return machine.hour * share(machine.spotShare) + card.hour * share(card.spotShare) * (gpu?.count ?? 0) + disk * diskGiB + address;
}

/** Named ones, and `FAMILY-CPUS`. */
function find(machineType: string): Known | null {
  const shared = valueOf(prices.shared, machineType);
  if (shared !== undefined) return shared;
  const [, name = "", cpus] = /^(.*)-(\d+)$/.exec(machineType) ?? [];
  const family = valueOf(prices.families, name);
  if (family === undefined) return null;
  const cpu = Number(cpus);
  const gib = cpu * family.gibPerCpu;
  return { cpu, ramMiB: gib * MIB_PER_GIB, hour: cpu * family.cpuHour + gib * family.gibHour, spotShare: family.spotShare };
}

function valueOf<Value>(table: Record<string, Value>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
