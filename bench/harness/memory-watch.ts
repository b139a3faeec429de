import { memoryOf, nameOf, type Memory, type ProcessGroup } from "./processes.ts";

const EVERY_MS = 50;

interface Seen {
  readonly name: string;
  readonly first: Memory;
  peakKiB: number;
}

/** How far one process grew beyond what it had when the work began. */
export interface Growth {
  readonly pid: number;
  readonly name: string;
  readonly mib: number;
}

/** Watches the resident memory of every process of a system from now on. */
export class MemoryWatch {
  private readonly seen = new Map<number, Seen>();
  private readonly group: ProcessGroup;
  private readonly timer: NodeJS.Timeout;

  constructor(group: ProcessGroup) {
    this.group = group;
    this.sample();
    this.timer = setInterval(() => this.sample(), EVERY_MS);
  }

  private sample(): void {
    for (const pid of this.group.alive()) {
      const memory = memoryOf(pid);
      if (memory === undefined) continue;
      const seen = this.seen.get(pid) ?? { name: nameOf(pid), first: memory, peakKiB: 0 };
      this.seen.set(pid, seen);
      // The kernel's own peak catches what falls between two samples, once it has risen above that of the start.
      const peak = memory.peakKiB > seen.first.peakKiB ? memory.peakKiB : memory.residentKiB;
      seen.peakKiB = Math.max(seen.peakKiB, peak);
    }
  }

  /** Ends the watch. The largest growth comes first. */
  stop(): readonly Growth[] {
    this.sample();
    clearInterval(this.timer);
    return [...this.seen]
      .map(([pid, { name, first, peakKiB }]) => ({ pid, name, mib: (peakKiB - first.residentKiB) / 1024 }))
      .sort((a, b) => b.mib - a.mib);
  }
}
