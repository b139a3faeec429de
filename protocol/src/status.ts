/** The state of a cluster as people see it: in `status`, in the events of `watch`, and in what is kept of ended jobs. */
import * as v from "valibot";
import { MAX_KEPT_FAILURES, MAX_SUMMARY_FAILURES } from "./limits.ts";

/** An input whose call failed for good. */
const failureFields = {
  /** Of the input; -1 for an error that is the whole job's, such as a function that cannot be loaded. */
  index: v.number(),
  /** Such as `RangeError`; of an error of Burla's own its code. */
  name: v.string(),
  message: v.string(),
};
export const failureSummarySchema = v.object(failureFields);
export type FailureSummary = v.InferOutput<typeof failureSummarySchema>;

/** `stack` names the user's own lines; empty for errors of Burla's own. */
export const jobFailureSchema = v.object({ ...failureFields, stack: v.string() });
export type JobFailure = v.InferOutput<typeof jobFailureSchema>;

/** The first failures of a job in the order in which they came, of `failed` in all. */
export const jobFailuresSchema = v.object({ failed: v.number(), failures: v.pipe(v.array(jobFailureSchema), v.maxLength(MAX_KEPT_FAILURES)) });
export type JobFailures = v.InferOutput<typeof jobFailuresSchema>;

export const jobSummarySchema = v.object({
  jobId: v.string(),
  /** The function's name, unless the user gave another. */
  name: v.string(),
  phase: v.picklist(["waiting", "running", "interrupted", "done", "failed", "cancelled"]),
  /** Why it waits or how it ended; empty when there is nothing to say. */
  reason: v.string(),
  detach: v.boolean(),
  runtime: v.string(),
  /** The job whose function started this one. */
  parent: v.nullable(v.string()),
  /** Whose it is, for main; null or absent for the owner of the cluster. */
  person: v.optional(v.nullable(v.string())),
  createdAt: v.number(),
  /** When a node began to work for it; null before, and after a restart of main until one does again. */
  startedAt: v.nullable(v.number()),
  endedAt: v.nullable(v.number()),
  /** So far, unless `inputsEnded`. */
  inputs: v.number(),
  inputsEnded: v.boolean(),
  done: v.number(),
  failed: v.number(),
  running: v.number(),
  nodes: v.number(),
  workers: v.number(),
  lostWorkers: v.number(),
  /** The first failed inputs; `jobFailures` has more of them, with stacks. */
  failures: v.pipe(v.array(failureSummarySchema), v.maxLength(MAX_SUMMARY_FAILURES)),
});
export type JobSummary = v.InferOutput<typeof jobSummarySchema>;
export const jobListSchema = v.object({ jobs: v.array(jobSummarySchema) });

export const workerSummarySchema = v.object({
  workerId: v.string(),
  runtime: v.string(),
  /** Null where workers are processes. */
  image: v.nullable(v.string()),
  /** `starting`, `warm`, `loading`, `idle` or `busy`. */
  state: v.string(),
  jobId: v.nullable(v.string()),
  pid: v.number(),
});
export type WorkerSummary = v.InferOutput<typeof workerSummarySchema>;

export const nodeSummarySchema = v.object({
  nodeId: v.string(),
  state: v.picklist(["BOOTING", "READY", "RUNNING", "REBOOTING", "FAILED"]),
  reason: v.string(),
  /** Who made the machine, such as `local`. */
  provider: v.string(),
  /** What the provider calls this kind of machine. */
  machineType: v.string(),
  cpu: v.number(),
  /** Processors that jobs have been given, at most `cpu`. */
  cpuInUse: v.number(),
  ramMiB: v.number(),
  pid: v.number(),
  jobs: v.array(v.string()),
  workers: v.array(workerSummarySchema),
});
export type NodeSummary = v.InferOutput<typeof nodeSummarySchema>;

/** What is said of the cluster as a whole. */
export const clusterSummarySchema = v.object({
  cluster: v.string(),
  version: v.string(),
  pid: v.number(),
  startedAt: v.number(),
  /** When the cluster ends itself if nothing happens, Unix ms; null while it is in use. */
  idleDeadline: v.nullable(v.number()),
  /** Nodes that the cluster spec asks for. */
  wantedNodes: v.number(),
  /** Processors of all nodes, and of those how many jobs have been given. */
  cpu: v.number(),
  cpuInUse: v.number(),
  /** Results dropped because another attempt had answered, since main started. */
  duplicates: v.number(),
  /** What its machines cost now, in US dollars by the list of prices; null where they cost nothing, or nobody knows. */
  costPerHour: v.optional(v.nullable(v.number()), null),
  /** What keeps machines from being made, such as a quota, for people. */
  troubles: v.optional(v.array(v.string()), []),
  /** When it ends itself whatever it does, Unix ms. */
  endsAt: v.optional(v.nullable(v.number()), null),
});
export type ClusterSummary = v.InferOutput<typeof clusterSummarySchema>;

export const statusSchema = v.object({ ...clusterSummarySchema.entries, nodes: v.array(nodeSummarySchema), jobs: v.array(jobSummarySchema) });
export type ClusterStatus = v.InferOutput<typeof statusSchema>;
