/**
 * The public types of `burla/control`. They import nothing, so that a reader has them on one page. All times are Unix
 * milliseconds.
 */

/** An input whose call failed for good. */
export interface FailureSummary {
  /** Of the input; -1 for an error that is the whole job's, such as a function that cannot be loaded. */
  readonly index: number;
  /** Such as `RangeError`; of an error of Burla's own its code. */
  readonly name: string;
  readonly message: string;
}

export interface JobFailure extends FailureSummary {
  /** Names the user's own lines; empty for errors of Burla's own. */
  readonly stack: string;
}

/** The first failures of a job in the order in which they came, at most a hundred, of `failed` in all. */
export interface JobFailures {
  readonly failed: number;
  readonly failures: readonly JobFailure[];
}

export interface JobSummary {
  readonly jobId: string;
  /** The function's name, unless the user gave another. */
  readonly name: string;
  readonly phase: "waiting" | "running" | "interrupted" | "done" | "failed" | "cancelled";
  /** Why it waits or how it ended; empty when there is nothing to say. */
  readonly reason: string;
  readonly detach: boolean;
  readonly runtime: string;
  /** The job whose function started this one. */
  readonly parent: string | null;
  readonly createdAt: number;
  /** When a node began to work for it; null before, and after a restart of the cluster until one does again. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** So far, unless `inputsEnded`. */
  readonly inputs: number;
  readonly inputsEnded: boolean;
  readonly done: number;
  readonly failed: number;
  readonly running: number;
  readonly nodes: number;
  readonly workers: number;
  readonly lostWorkers: number;
  /** The first few failed inputs; `jobFailures` has more of them, with stacks. */
  readonly failures: readonly FailureSummary[];
}

export interface WorkerSummary {
  readonly workerId: string;
  readonly runtime: string;
  /** The image of its container; null where workers are processes. */
  readonly image: string | null;
  /** `starting`, `warm`, `loading`, `idle` or `busy`. */
  readonly state: string;
  /** The job that it works for. */
  readonly jobId: string | null;
  readonly pid: number;
}

export interface NodeSummary {
  readonly nodeId: string;
  readonly state: "BOOTING" | "READY" | "RUNNING" | "REBOOTING" | "FAILED";
  /** Why it is so; empty when there is nothing to say. */
  readonly reason: string;
  /** Who made the machine, such as `local`. */
  readonly provider: string;
  /** What the provider calls this kind of machine. */
  readonly machineType: string;
  readonly cpu: number;
  /** Processors that jobs have been given, at most `cpu`. */
  readonly cpuInUse: number;
  readonly ramMiB: number;
  readonly pid: number;
  readonly jobs: readonly string[];
  /** Its containers. */
  readonly workers: readonly WorkerSummary[];
}

export interface ClusterStatus {
  readonly cluster: string;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  /** When the cluster ends itself if nothing happens; null while it is in use. */
  readonly idleDeadline: number | null;
  /** Nodes that the cluster spec asks for. */
  readonly wantedNodes: number;
  /** Processors of all nodes, and of those how many jobs have been given. */
  readonly cpu: number;
  readonly cpuInUse: number;
  /** Results dropped because another attempt had answered, since the cluster started. */
  readonly duplicates: number;
  /** What its machines cost now, in US dollars by the list of prices; null where they cost nothing, or nobody knows. */
  readonly costPerHour: number | null;
  /** What keeps machines from being made, such as a quota. */
  readonly troubles: readonly string[];
  /** When it ends itself whatever it does; null where nobody has set a time. */
  readonly endsAt: number | null;
  /** By id. */
  readonly nodes: readonly NodeSummary[];
  /** Oldest first: those that have not ended, and the last hundred that have ended. */
  readonly jobs: readonly JobSummary[];
}

/** One line that a call printed. */
export interface JobLogLine {
  /** The input whose call printed it, or -1 when it was printed outside of any call. */
  readonly index: number;
  /** A call, the function `setup`, or something else, such as a module while it was imported. */
  readonly origin: "call" | "setup" | "other";
  readonly stream: "stdout" | "stderr";
  readonly timeMs: number;
  readonly nodeId: string;
  readonly text: string;
}

/**
 * What is known of a cluster at a moment. Rows of nodes and jobs that have not changed are the same objects as before,
 * as long as the connection lasts.
 */
export type ClusterState =
  /** Nothing says that it runs. `reason` tells why it ended, when that was heard. */
  | { readonly phase: "off"; readonly reason: string }
  /** Not all of its nodes are ready for the first time; `ready` of `wanted` are. */
  | { readonly phase: "starting"; readonly ready: number; readonly wanted: number; readonly url: string; readonly status: ClusterStatus }
  | { readonly phase: "running"; readonly url: string; readonly status: ClusterStatus }
  /** It should be there and does not answer. It is dialled again until it does. `last` is what it was before. */
  | { readonly phase: "unreachable"; readonly reason: string; readonly since: number; readonly url: string; readonly last: ClusterStatus | null }
  /** It is there and not for this client: another token, another version. `error.code` and `error.cure` say more. */
  | { readonly phase: "refused"; readonly error: Error & { readonly code: string; readonly cure: string }; readonly url: string };

export interface ClusterEntry {
  /** For `watchCluster` and the option `cluster` of a call. */
  readonly name: string;
  readonly provider: string;
  /** Something says that it runs, and where. */
  readonly isRunning: boolean;
  /** Null when it does not run. */
  readonly url: string | null;
}

export interface WatchOptions {
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}

