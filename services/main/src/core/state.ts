/**
 * What main must know to decide: jobs, their unanswered inputs, nodes, and who holds what. No bytes of users, no
 * sockets, no clock.
 *
 * Invariants (checked by `invariants.ts` in tests, after every step):
 * - an unanswered input that was pushed is in exactly one place: a ready range, a delayed retry, or a grant;
 * - a node works for at most one tree of jobs (`rootId`);
 * - a grant's node is assigned to the grant's job.
 */
import type { JobId, JobSpec, NodeId } from "@burla/protocol";
import type { Deque } from "./deque.ts";

/** Inputs `from` (inclusive) to `to` (exclusive) of a chunk, that share their history. */
export interface Range {
  readonly chunkId: number;
  readonly from: number;
  readonly to: number;
  /** The attempt that the next grant will be, from 1. */
  readonly attempt: number;
  /** Workers that ended while this range, of one input, was theirs. */
  readonly losses: number;
  /** Errors of the user's function so far. */
  readonly failures: number;
}

export interface Chunk {
  readonly id: number;
  /** Index of its first input. */
  readonly first: number;
  readonly count: number;
  readonly bytes: number;
  /** 1 at the position of every answered input; null as long as none is. */
  answered: Uint8Array | null;
  unanswered: number;
}

export interface Grant {
  readonly id: number;
  readonly nodeId: NodeId;
  readonly range: Range;
  /** Positions of the range that are somewhere else by now: waiting for a retry, or in a later grant. */
  readonly closed: Set<number>;
  /** Inputs of the range that neither have a result nor are closed. */
  left: number;
}

/** Results that the consumer has not taken yet, oldest first. */
interface UnackedBatch {
  readonly seq: number;
  readonly inputs: number;
  readonly bytes: number;
}

export interface Job {
  readonly id: JobId;
  readonly spec: JobSpec;
  /** The outermost job of its tree, itself when nobody's function started it: the unit of tenancy and fairness. */
  readonly rootId: JobId;
  readonly createdMs: number;
  phase: "running" | "interrupted";
  /** Unanswered chunks only. */
  readonly chunks: Map<number, Chunk>;
  readonly ready: Deque<Range>;
  readyInputs: number;
  readonly delayed: Set<Range>;
  readonly grants: Map<number, Grant>;
  grantedInputs: number;
  pushedChunks: number;
  pushedInputs: number;
  pushedBytes: number;
  /** Set when the last input was pushed. */
  totalInputs: number | null;
  /** The program that fed the inputs is gone, and another reads: what was pushed is all there will be. */
  incomplete: boolean;
  answeredInputs: number;
  answeredBytes: number;
  failedInputs: number;
  duplicates: number;
  lostWorkers: number;
  /** Sequence number of the last batch of results. */
  seq: number;
  readonly unacked: Deque<UnackedBatch>;
  ackedSeq: number;
  ackedInputs: number;
  unackedBytes: number;
  /** Measured time of one call; null before the first result. */
  callMs: number | null;
  /** Credit that the client was last told. */
  creditInputs: number;
  creditBytes: number;
  creditChunkInputs: number;
  clientConnected: boolean;
}

export interface Node {
  readonly id: NodeId;
  cpu: number;
  ramMiB: number;
  /** The largest single worker that it may hold. */
  maxCpu: number;
  maxRamMiB: number;
  connected: boolean;
  /** True between READY and the next job: fresh containers are warm. */
  ready: boolean;
  rootId: JobId | null;
  /** Jobs of the tree that it was told of, with the workers each may use. */
  readonly jobs: Map<JobId, number>;
  /** Asked back for a waiting job: gets no more grants, and is released when it holds none. */
  draining: boolean;
  readonly grants: Map<number, JobId>;
  leaseUntilMs: number;
}

export interface CoreState {
  readonly jobs: Map<JobId, Job>;
  readonly nodes: Map<NodeId, Node>;
  nextGrantId: number;
  /** Supply or demand changed: nodes must be shared out anew. */
  needsAssignment: boolean;
  readonly deadlines: Deadlines;
}

/** What a later moment is waited for; checked again when it comes, so that stale ones do no harm. */
export type Deadline =
  | { readonly kind: "lease"; readonly nodeId: NodeId }
  | { readonly kind: "retry"; readonly jobId: JobId; readonly range: Range }
  | { readonly kind: "client"; readonly jobId: JobId };

/** The deadlines, by time. */
export interface Deadlines {
  add(atMs: number, deadline: Deadline): void;
  /** The earliest time, or null. */
  nextMs(): number | null;
  /** Removes and returns what is due. */
  due(nowMs: number): Deadline[];
}
