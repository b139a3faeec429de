/** The port to whatever holds a worker: a child process here, a Docker container elsewhere. */
import type { WorkerId } from "@burla/protocol";

export interface ContainerOptions {
  readonly workerId: WorkerId;
  readonly runtime: "node" | "python";
  /** Where the worker dials, and the secret with which it shows that it is this one. */
  readonly socketPath: string;
  readonly token: string;
  /** Memory of the worker, native memory and its children included. */
  readonly ramMiB: number;
}

/** How a worker ended. */
export interface ExitReport {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it was ended from outside, where that is known. */
  readonly why: string | null;
  /** Set when it ended because its memory was used up. */
  readonly outOfMemory: { limitMiB: number; peakMiB: number } | null;
  /** The last of what it wrote to stderr itself. */
  readonly stderrTail: string;
}

export interface Container {
  readonly workerId: WorkerId;
  readonly pid: number;
  readonly exited: Promise<ExitReport>;
  /** Asks it to end, and ends it with all its children shortly after. */
  stop(): void;
  /** Ends it with all its children, now. */
  kill(): void;
}

export interface ContainerRuntime {
  start(options: ContainerOptions): Container;
}

/** For the error that the user may see. */
export function describeExit(report: ExitReport): string {
  if (report.outOfMemory !== null) {
    const { limitMiB, peakMiB } = report.outOfMemory;
    return `it ran out of memory (limit ${limitMiB} MiB, peak ${peakMiB} MiB)`;
  }
  if (report.why !== null) return report.why;
  const how = report.signal === null ? `it exited with code ${report.code ?? "unknown"}` : `it was killed by ${report.signal}`;
  return report.stderrTail === "" ? how : `${how}; its last words: ${report.stderrTail}`;
}
