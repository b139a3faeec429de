/** Whether programs of this machine live, of which this process is not the parent. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 20;

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

/** Ended, and its parent has not taken note: such as under a container's init that never does. */
function isZombie(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
