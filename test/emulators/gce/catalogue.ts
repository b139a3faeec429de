/** What the emulated project has: machine types, zones, quotas. */
import { ApiError, notFound } from "./http.ts";

export const MACHINE_TYPES: Readonly<Record<string, { readonly cpus: number; readonly memoryMb: number }>> = {
  "e2-micro": { cpus: 2, memoryMb: 1024 },
  "e2-small": { cpus: 2, memoryMb: 2048 },
  "e2-medium": { cpus: 2, memoryMb: 4096 },
  "e2-standard-2": { cpus: 2, memoryMb: 8192 },
  "e2-standard-4": { cpus: 4, memoryMb: 16_384 },
  "n1-standard-1": { cpus: 1, memoryMb: 3840 },
  "n1-standard-2": { cpus: 2, memoryMb: 7680 },
  "n2-standard-8": { cpus: 8, memoryMb: 32_768 },
};

export const regionOf = (zone: string) => zone.replace(/-[a-z]$/, "");

export class Quotas {
  readonly #limits = new Map<string, number>();
  readonly #usual: number;

  constructor(usual: number) {
    this.#usual = usual;
  }

  set(region: string, metric: string, limit: number): void {
    this.#limits.set(`${region} ${metric}`, limit);
  }

  limit(region: string, metric: string): number {
    return this.#limits.get(`${region} ${metric}`) ?? this.#usual;
  }
}

export function metricOf(machineType: string, isSpot: boolean): string {
  if (isSpot) return "PREEMPTIBLE_CPUS";
  const family = machineType.split("-")[0] ?? "";
  return family === "e2" || family === "n1" ? "CPUS" : `${family.toUpperCase()}_CPUS`;
}

export function zoneResource(zone: string, zones: readonly string[], link: (path: string) => string): object {
  if (!zones.includes(zone)) throw notFound(`zones/${zone}`);
  return { kind: "compute#zone", name: zone, status: "UP", region: link(`regions/${regionOf(zone)}`), selfLink: link(`zones/${zone}`) };
}

export function machineTypeResource(zone: string, name: string, link: (path: string) => string): object {
  const type = MACHINE_TYPES[name];
  if (type === undefined) throw notFound(`zones/${zone}/machineTypes/${name}`);
  return { kind: "compute#machineType", name, guestCpus: type.cpus, memoryMb: type.memoryMb, zone, selfLink: link(`zones/${zone}/machineTypes/${name}`) };
}

/** The name at the end of `zones/Z/machineTypes/T`, of a type that there is. */
export function machineTypeIn(url: string): string {
  const name = url.split("/").pop() ?? "";
  if (MACHINE_TYPES[name] === undefined) throw new ApiError(400, "invalid", `Invalid value for field 'resource.machineType': '${url}'. The referenced resource does not exist.`);
  return name;
}
