/** Processes of a cluster as the operating system sees them: found by the state folder in their environment. */
import { readdirSync, readFileSync } from "node:fs";

export interface ClusterProcess {
  readonly pid: number;
  readonly role: "main" | "node" | "worker" | "other";
  readonly command: string;
}

const TICKS_PER_SECOND = 100;

/** All living processes whose environment names `marker`, without this one. */
export function processesWith(marker: string): ClusterProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => describe(Number(name), marker) ?? []);
}

function describe(pid: number, marker: string): ClusterProcess | null {
  const environment = read(pid, "environ");
  if (!environment.includes(marker) || stateOf(pid) === "Z") return null;
  const command = read(pid, "cmdline").split("\0").join(" ").trim();
  const isPythonWorker = /dist\/python$/.test(command);
  const role = isPythonWorker ? "worker" : (/services\/(main|node|worker)\.mjs/.exec(command)?.[1] ?? "other");
  return { pid, role: role as ClusterProcess["role"], command };
}

/** Processor time that a process has used so far, in ms; 0 when it is gone. */
export function cpuMsOf(pid: number): number {
  const [, user, system] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(read(pid, "stat")) ?? [];
  return ((Number(user ?? 0) + Number(system ?? 0)) * 1000) / TICKS_PER_SECOND;
}

/** Resident memory in MiB; 0 when the process is gone. */
export function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(pid, "status"))?.[1] ?? 0) / 1024;
}

export function isRunning(pid: number): boolean {
  const state = stateOf(pid);
  return state !== "" && state !== "Z";
}

/** One letter of the kernel, such as `T` for stopped; empty when the process is gone. */
function stateOf(pid: number): string {
  return /\) (\w)/.exec(read(pid, "stat"))?.[1] ?? "";
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