/** How far the start of a cluster is. */
export type StartPhase =
  | { readonly phase: "main" }
  | { readonly phase: "nodes"; readonly ready: number; readonly wanted: number }
  | { readonly phase: "ready" };

export interface StartOptions {
  /** Ends what has been started, if it was not running before; its reason is thrown. */
  readonly signal?: AbortSignal;
  readonly onPhase?: (phase: StartPhase) => void;
  /** The Node.js that runs the cluster, where another than the one of this process is wanted. */
  readonly nodePath?: string | undefined;
  /** Time without use after which it ends itself; default ten minutes, or BURLA_IDLE_MINUTES. */
  readonly idleMinutes?: number | undefined;
}

export interface Started {
  /** False when it ran already. */
  readonly started: boolean;
  readonly url: string;
  readonly status: ClusterStatus;
}

export interface Cancelled {
  readonly jobId: string;
  /** How the job ended. */
  readonly phase: JobSummary["phase"];
  /** It had ended before. */
  readonly wasOver: boolean;
}

export interface Stopped {
  /** Processes that were there and are not any more. */
  readonly processes: number;
}

/** What of a project of Google Cloud is being looked at. */
export type CloudCheck = "credentials" | "permissions" | "api" | "accounts" | "network" | "quotas" | "database";

/** What a project lacks for a cluster. */
export interface CloudProblem {
  readonly message: string;
  readonly cure: string;
  /** It can be done all the same, with fewer machines. */
  readonly isWarning: boolean;
}

export interface PriceLine {
  /** Such as `6 × e2-standard-4 spot`. */
  readonly what: string;
  /** US dollars; null where the list of prices does not know it. */
  readonly perHour: number | null;
  /** The same if there are no spot VMs and full ones are taken instead. */
  readonly maxPerHour: number | null;
}

/** Which cluster on Google Cloud is meant: a spec of the user's, one that was started before, or a usual one. */
export interface CloudOptions {
  /** Path of a cluster spec. */
  readonly spec?: string;
  /** Without a spec the one of an earlier start by this name, unless machines are named. Default `cloud`. */
  readonly name?: string;
  /** Machines of a usual cluster. */
  readonly nodes?: number;
  /** Such as `us-central1`: one of `cloudRegions`. */
  readonly region?: string;
  /** Instead of the one that spec or credentials name. */
  readonly project?: string;
}

/** What is known of a cluster on Google Cloud before anybody is asked. */
export interface CloudEstimate {
  readonly cluster: string;
  /** Null: the one that the credentials name. */
  readonly project: string | null;
  /** VMs: one for the main service, and those of the nodes. */
  readonly machines: number;
  readonly firewallRules: number;
  readonly prices: readonly PriceLine[];
  /** US dollars: the sum of what the list of prices knows. */
  readonly pricePerHour: number;
  /** The same if there are no spot VMs and full ones are taken instead. */
  readonly maxPricePerHour: number;
  readonly priceList: { readonly date: string; readonly region: string; readonly source: string };
  /** US dollars; null without a budget. */
  readonly budgetPerHour: number | null;
  /** Without a job or a client for this long it removes its machines. */
  readonly idleMinutes: number;
  /** When it ends itself whatever it does; null where nobody has set a time. */
  readonly endsAt: string | null;
}

/** What will be made, in a project that was looked at. Nothing has been made yet. */
export interface CloudPlan extends CloudEstimate {
  readonly project: string;
  /** All that is wrong, not only the first. It can be made when all of them are warnings. */
  readonly problems: readonly CloudProblem[];
  /**
   * Makes it. Resolves when its nodes are ready, or after ten minutes with those that are. Cancelled by the signal it
   * removes what was made, and then throws the signal's reason. After an error call it again, or `stopCloudCluster`.
   * @throws BurlaError BURLA_CLOUD and others.
   */
  start(options?: CloudStartOptions): Promise<Started>;
}

export interface CloudPlanOptions extends CloudOptions {
  /** Ends the looking; its reason is thrown. */
  readonly signal?: AbortSignal;
  readonly onCheck?: (check: CloudCheck) => void;
}

/** How far the making of a cluster on Google Cloud is, or its removal after it was cancelled. */
export type CloudPhase =
  /** Firewall rules, main's VM, its programs, until it answers. */
  | { readonly phase: "network" | "machine" | "programs" | "main" }
  | { readonly phase: "nodes"; readonly ready: number; readonly wanted: number }
  /** `left`: VMs that are still there; null while that is not known. */
  | { readonly phase: "removing"; readonly left: number | null }
  /** Names of VMs and firewall rules that were there and are not any more. */
  | { readonly phase: "removed"; readonly removed: readonly string[] };

export interface CloudStartOptions {
  readonly signal?: AbortSignal;
  readonly onPhase?: (phase: CloudPhase) => void;
}

export interface CloudStopOptions {
  /** Where this machine does not know it. */
  readonly project?: string;
  /** How many VMs are still there. */
  readonly onLeft?: (machines: number) => void;
}

export interface CloudStopped {
  readonly project: string;
  /** Names of VMs and firewall rules that were there and are not any more. Nothing of the cluster is left. */
  readonly removed: readonly string[];
}

/** Name or address of a cluster, as the option `cluster` of a call. */
export interface ControlOptions {
  readonly cluster?: string | { readonly url: string; readonly token: string };
}

export interface JobLogOptions extends ControlOptions {
  /** Goes on with new lines until the job has ended. */
  readonly follow?: boolean;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}
