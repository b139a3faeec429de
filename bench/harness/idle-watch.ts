import { setTimeout as delay } from "node:timers/promises";
import { cpuMs, type ProcessGroup } from "./processes.ts";

const EVERY_MS = 20;
/** Processor time is counted in ticks of 10 ms, so that a shorter slice would say little. */
const SLICE_MS = 100;
/** A system works as long as it takes this share of one processor in a slice. Ray's own services idle at 3 %. */
const BUSY_SHARE = 0.25;
/** How long it must stay below that. */
const CALM_MS = 1_000;

/** Sums the processor time of processes that come and go. */
class CpuMeter {
  private readonly last = new Map<number, number>();
  private totalMs = 0;

  read(pids: readonly number[]): number {
    for (const pid of pids) {
      const before = this.last.get(pid);
      const now = Math.max(cpuMs(pid), before ?? 0);
      this.totalMs += now - (before ?? now);
      this.last.set(pid, now);
    }
    return this.totalMs;
  }
}

/**
 * Milliseconds from the given moment (monotonic clock, ns) until the processes of the system went idle, exact to about
 * a tenth of a second, or undefined when they had not after `giveUpMs`.
 */
export async function idleAfterMs(group: ProcessGroup, sinceNs: number, giveUpMs: number): Promise<number | undefined> {
  const meter = new CpuMeter();
  const slice: { atMs: number; cpuMs: number }[] = [];
  for (let busyUntilMs = 0; ; await delay(EVERY_MS)) {
    const atMs = (Number(process.hrtime.bigint()) - sinceNs) / 1e6;
    const now = { atMs, cpuMs: meter.read(group.alive()) };
    slice.push(now);
    while (slice[1] !== undefined && slice[1].atMs <= atMs - SLICE_MS) slice.shift();
    const begin = slice[0] ?? now;
    if (now.cpuMs - begin.cpuMs >= BUSY_SHARE * SLICE_MS) busyUntilMs = atMs;
    if (atMs - busyUntilMs >= CALM_MS) return busyUntilMs;
    if (atMs >= giveUpMs) return undefined;
  }
}
