/** Rebuilding the state of a job from what the job log kept, after a restart of main. */
import { LEASE_MS, type JobId, type JobSpec, type NodeId } from "@burla/protocol";
import { createJob, makeReady, runsOf } from "./job.ts";
import type { Chunk, CoreState, Job, Node, Range } from "./state.ts";

/** A job as its log tells it. */
export interface RememberedJob {
  readonly jobId: JobId;
  readonly spec: JobSpec;
  readonly rootId: JobId;
  readonly chunks: Iterable<{ id: number; first: number; count: number; bytes: number; answered: Uint8Array | null }>;
  /** All grants in order; a later one of the same input replaces an earlier one. */
  readonly grants: Iterable<{ grantId: number; nodeId: NodeId; range: Range }>;
  readonly pushedChunks: number;
  readonly pushedInputs: number;
  readonly totalInputs: number | null;
  readonly answeredInputs: number;
  readonly answeredBytes: number;
  readonly failedInputs: number;
  readonly seq: number;
  readonly ackedSeq: number;
  readonly ackedInputs: number;
  readonly unacked: Iterable<{ seq: number; inputs: number; bytes: number }>;
}

/**
 * Puts a remembered job back. Inputs that were granted are taken to be held still: the node claims them when it comes
 * back, or its lease runs out.
 */
export function restoreJob(state: CoreState, remembered: RememberedJob, nowMs: number): void {
  const job = createJob(remembered.jobId, remembered.spec, remembered.rootId, nowMs);
  Object.assign(job, {
    pushedChunks: remembered.pushedChunks,
    pushedInputs: remembered.pushedInputs,
    totalInputs: remembered.totalInputs,
    answeredInputs: remembered.answeredInputs,
    answeredBytes: remembered.answeredBytes,
    failedInputs: remembered.failedInputs,
    seq: remembered.seq,
    ackedSeq: remembered.ackedSeq,
    ackedInputs: remembered.ackedInputs,
    clientConnected: false,
  } satisfies Partial<Job>);
  for (const batch of remembered.unacked) {
    job.unacked.push(batch);
    job.unackedBytes += batch.bytes;
  }
  for (const chunk of remembered.chunks) restoreChunk(job, chunk);
  restoreGrants(state, job, remembered.grants, nowMs);
  state.jobs.set(job.id, job);
  state.needsAssignment = true;
}

function restoreChunk(job: Job, remembered: { id: number; first: number; count: number; bytes: number; answered: Uint8Array | null }): void {
  const answered = remembered.answered?.reduce((sum, mark) => sum + mark, 0) ?? 0;
  if (answered === remembered.count) return;
  job.chunks.set(remembered.id, { ...remembered, unanswered: remembered.count - answered });
}

function restoreGrants(state: CoreState, job: Job, grants: RememberedJob["grants"], nowMs: number): void {
  const lastGrant = new Map<number, (number | undefined)[]>();
  const byId = new Map<number, { grantId: number; nodeId: NodeId; range: Range }>();
  for (const grant of grants) {
    state.nextGrantId = Math.max(state.nextGrantId, grant.grantId + 1);
    const chunk = job.chunks.get(grant.range.chunkId);
    if (chunk === undefined) continue;
    byId.set(grant.grantId, grant);
    const owners = lastGrant.get(chunk.id) ?? [];
    lastGrant.set(chunk.id, owners);
    for (let position = grant.range.from; position < grant.range.to; position++) owners[position] = grant.grantId;
  }
  for (const chunk of job.chunks.values()) {
    const owners = lastGrant.get(chunk.id) ?? [];
    const ungranted: number[] = [];
    for (const position of openIn(chunk)) {
      const grant = byId.get(owners[position] ?? -1);
      if (grant === undefined) ungranted.push(position);
      else holdOne(state, job, grant, nowMs);
    }
    for (const run of runsOf(ungranted)) {
      makeReady(job, { chunkId: chunk.id, ...run, attempt: 1, losses: 0, failures: 0 }, "back");
    }
  }
  for (const held of job.grants.values()) closeOthers(job, held, lastGrant);
}

function* openIn(chunk: Chunk): Generator<number> {
  for (let position = 0; position < chunk.count; position++) {
    if (chunk.answered === null || chunk.answered[position] === 0) yield position;
  }
}

function holdOne(state: CoreState, job: Job, grant: { grantId: number; nodeId: NodeId; range: Range }, nowMs: number): void {
  const held = job.grants.get(grant.grantId) ?? { id: grant.grantId, nodeId: grant.nodeId, range: grant.range, closed: new Set<number>(), left: 0 };
  held.left++;
  job.grantedInputs++;
  job.grants.set(held.id, held);
  const node = expectedNode(state, grant.nodeId, nowMs);
  node.grants.set(held.id, job.id);
  node.rootId ??= job.rootId;
}

function closeOthers(job: Job, held: { id: number; range: Range; closed: Set<number> }, lastGrant: Map<number, (number | undefined)[]>): void {
  const owners = lastGrant.get(held.range.chunkId) ?? [];
  const chunk = job.chunks.get(held.range.chunkId);
  if (chunk === undefined) return;
  for (const position of openIn(chunk)) {
    if (position >= held.range.from && position < held.range.to && owners[position] !== held.id) held.closed.add(position);
  }
}

/** A node that held something before the restart and has not come back yet. */
function expectedNode(state: CoreState, nodeId: NodeId, nowMs: number): Node {
  const known = state.nodes.get(nodeId);
  if (known !== undefined) return known;
  const node: Node = {
    id: nodeId, cpu: 1, ramMiB: 1, maxCpu: 1, maxRamMiB: 1,
    connected: false, ready: false, rootId: null, jobs: new Map(), draining: false, grants: new Map(),
    leaseUntilMs: nowMs + LEASE_MS,
  };
  state.nodes.set(nodeId, node);
  state.deadlines.add(node.leaseUntilMs, { kind: "lease", nodeId });
  return node;
}
