/** Rebuilding the state of a job from what the job log kept, after a restart of main. */
import type { JobId, JobSpec, NodeId } from "@burla/protocol";
import { hold } from "./grants.ts";
import { createJob, makeReady, runsOf } from "./job.ts";
import { startGrace } from "./life.ts";
import { renewLease } from "./membership.ts";
import { addNode, assignNode } from "./nodes.ts";
import type { Chunk, CoreState, Grant, Job, Node, Range } from "./state.ts";

/**
 * Grants that were lost with the end of the log may still be held by nodes: far more than those are passed over, so
 * that none of their numbers is used twice.
 */
const GRANT_ID_GAP = 1_000_000;

export interface RememberedChunk {
  readonly id: number;
  readonly first: number;
  readonly count: number;
  readonly bytes: number;
  readonly answered: Uint8Array | null;
}

/** Who got a range, by a `grant`; or, by a `requeued`, that nobody has it: then `nodeId` is null. */
export interface RememberedGrant {
  readonly grantId: number;
  readonly nodeId: NodeId | null;
  readonly range: Range;
}

/** A job as its log tells it. */
export interface RememberedJob {
  readonly jobId: JobId;
  readonly spec: JobSpec;
  readonly rootId: JobId;
  readonly phase: Job["phase"];
  readonly chunks: Iterable<RememberedChunk>;
  /** All grants and requeued ranges in order; a later one of the same input replaces an earlier one. */
  readonly grants: Iterable<RememberedGrant>;
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
  /** The highest number of a grant that may be out, though `grants` says nothing of it. */
  readonly lastGrantId: number;
}

/**
 * Puts a remembered job back. Inputs that were granted are taken to be held still: the node claims them when it comes
 * back, or its lease runs out. Pauses before a retry are over. The client has its time to come back from `nowMs` on; of
 * a job that was interrupted nothing runs until somebody attaches, as before.
 */
export function restoreJob(state: CoreState, remembered: RememberedJob, nowMs: number): void {
  state.nowMs = nowMs;
  const { jobId, spec, rootId, chunks, grants, unacked, lastGrantId, ...counters } = remembered;
  if (lastGrantId > 0) state.nextGrantId = Math.max(state.nextGrantId, lastGrantId + GRANT_ID_GAP);
  const job = createJob(jobId, spec, rootId, nowMs);
  Object.assign(job, { ...counters, client: "lost" } satisfies Partial<Job>);
  for (const batch of unacked) {
    if (spec.detach) continue;
    job.unacked.push(batch);
    job.unackedBytes += batch.bytes;
  }
  state.jobs.set(job.id, job);
  for (const chunk of chunks) restoreChunk(job, chunk);
  job.pushedBytes = [...job.chunks.values()].reduce((sum, chunk) => sum + chunk.bytes, job.answeredBytes);
  const holders = lastHolders(state, job, grants);
  for (const chunk of job.chunks.values()) restoreInputs(state, job, chunk, holders.get(chunk.id) ?? []);
  startGrace(state, job);
}

function restoreChunk(job: Job, remembered: RememberedChunk): void {
  const answered = remembered.answered?.reduce((sum, mark) => sum + mark, 0) ?? 0;
  if (answered < remembered.count) job.chunks.set(remembered.id, { ...remembered, unanswered: remembered.count - answered });
}

/** By chunk, the last grant of each position. */
function lastHolders(state: CoreState, job: Job, grants: Iterable<RememberedGrant>): Map<number, RememberedGrant[]> {
  const holders = new Map<number, RememberedGrant[]>();
  for (const grant of grants) {
    const { chunkId, from, to } = grant.range;
    state.nextGrantId = Math.max(state.nextGrantId, grant.grantId + GRANT_ID_GAP);
    if (!job.chunks.has(chunkId)) continue;
    const positions = holders.get(chunkId) ?? [];
    holders.set(chunkId, positions);
    for (let position = from; position < to; position++) positions[position] = grant;
  }
  return holders;
}

function restoreInputs(state: CoreState, job: Job, chunk: Chunk, holders: readonly (RememberedGrant | undefined)[]): void {
  const pushed: RememberedGrant = { grantId: 0, nodeId: null, range: { chunkId: chunk.id, from: 0, to: chunk.count, attempt: 1, losses: 0, failures: 0 } };
  const open = new Map<RememberedGrant, number[]>();
  for (let position = 0; position < chunk.count; position++) {
    if (chunk.answered?.[position] === 1) continue;
    const holder = holders[position] ?? pushed;
    const positions = open.get(holder);
    if (positions === undefined) open.set(holder, [position]);
    else positions.push(position);
  }
  for (const [{ grantId, nodeId, range }, positions] of open) {
    const node = nodeId === null ? null : expectedNode(state, nodeId);
    if (node !== null && (node.rootId === null || node.rootId === job.rootId)) restoreGrant(state, job, node, { grantId, range, positions });
    // A node that works for another tree by now has given back what it had of this one.
    else for (const run of runsOf(positions)) makeReady(job, { ...range, ...run, attempt: range.attempt + (node === null ? 0 : 1) }, "back");
  }
}

function restoreGrant(state: CoreState, job: Job, node: Node, { grantId, range, positions }: { grantId: number; range: Range; positions: readonly number[] }): void {
  const held: Grant = { id: grantId, nodeId: node.id, range, closed: new Set(), left: positions.length };
  for (let position = range.from; position < range.to; position++) held.closed.add(position);
  for (const position of positions) held.closed.delete(position);
  if (!node.jobs.has(job.id)) assignNode(state, node, job, 0);
  hold(state, job, node, held);
}

/** A node that held something before the restart and has not come back yet. */
function expectedNode(state: CoreState, nodeId: NodeId): Node {
  const known = state.nodes.get(nodeId);
  if (known !== undefined) return known;
  const node = addNode(state, nodeId, { cpu: 0, ramMiB: 0, maxCpu: 0, maxRamMiB: 0 });
  renewLease(state, node);
  return node;
}
