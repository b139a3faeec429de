/** The public types of the package. They import nothing, so that a reader has them on one page. */

/** The second argument of every call of the user's function. */
export interface CallContext<Worker = unknown> {
  /** Position of this input among the inputs, from 0. */
  readonly index: number;
  /** Which attempt this is, from 1: more after `retries`, or when a worker was lost. */
  readonly attempt: number;
  /** Aborts when the job is cancelled while this call waits. */
  readonly signal: AbortSignal;
  /** Prints a line that carries the input's index, as `console.log` does. */
  readonly log: (...parts: unknown[]) => void;
  /** What the function `setup` has given in this worker; undefined without one. */
  readonly worker: Worker;
}

/** The argument of the function `setup`. */
export type SetupContext = Pick<CallContext, "signal" | "log">;

/** A function that runs on the cluster: plain, async, or closing over anything that can be captured. */
export type MapFunction<Input, Result, Worker = unknown> = (input: Input, context: CallContext<Worker>) => Result | PromiseLike<Result>;

/** Anything that can be iterated, of any length: arrays, generators, streams. Pulled as the cluster needs it. */
export type Inputs<Input> = Iterable<Input | PromiseLike<Input>> | AsyncIterable<Input>;

/** One line that a call printed. */
export interface LogLine {
  /** The input whose call printed it, or -1 when it was printed outside of any call. */
  readonly index: number;
  /** A call, the function `setup`, or something else, such as a module while it was imported. */
  readonly origin: "call" | "setup" | "other";
  readonly stream: "stdout" | "stderr";
  /** It ends by `\r` where it is a state of a line that is written over, as a bar of progress: the next line of this input and stream takes its place. */
  readonly text: string;
  readonly time: Date;
  readonly node: string;
}

/** How far a job is. */
export interface Progress {
  readonly jobId: string;
  readonly phase: "waiting" | "running" | "interrupted";
  /** Why it waits; empty while it runs. */
  readonly reason: string;
  readonly nodes: number;
  readonly workers: number;
  /** Inputs handed to the cluster so far, */
  readonly pushed: number;
  /** of which so many are being processed, */
  readonly running: number;
  /** have a result, */
  readonly done: number;
  /** or have failed. */
  readonly failed: number;
  /** All inputs, once their end is known. */
  readonly total: number | null;
  readonly lostWorkers: number;
}

export interface ClusterAddress {
  readonly url: string;
  readonly token: string;
  /** PEM: the certificate that the cluster must show, of a cluster that has one of its own. */
  readonly certificate?: string;
}

export interface MapOptions<Worker = unknown> {
  /** Processors for one call. Default 1. */
  cpu?: number;
  /** Memory for one call: GiB as a number, or text such as `"512 MiB"`. Default: the node's share. */
  ram?: number | string;
  /** Image of the containers, one that the cluster spec names. Default: the first of them. */
  image?: string;
  /** Nodes that the cluster may add for this job, as far as its spec allows, and takes back afterwards. Default 0. */
  grow?: number;
  /** Calls at once over the whole cluster. Default: as many as fit. */
  maxParallelism?: number;
  /** Calls at once in one worker, for work that mostly waits. Default 1. */
  concurrency?: number;
  /**
   * At any time no more inputs than this have been pulled whose results were not handed out, for inputs whose pulling has
   * effects. Default: as many as the cluster takes, up to 65,536 small ones.
   */
  lookahead?: number;
  /** Results as they complete (default), or in the order of the inputs. */
  order?: "completion" | "input";
  /**
   * `"throw"` (default): the first failure cancels the job and is thrown. `"continue"`: every input runs, and an
   * `AggregateError` of the failures is thrown after the last result.
   */
  onError?: "throw" | "continue";
  /** Further calls after an error of the function, each later than the one before (100 ms, 200 ms, ...). Default 0. */
  retries?: number;
  /** Longest time of one call in milliseconds, from its start. Then its worker is killed. Default: none. */
  timeoutMs?: number;
  /**
   * Runs once in each worker before its first call, for what calls share there: a model, a connection, the settings of a
   * library. What it gives, awaited, is `context.worker`. Captured together with the function. What it throws ends the job
   * with BURLA_SETUP.
   */
  setup?: (context: SetupContext) => Worker | PromiseLike<Worker>;
  /** Longest time of `setup` in one worker, in milliseconds. Default 600,000: ten minutes. */
  setupTimeoutMs?: number;
  /** Cancels the job; its reason is thrown. */
  signal?: AbortSignal;
  /** The job goes on without this process; `attach(jobId)` collects its results. It starts at the call. */
  detach?: boolean;
  /** For people who look at the cluster. Default: the function's name. */
  name?: string;
  /**
   * Environment variables of the calls; `undefined` takes one away. On the local cluster they go over those of this
   * program, which calls see as they are at the call; on other clusters they are all that is sent.
   */
  env?: Record<string, string | undefined>;
  /** Takes the lines that calls print. Default: they are printed here, tagged with their input. */
  onLog?: (line: LogLine) => void;
  /** A line on stderr that shows how far the job is, or a function that is told. */
  progress?: boolean | ((progress: Progress) => void);
  /**
   * Name of a cluster (`"local"` is on this machine and starts by itself), or its address; as a URL alone, with its token
   * in the environment variable BURLA_TOKEN. Default: the variable BURLA_CLUSTER, else `"local"`.
   */
  cluster?: string | ClusterAddress;
}

/** A result with the index of its input. */
export interface Entry<Result> {
  readonly index: number;
  readonly value: Result;
}

/** What became of one input. */
export type Settled<Result> =
  | { readonly index: number; readonly status: "fulfilled"; readonly value: Result }
  | { readonly index: number; readonly status: "rejected"; readonly reason: unknown };

/** The results of a job: an async generator with other views of the same stream. Each result is given once. */
export interface RemoteResults<Result> extends AsyncGenerator<Result, void, undefined> {
  readonly jobId: string;
  /** All results in the order of the inputs. */
  toArray(): Promise<Result[]>;
  /** Results with the index of their input. */
  entries(): AsyncGenerator<Entry<Result>, void, undefined>;
  /** What became of each input; never throws for an error of the function. */
  settled(): AsyncGenerator<Settled<Result>, void, undefined>;
  /** Cancels the job on the cluster; a pending iteration then rejects. Resolves when the cluster has confirmed it. */
  cancel(): Promise<void>;
  /** Resolves when all inputs are on the cluster: a detached job then needs this process no more. */
  readonly uploaded: Promise<void>;
}

export interface AttachOptions {
  /** Results of so many inputs were read before and are passed over: where an earlier reader stopped. Default 0. */
  from?: number;
  order?: "completion" | "input";
  onError?: "throw" | "continue";
  signal?: AbortSignal;
  onLog?: (line: LogLine) => void;
  progress?: boolean | ((progress: Progress) => void);
  cluster?: string | ClusterAddress;
}
