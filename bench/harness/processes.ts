/** What `/proc` says about the processes of one system. Linux only. */
import { readdirSync, readFileSync } from "node:fs";

/** A variable that a runner gets and its children inherit, so that daemons which left its process tree are found too. */
export const MARK = "BENCH_RUN";

/** Clock ticks a second in `/proc`; fixed at 100 in every Linux user interface. */
const TICKS_PER_SECOND = 100;

export interface Memory {
  readonly residentKiB: number;
  readonly peakKiB: number;
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return undefined;
  }
}

/** Fields of a `stat` line after the program's name, which may hold blanks and brackets itself. */
function statFields(pid: number): readonly string[] | undefined {
  const stat = readProc(`${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Finds the processes of one run, and remembers who was found: a child of a known process belongs to it as well. */
export class ProcessGroup {
  private readonly members = new Set<number>();
  private readonly mark: string;

  /** `runId` may be the beginning that several runs share. */
  constructor(runId: string) {
    this.mark = `${MARK}=${runId}`;
  }

  /** The processes that live now. */
  alive(): readonly number[] {
    const pids = readdirSync("/proc").map(Number).filter((pid) => pid > 0);
    return pids.filter((pid) => {
      const fields = statFields(pid);
      if (fields === undefined || fields[0] === "Z") return false;
      if (!this.members.has(pid) && !this.belongs(pid, Number(fields[1]))) return false;
      this.members.add(pid);
      return true;
    });
  }

  private belongs(pid: number, parent: number): boolean {
    return this.members.has(parent) || (readProc(`${pid}/environ`)?.includes(this.mark) ?? false);
  }

  /** Kills everything that is left, and waits until it is gone. */
  async killAll(): Promise<void> {
    for (let pids = this.alive(); pids.length > 0; pids = this.alive()) {
      for (const pid of pids) tryKill(pid);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in between.
  }
}

/** Processor time of a process since its start, in ms; 0 when it has gone. */
export function cpuMs(pid: number): number {
  const fields = statFields(pid);
  if (fields === undefined) return 0;
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Memory of a process, or undefined when it has gone. */
export function memoryOf(pid: number): Memory | undefined {
  const status = readProc(`${pid}/status`);
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status ?? "")?.[1] ?? NaN);
  const [residentKiB, peakKiB] = [field("VmRSS"), field("VmHWM")];
  return Number.isNaN(residentKiB) ? undefined : { residentKiB, peakKiB };
}

/** A short name for people: program and first argument without their folders. */
export function nameOf(pid: number): string {
  const words = (readProc(`${pid}/cmdline`) ?? "").split("\0").filter((word) => word !== "" && !word.startsWith("-"));
  return words.slice(0, 2).map((word) => word.split("/").at(-1)).join(" ").slice(0, 40);
}

/** Busy time of the whole machine so far, in ms summed over its processors. */
export function machineBusyMs(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (readProc("stat") ?? "")
    .split("\n", 1)[0]!.trim().split(/\s+/).slice(1).map(Number);
  return ((user + nice + system + irq + softirq + steal) * 1000) / TICKS_PER_SECOND;
}
