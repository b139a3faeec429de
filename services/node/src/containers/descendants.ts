/**
 * What a worker has started, as the kernel tells it: a container would end all of it, a process group ends only those
 * that stayed in the group. Where there is no /proc, nothing is found.
 */
import { readdirSync, readFileSync } from "node:fs";

/** Fields of `/proc/PID/stat`, counted behind the command's name: page faults of children that have ended, */
const CHILD_FAULTS_FIELD = 11 - 3;
/** and when it has started. */
const START_FIELD = 22 - 3;
/** A program starts within a few milliseconds, which is one look or two; what never has an environment is not waited for. */
const MAX_LOOKS = 10;

/** The variable that names its worker to each process that a worker starts. */
export const WORKER_VARIABLE = "BURLA_WORKER_ID";

/** Children belong to the thread that spawned them; Node's main thread is looked at alone, all would cost ten times as much. */
export function* withDescendants(pid: number): Generator<number> {
  yield pid;
  for (const child of readProc(pid, `task/${pid}/children`).split(" ")) {
    if (child !== "") yield* withDescendants(Number(child));
  }
}

/** Whether a living process has, or has had, a child: else there is nothing of it to look for. */
export function hasHadChildren(pid: number): boolean {
  const childFaults = statFields(pid)[CHILD_FAULTS_FIELD];
  if (childFaults === undefined || childFaults !== "0") return true;
  return tasksOf(pid).some((task) => readProc(pid, `task/${task}/children`) !== "");
}

/**
 * Ends what workers have started and left behind, whatever its group and parent is. Takes about 20 us per process of the
 * machine, and looks again while it finds something: a process forked meanwhile is not in the list that was read, and one
 * that is becoming another program has no environment to be read for a moment.
 */
export function killLeftBehind(workerIds: readonly string[]): void {
  if (workerIds.length === 0) return;
  const entries = workerIds.map((id) => `${WORKER_VARIABLE}=${id}`);
  const killed = new Set<number>([process.pid]);
  for (let look = 0; look < MAX_LOOKS && killMarked(entries, killed); look++);
}

/** @returns whether there may be more. */
function killMarked(entries: readonly string[], killed: Set<number>): boolean {
  let mayBeMore = false;
  for (const pid of pidsOf("/proc")) {
    if (killed.has(pid)) continue;
    const environment = readProc(pid, "environ");
    const isMarked = environment !== "" && environment.split("\0").some((entry) => entries.includes(entry));
    if (isMarked) kill(pid);
    if (isMarked) killed.add(pid);
    mayBeMore ||= isMarked || (environment === "" && isBecomingAnotherProgram(pid));
  }
  return mayBeMore;
}

/** Younger than this process, with memory of its own, which threads of the kernel and the dead have not. */
function isBecomingAnotherProgram(pid: number): boolean {
  const pages = readProc(pid, "statm");
  return pages !== "" && !pages.startsWith("0 ") && startOf(pid) >= startOf(process.pid);
}

/** In ticks since the machine has started. */
function startOf(pid: number): number {
  return Number(statFields(pid)[START_FIELD] ?? 0);
}

/** Fields of `/proc/PID/stat` behind the command's name, which may hold anything. */
function statFields(pid: number): string[] {
  const stat = readProc(pid, "stat");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** A file of `/proc/PID`; empty when the process is gone, or there is no /proc. */
export function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}

function tasksOf(pid: number): number[] {
  return pidsOf(`/proc/${pid}/task`);
}

function pidsOf(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter((pid) => pid > 0);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
