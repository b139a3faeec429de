/** The public exports of `burla/control`: for programs that watch and steer clusters, such as the editor and the command line. */
export { cancelJob, clusterStatus, jobFailures, jobLogs } from "./jobs.ts";
export { listClusters } from "./list.ts";
export { clusterLogPath } from "../local-cluster.ts";
export { startCluster } from "./start.ts";
export { readyNodes } from "./state.ts";
export { stopCluster } from "./stop.ts";
export { watchCluster } from "./watch.ts";
export { BurlaError, type ErrorCode } from "@burla/protocol";
export type {
  Cancelled, ClusterEntry, ClusterState, ClusterStatus, ControlOptions, FailureSummary, JobFailure, JobFailures, JobLogLine, JobLogOptions,
  JobSummary, NodeSummary, Started, StartOptions, StartPhase, Stopped, WatchOptions, WorkerSummary,
} from "./types.ts";
