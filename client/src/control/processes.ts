/** Programs of a local cluster, found without asking it: for when it does not answer. */
import { readdirSync, readFileSync } from "node:fs";

export { isAlive, untilGone } from "../process-life.ts";

export interface ClusterProcess {
  readonly pid: number;
  readonly kind: "main" | "node" | "worker";
}

const KINDS = [
  ["main", "BURLA_MAIN="],
  ["node", "BURLA_NODE="],
  ["worker", "BURLA_WORKER_ID="],
] as const;

/** Programs whose environment names the cluster's folder. Empty where there is no /proc. */
export function findProcesses(directory: string): ClusterProcess[] {
  const text = JSON.stringify(directory).slice(1, -1);
  const spellings = ['"', "="].flatMap((before) => ['"', "/"].map((after) => before + text + after));
  return listProc().flatMap((pid) => {
    const environment = readEnvironment(pid).filter((entry) => entry.startsWith("BURLA_"));
    const kind = KINDS.find(([, variable]) => environment.some((entry) => entry.startsWith(variable)))?.[0];
    const isOfCluster = environment.some((entry) => spellings.some((spelling) => entry.includes(spelling)));
    return kind !== undefined && isOfCluster ? [{ pid, kind }] : [];
  });
}

/** Asks it to end, or with SIGKILL ends it. */
export function signalProcess(pid: number, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

function listProc(): number[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
  } catch {
    return [];
  }
}

function readEnvironment(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return [];
  }
}
