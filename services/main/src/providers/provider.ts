/** The port to whatever makes machines. */
import type { NodeId } from "@burla/protocol";

/** What one worker may have at most. */
export interface WorkerSize {
  readonly cpu: number;
  readonly ramMiB: number;
}

/** What a node runs on, for people. */
export interface Machine {
  /** Such as `local`. */
  readonly provider: string;
  /** What the provider calls this kind of machine. */
  readonly machineType: string;
}

export interface MachineProvider {
  /** The largest worker that any of its machines can hold, whether or not one runs now. */
  readonly largestWorker: WorkerSize;
  /** Brings up what the cluster spec asks for; machines that an earlier main left are taken over. */
  start(): void;
  machineOf(nodeId: NodeId): Machine;
  /** A node's connection is gone: is its machine? Reports it through `onGone` if so. */
  check(nodeId: NodeId): void;
  /** Removes all machines. Resolves when they are gone. */
  stop(): Promise<void>;
}
