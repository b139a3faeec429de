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

/** How it stands with all machines. */
export interface Machines {
  /** Nodes that there should be: by the spec, and by what jobs add. */
  readonly wanted: number;
  /** Asked for, and not a node yet. */
  readonly booting: number;
  /** What keeps machines from being made, for people. */
  readonly troubles: readonly string[];
  /** In US dollars; null where machines cost nothing. */
  readonly costPerHour: number | null;
}

/** A job that may add nodes (its option `grow`): so many workers it could keep busy. */
export interface NodeDemand {
  readonly workers: number;
  readonly cpu: number;
  /** 0: what a node gives. */
  readonly ramMiB: number;
  /** Nodes that it may add at most. */
  readonly nodes: number;
}

export interface MachineProvider {
  /** The largest worker that any of its machines can hold, whether or not one runs now. */
  readonly largestWorker: WorkerSize;
  /**
   * Begins to bring up what the cluster spec asks for; machines that an earlier main left are taken over. From then on
   * it keeps them up, adds what jobs demand, and takes back what nobody uses.
   */
  start(): void;
  readonly machines: Machines;
  machineOf(nodeId: NodeId): Machine;
  /** A node has said hello: this process on its machine. */
  joined(nodeId: NodeId, pid: number): void;
  /** A node hangs: its program, or its machine unless it is heard of soon, is ended with all that it runs, and another takes its place. */
  replace(nodeId: NodeId): void;
  /** A node's connection is gone: is its machine? Reports it through `onGone` if so. */
  check(nodeId: NodeId): void;
  /** Removes all machines. Resolves when they are gone. */
  stop(): Promise<void>;
}
