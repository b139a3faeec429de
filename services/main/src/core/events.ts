/** What can happen to a cluster, and what is then to be done. */
import type { AnsweredBatch, ErrorCode, JobId, JobSpec, NodeId } from "@burla/protocol";
import type { Job, Range } from "./state.ts";

export type Event =
  | { type: "jobSubmitted"; jobId: JobId; spec: JobSpec }
  | { type: "chunkPushed"; jobId: JobId; chunkId: number; first: number; count: number; bytes: number }
  | { type: "inputsEnded"; jobId: JobId; total: number }
  | { type: "acked"; jobId: JobId; seq: number }
  | { type: "cancelRequested"; jobId: JobId; reason: string }
  /** The program that feeds the inputs is lost, or the last reader. `reads`: somebody is left who reads. */
  | { type: "clientLost"; jobId: JobId; reads: boolean }
  /** `push`: it is the program that feeds the inputs; else one that only reads. */
  | { type: "clientBack"; jobId: JobId; push: boolean }
  | NodeJoined
  | { type: "nodeReady"; nodeId: NodeId }
  /** Its connection is lost; it may come back and keeps its leases until they end. */
  | { type: "nodeDisconnected"; nodeId: NodeId }
  /** Its machine is about to be taken away: it is to get nothing more. */
  | { type: "nodeLeaving"; nodeId: NodeId }
  /** It is known to be dead, or of no use (FAILED). */
  | { type: "nodeGone"; nodeId: NodeId }
  | { type: "renewed"; nodeId: NodeId; jobs: readonly JobId[] }
  | ResultsArrived
  | GrantEnded
  /** Totals of a job whose queue is elsewhere, as its client or the queue itself counts them. */
  | { type: "queueCounts"; jobId: JobId; pushed: number; answered: number; failed: number; total: number | null }
  | QueueHeld
  | { type: "loadFailed"; nodeId: NodeId; jobId: JobId }
  /** It cannot go on: its log cannot be written or read, or what was said of it could not be handled. */
  | { type: "jobFailed"; jobId: JobId; reason: string }
  | { type: "tick" };

export interface NodeJoined {
  type: "nodeJoined";
  nodeId: NodeId;
  cpu: number;
  ramMiB: number;
  maxCpu: number;
  maxRamMiB: number;
  jobs: readonly JobId[];
  holding: readonly { jobId: JobId; grantId: number }[];
}

export interface ResultsArrived {
  type: "resultsArrived";
  nodeId: NodeId;
  jobId: JobId;
  grantId: number;
  batch: AnsweredBatch;
  bytes: number;
  /** Sum of the times of these calls. */
  runMs: number;
}

/** What a node has of a job whose queue is elsewhere; all but `held` since it last said so. */
export interface QueueHeld {
  type: "queueHeld";
  nodeId: NodeId;
  jobId: JobId;
  held: number;
  answered: number;
  failed: number;
  duplicates: number;
  lostWorkers: number;
  runMs: number;
}

export interface GrantEnded {
  type: "grantEnded";
  nodeId: NodeId;
  jobId: JobId;
  grantId: number;
  /** `released`: only what is named goes back, unbegun; else the grant is over with all that is open. */
  cause: "done" | "released" | "worker-exited" | "out-of-memory" | "timeout";
  detail: string;
  /** A worker that held several grants is told with the first of them. */
  lostWorkers: 0 | 1;
  /** Positions in the chunk. */
  unfinished: readonly number[];
}

/** Take these inputs. The job log keeps it, with the history of the range, for `restoreJob`. */
export interface GrantCommand extends Range {
  type: "grant";
  nodeId: NodeId;
  jobId: JobId;
  grantId: number;
}

export type Command =
  | { type: "assign"; nodeId: NodeId; jobId: JobId; workers: number }
  | GrantCommand
  | { type: "drain"; nodeId: NodeId; jobId: JobId }
  | { type: "stop"; nodeId: NodeId; jobId: JobId; reason: string }
  /** It is connected and hangs, such as one that is stopped: another is to take its place. */
  | { type: "replaceNode"; nodeId: NodeId }
  | { type: "credit"; jobId: JobId; inputs: number; bytes: number; chunkInputs: number }
  /** Keep the results of the event under this number and pass them on, without the dropped positions. */
  | { type: "deliver"; jobId: JobId; seq: number; nodeId: NodeId; dropped: number[] }
  /** Answer this input with an error of Burla's own. */
  | { type: "giveUp"; jobId: JobId; seq: number; nodeId: NodeId; index: number; code: ErrorCode; message: string }
  /** All inputs of the chunk are answered: its bytes may be forgotten. */
  | { type: "chunkAnswered"; jobId: JobId; chunkId: number }
  /** Nobody holds these inputs any more, and so much has been tried; kept by the job log for `restoreJob`. */
  | { type: "requeued"; jobId: JobId; range: Range }
  /** It is interrupted, or taken up again; kept by the job log for `restoreJob`. */
  | { type: "phase"; jobId: JobId; phase: Job["phase"] }
  /** `job` is its last state: it is in the books no more. */
  | { type: "finished"; jobId: JobId; outcome: "done" | "failed" | "cancelled"; reason: string; isCutShort: boolean; job: Job };
