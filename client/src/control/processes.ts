/** Programs of a local cluster, found without asking it: for when it does not answer. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface ClusterProcess {
  readonly pid: number;
  readonly kind: "main" | "node" | "worker";
}

const POLL_MS = 20;

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

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Resolves when all have ended, or with those that are left after the timeout. The operating system tells nobody about
 * the end of a process that is not a child, so it is asked again and again.
 */
export async function untilGone(pids: readonly number[], timeoutMs: number): Promise<number[]> {
  const deadlineMs = performance.now() + timeoutMs;
  for (let left = pids.filter(isAlive); ; left = left.filter(isAlive)) {
    if (left.length === 0 || performance.now() > deadlineMs) return left;
    await sleep(POLL_MS);
  }
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

/** Ended, and its parent has not taken note: such as under a container's init that never does. */
function isZombie(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
