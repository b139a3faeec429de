/** One main per state folder: a file with the pid of its holder, made by an atomic link. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @returns false when another living main holds it. */
export function acquireLock(directory: string): boolean {
  const lock = join(directory, "main.lock");
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, String(process.pid), { mode: 0o600 });
  try {
    for (let tries = 0; tries < 10; tries++) {
      if (tryLink(mine, lock)) return true;
      if (isAlive(Number(readText(lock)))) return false;
      takeAway(lock);
    }
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

export function releaseLock(directory: string): void {
  const lock = join(directory, "main.lock");
  if (readText(lock) === String(process.pid)) rmSync(lock, { force: true });
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

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Renaming is atomic: of several that find the same stale lock, one takes it away. */
function takeAway(lock: string): void {
  const stale = `${lock}.stale.${process.pid}`;
  try {
    renameSync(lock, stale);
    rmSync(stale, { force: true });
  } catch {
    // Another was faster.
  }
}

/** Whether a process with this id runs. A process of another user counts as running. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
