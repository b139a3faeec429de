/**
 * Memory limits for processes without a container: the operating system has no limit that a process group obeys, so
 * resident memory is measured, and the worker that is over its limit is killed and reported as such.
 */
import { readProc, withDescendants } from "./descendants.ts";

const SAMPLE_MS = 100;
const KIB_PER_MIB = 1024;

export interface Watched {
  readonly exceeded: boolean;
  /** Ends the watch. @returns the highest value seen, in MiB. */
  stop(): number;
}

interface Entry {
  readonly pid: number;
  readonly limitMiB: number;
  readonly onExceeded: () => void;
  peakMiB: number;
  exceeded: boolean;
}

export class MemoryWatch {
  readonly #entries = new Set<Entry>();
  #timer: NodeJS.Timeout | undefined;

  add(pid: number, limitMiB: number, onExceeded: () => void): Watched {
    const entry: Entry = { pid, limitMiB, onExceeded, peakMiB: 0, exceeded: false };
    this.#entries.add(entry);
    this.#timer ??= setInterval(() => this.#sample(), SAMPLE_MS).unref();
    return {
      get exceeded() {
        return entry.exceeded;
      },
      stop: () => {
        this.#remove(entry);
        return entry.peakMiB;
      },
    };
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry);
    if (this.#entries.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #sample(): void {
    for (const entry of this.#entries) {
      const mib = residentMiB(entry.pid);
      entry.peakMiB = Math.max(entry.peakMiB, mib);
      if (mib <= entry.limitMiB || entry.exceeded) continue;
      entry.exceeded = true;
      entry.onExceeded();
    }
  }
}

/**
 * Resident memory of a process and all its descendants, by the kernel's own account; 0 where it cannot be read (no
 * /proc, or the process is gone). What several of them share is counted for each.
 */
function residentMiB(pid: number): number {
  let kib = 0;
  for (const each of withDescendants(pid)) kib += Number(/^VmRSS:\s+(\d+) kB/m.exec(readProc(each, "status"))?.[1] ?? 0);
  return Math.round(kib / KIB_PER_MIB);
}
