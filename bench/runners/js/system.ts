/** What a runner gives to the driver: the lines a user of that system would write. */

export type FunctionName = "noop" | "spin" | "echo" | "print";

export interface StartOptions {
  /** Where a system that another process keeps up can be reached; undefined: start one. */
  readonly address: string | undefined;
  /** The inputs will be too many to queue: the system's own back-pressure is asked for, where it has one. */
  readonly bounded: boolean;
}

export interface Listener {
  result(value: unknown): void;
  error(error: unknown): void;
}

export interface System {
  /** Makes what a user makes once: a pool, a connection, nothing. */
  start(options: StartOptions): Promise<void>;
  /** All results as one list, in the shortest way that the system offers. */
  collect(fn: FunctionName, inputs: readonly unknown[]): Promise<readonly unknown[]>;
  /** Results one by one as they arrive. Resolves when every input is settled, rejects when the whole run failed. */
  stream(fn: FunctionName, inputs: Iterable<unknown>, on: Listener, signal?: AbortSignal): Promise<void>;
  /** Ends one worker without warning; `pid` is the process of a recent call. */
  killWorker(pid: number): void | Promise<void>;
  /** Where a second process can reach this system, when it can be shared. */
  readonly address?: () => string;
  /** Ends everything that `start` made. */
  stop(): Promise<void>;
}
