/** The port to whatever holds a worker: a child process, or a Docker container. One contract suite holds for both. */
import type { WorkerId } from "@burla/protocol";
import type { PrintedFiles } from "./printed.ts";

export interface ContainerOptions {
  readonly workerId: WorkerId;
  readonly runtime: "node" | "python";
  /** The interpreter of a Python worker that is a process; null for the node's own choice. */
  readonly python: string | null;
  /** Null where containers have none. */
  readonly image: string | null;
  /** Where the worker dials, and the secret with which it shows that it is this one. */
  readonly socketPath: string;
  readonly token: string;
  /** Processors that it may use, where the runtime can hold it to them. */
  readonly cpu: number;
  /** Memory of the worker, native memory and its children included. */
  readonly ramMiB: number;
}

/**
 * `ended` by itself, by its node or by somebody else; `engine-stopped`: together with the engine that ran it;
 * `refused`: such a container cannot be started here; `engine-failed`: none can.
 */
export type ExitCause = "ended" | "engine-stopped" | "refused" | "engine-failed";

/** How a worker ended. */
export interface ExitReport {
  readonly cause: ExitCause;
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it was ended from outside, where that is known. */
  readonly why: string | null;
  /** Set when it ended because its memory was used up. */
  readonly outOfMemory: { limitMiB: number; peakMiB: number } | null;
  /** The last of what it wrote to stderr itself, or why it could not be started. */
  readonly stderrTail: string;
}

export interface Container {
  readonly workerId: WorkerId;
  /** 0 where it is no process of this machine that may be signalled. */
  readonly pid: number;
  /** Where it writes lines; to be closed when it has ended. Null for one that was never started. */
  readonly printed: PrintedFiles | null;
  /** Never rejects. What it used of the machine is free again. */
  readonly exited: Promise<ExitReport>;
  /** Asks it to end, and ends it with all its children shortly after. */
  stop(): void;
  /** Ends it with all its children, now. */
  kill(): void;
}

/** A program that is run to its end in the surroundings of workers, such as what packages bring to be run at their installation. */
export interface Task {
  readonly runtime: "node" | "python";
  readonly image: string | null;
  /** The interpreter that a job names; null for the usual one. */
  readonly python: string | null;
  /** `node` and `python3` are those of workers. */
  readonly argv: readonly [string, ...string[]];
  /** Where it works, and may write; null for a scratch folder. */
  readonly folder: string | null;
  /** Folders of the node that it may read. */
  readonly readOnly: readonly string[];
  /** What it is found by when the node service has died. */
  readonly mark: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

export interface TaskOutcome {
  /** Null when a signal ended it, or it could not be started. */
  readonly code: number | null;
  /** The last of what it printed. */
  readonly tail: string;
}

export interface ContainerRuntime {
  /** Whether a container is held to its processors, so that one with another number does not do. */
  readonly limitsCpu: boolean;
  /** Whether workers see this machine as its user does, so that a job may name its interpreter, and bring its caller's environment. */
  readonly sharesMachine: boolean;
  /** What keeps it from starting containers at the moment, for people; empty when nothing does. */
  readonly trouble: string;
  /**
   * Removes what an earlier node service left behind, and sees that containers of all kinds can be started.
   * @throws BurlaError BURLA_CONTAINERS
   */
  prepare(): Promise<void>;
  start(options: ContainerOptions): Container;
  /** Names the surroundings of such workers: another one where other packages may be needed. @throws BurlaError */
  environmentId(workers: Pick<Task, "runtime" | "image" | "python">): Promise<string>;
  /** @throws the signal's reason when it was aborted, BurlaError BURLA_CONTAINERS when nothing can be run. */
  run(task: Task): Promise<TaskOutcome>;
}

/** SIGKILL follows SIGTERM after this long. */
export const KILL_AFTER_MS = 200;
/** V8's heap gets no more than this unless a job asks for more: larger heaps only make a leak take longer. */
const MAX_DEFAULT_HEAP_MIB = 4096;
const STDERR_TAIL_CHARACTERS = 500;

/** The limit of V8's heap for a worker with so much memory. */
export function heapMiBOf(ramMiB: number): number {
  return Math.floor(Math.min(ramMiB, Math.max(MAX_DEFAULT_HEAP_MIB, ramMiB / 2)));
}

/** Whether a worker's last words are V8's, about its heap. */
export function isHeapLimit(stderr: string): boolean {
  return /heap out of memory|Allocation failed/.test(stderr);
}

/** The end of what a worker said, short enough for an error. */
export function tailOf(stderr: string): string {
  return stderr.trim().slice(-STDERR_TAIL_CHARACTERS);
}

/** For the error that the user may see. */
export function describeExit(report: ExitReport): string {
  if (report.outOfMemory !== null) {
    const { limitMiB, peakMiB } = report.outOfMemory;
    return `it ran out of memory (limit ${limitMiB} MiB, peak ${peakMiB} MiB)`;
  }
  if (report.why !== null) return report.why;
  if (report.cause === "refused" || report.cause === "engine-failed") return `its container could not be started: ${report.stderrTail}`;
  if (report.cause === "engine-stopped") return "the Docker Engine stopped";
  const how = report.signal === null ? `it exited with code ${report.code ?? "unknown"}` : `it was killed by ${report.signal}`;
  return report.stderrTail === "" ? how : `${how}; its last words: ${report.stderrTail}`;
}
