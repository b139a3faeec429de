/**
 * What main must know to decide: jobs, their unanswered inputs, nodes, and who holds what. No bytes of users, no
 * sockets, no clock.
 *
 * Invariants (checked by `invariants.ts` in tests, after every step):
 * - an unanswered input that was pushed is in exactly one place: a ready range, a delayed retry, or a grant;
 * - a node works for at most one tree of jobs (`rootId`);
 * - a grant's node is assigned to the grant's job;
 * - every counter and index equals what it summarises. Each has one owner: `job.ts` for inputs, `grants.ts` for what
 *   is held, `nodes.ts` for workers and for the sets of nodes.
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
  /** Workers that ended while this range, of one input, was theirs; a lost node counts as a part of one. */
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
  /** When it was last granted something, or came into being. */
  servedMs: number;
  /** `interrupted`: its client went away, nothing of it runs until somebody attaches. */
  phase: "running" | "interrupted";
  /** Unanswered chunks only. */
  readonly chunks: Map<number, Chunk>;
  readonly ready: Deque<Range>;
  readyInputs: number;
  /** Waiting out the pause before a retry. */
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
  /** Measured; null before the first result. */
  callTime: CallTime | null;
  /** Credit that the client was last told. */
  creditInputs: number;
  creditBytes: number;
  creditChunkInputs: number;
  client: "feeds" | "reads" | "lost";
  /** Pending end of the time in which the program that feeds the inputs may come back; null when there is none. */
  grace: Deadline | null;
  /** The program that fed the inputs has been gone for longer than that. */
  abandoned: boolean;
  /** Workers on all nodes assigned to this job, lost and draining ones too: what its `maxParallelism` limits. */
  workers: number;
  /** Workers on the nodes that may be granted something. */
  usableWorkers: number;
  /** Nodes that have workers with nothing to do. */
  readonly idlers: Set<Node>;
  /** Nodes that might take something ahead; found out when there is something. */
  readonly takers: Set<Node>;
  /** Time of a call, at most, when all nodes were last counted among the takers. */
  offeredAtCallMs: number;
}

/** A running mean of the time of a call, and how many calls it stands for. */
export interface CallTime {
  readonly callMs: number;
  readonly calls: number;
}

/** A job on a node. */
export interface Assignment {
  workers: number;
  /** Inputs granted to the node and not answered. */
  outstanding: number;
  /** It gave back what waited too long and has finished nothing since: it gets no grant beyond its idle workers. */
  stalled: boolean;
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
  /** Since when it works for this tree. */
  tenantSinceMs: number;
  /** Jobs of the tree that it was told of. */
  readonly jobs: Map<JobId, Assignment>;
  /** Asked back for a waiting job: gets no more grants, and is released when it holds none. */
  draining: boolean;
  /** Its machine is about to go: it works for nobody any more once it is released. */
  leaving: boolean;
  /** Its tree cannot do without it: it is not asked back. */
  pinned: boolean;
  readonly grants: Map<number, JobId>;
  /** Inputs that it has of jobs whose queue is elsewhere. */
  elsewhere: number;
  leaseUntilMs: number;
  /** The pending check of its lease. */
  leaseCheck: Deadline | null;
  /** Since when it holds no grant. */
  idleSinceMs: number;
}

export interface CoreState {
  readonly jobs: Map<JobId, Job>;
  readonly nodes: Map<NodeId, Node>;
  nextGrantId: number;
  readonly deadlines: Deadlines;
  /** Time of the last event. */
  nowMs: number;
  /** How many nodes are connected, and their processors and memory. */
  connected: number;
  cpu: number;
  ramMiB: number;
  /** Nodes by the tree that they work for. */
  readonly trees: Map<JobId, Set<Node>>;
  /** Connected and ready nodes that work for nobody. */
  readonly free: Set<Node>;
  /** Nodes that work for a tree and hold no grant. */
  readonly idle: Set<Node>;
  /** Nodes that were asked back. */
  readonly draining: Set<Node>;
  /** The pending look at idle nodes that a waiting job might take. */
  idleCheck: Deadline | null;
  /** The pending look at nodes that a tree has had for its turn while others have none. */
  turnCheck: Deadline | null;
}

/** What a later moment is waited for; checked again when it comes, so that stale ones do no harm. */
export type Deadline =
  | { readonly kind: "lease"; readonly nodeId: NodeId }
  | { readonly kind: "retry"; readonly jobId: JobId; readonly range: Range }
  | { readonly kind: "grace"; readonly jobId: JobId }
  | { readonly kind: "idle" }
  | { readonly kind: "turn" };

/** The deadlines, by time. */
export interface Deadlines {
  /** Deadlines that are waited for, stale ones too. */
  readonly size: number;
  add(atMs: number, deadline: Deadline): void;
  /** The earliest time, or null. */
  nextMs(): number | null;
  /** Removes and returns what is due. */
  due(nowMs: number): Deadline[];
}
