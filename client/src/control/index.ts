/** The public exports of `burla/control`: for programs that watch and steer clusters, such as the editor and the command line. */
export { cloudProject, estimateCloudCluster, planCloudCluster, stopCloudCluster } from "../gce/cloud.ts";
export { cloudRegions } from "../gce/cloud-spec.ts";
export { clusterAddress } from "./find.ts";
export { cancelJob, clusterStatus, jobFailures, jobLogs } from "./jobs.ts";
export { listClusters } from "./list.ts";
export { clusterLogPath } from "../local-cluster.ts";
export { startCluster } from "./start.ts";
export { readyNodes } from "./state.ts";
export { stopCluster } from "./stop.ts";
export { watchCluster } from "./watch.ts";
export { BurlaError, type ErrorCode } from "@burla/protocol";
export type {
  Cancelled, CloudCheck, CloudEstimate, CloudOptions, CloudPhase, CloudPlan, CloudPlanOptions, CloudProblem, CloudStartOptions, CloudStopOptions, CloudStopped, ClusterEntry, ClusterState, ClusterStatus, ControlOptions, FailureSummary, JobFailure, JobFailures, JobLogLine, JobLogOptions,
  JobSummary, NodeSummary, PriceLine, Started, StartOptions, StartPhase, Stopped, WatchOptions, WorkerSummary,
} from "./types.ts";
