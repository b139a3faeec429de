/**
 * One main per state folder. The lock is the file `main.lock.N` with the highest N; its content is the pid of its
 * holder and what tells that process apart from a later one with this pid. A dead holder is succeeded by linking N + 1, which is atomic, so one of several successors wins; a lock is never
 * taken away from its name, because whoever decided to do so may have decided on the lock before it.
 */
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processStamp } from "./process-stamp.ts";

const NAME = /^main\.lock\.(\d+)$/;
const SCRATCH = /^main\.lock\.by-(\d+)$/;
/** Others that succeed a dead holder at the same moment and die themselves. */
const MAX_TRIES = 10;

/** @returns false when another living main holds it. */
export function acquireLock(directory: string): boolean {
  const mine = scratchFile(directory);
  writeFileSync(mine, `${process.pid} ${processStamp(process.pid)}`, { mode: 0o600 });
  try {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const last = lastNumber(directory);
      if (last > 0 && isHeld(holderOf(directory, last))) return false;
      if (succeed(directory, mine, last + 1)) return true;
    }
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** The numbers go on from here: a successor that looked before this must not find its number free. */
export function releaseLock(directory: string): void {
  const last = lastNumber(directory);
  if (holderOf(directory, last).pid !== process.pid) return;
  writeFileSync(scratchFile(directory), "0", { mode: 0o600 });
  renameSync(scratchFile(directory), pathOf(directory, last));
}

/** @returns the pid of the main that holds the folder; null when none does. */
export function lockHolder(directory: string): number | null {
  const holder = holderOf(directory, lastNumber(directory));
  return isHeld(holder) ? holder.pid : null;
}

interface Holder {
  readonly pid: number;
  /** Empty where the system did not tell it. */
  readonly stamp: string;
}

function isHeld({ pid, stamp }: Holder): boolean {
  return isAlive(pid) && (stamp === "" || stamp === processStamp(pid));
}

function succeed(directory: string, mine: string, number: number): boolean {
  if (!tryLink(mine, pathOf(directory, number))) return false;
  // A number below the highest can be free again: its file was removed by a holder that came later.
  if (lastNumber(directory) !== number) {
    rmSync(pathOf(directory, number), { force: true });
    return false;
  }
  for (const older of numbersIn(directory)) {
    if (older < number) rmSync(pathOf(directory, older), { force: true });
  }
  removeScratchFiles(directory);
  return true;
}

/** Of mains that were killed while they tried to get the lock. */
function removeScratchFiles(directory: string): void {
  for (const name of readdirSync(directory)) {
    const pid = SCRATCH.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(directory, name), { force: true });
  }
}

function pathOf(directory: string, number: number): string {
  return join(directory, `main.lock.${number}`);
}

function scratchFile(directory: string): string {
  return join(directory, `main.lock.by-${process.pid}`);
}

function numbersIn(directory: string): number[] {
  return readdirSync(directory).flatMap((name) => Number(NAME.exec(name)?.[1] ?? 0) || []);
}

function lastNumber(directory: string): number {
  return Math.max(0, ...numbersIn(directory));
}

function holderOf(directory: string, number: number): Holder {
  try {
    const [pid = "", ...stamp] = readFileSync(pathOf(directory, number), "utf8").split(" ");
    return { pid: Number(pid), stamp: stamp.join(" ") };
  } catch {
    return { pid: 0, stamp: "" };
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Whether a process with this id runs. A process of another user counts as running, one that waits to be reaped does not. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** In a container nobody may reap what a parent left behind. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return false;
  }
}
