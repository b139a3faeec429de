/** Grants: which node holds which inputs, and what happens when one ends. */
import { LEASE_MS, MAX_WORKER_LOSSES, type NodeId } from "@burla/protocol";
import type { Command, GrantEnded } from "./events.ts";
import { giveUp, isAnswered, makeReady, rangeInputs, runsOf, takeReady } from "./job.ts";
import type { CoreState, Grant, Job, Node, Range } from "./state.ts";
import { consumerIsBehind, grantInputs, wantsMore } from "./sizing.ts";

/** A lost range is cut into so many pieces, until the input that ends workers stands alone: 8^4 covers a chunk. */
const PIECES_AFTER_LOSS = 8;

/** Inputs of a job that a node has been granted and not answered. */
export function outstandingInputs(job: Job, node: Node): number {
  let inputs = 0;
  for (const [grantId, jobId] of node.grants) {
    if (jobId === job.id) inputs += job.grants.get(grantId)?.left ?? 0;
  }
  return inputs;
}

/** Gives a node as much of a job as it can use. */
export function fill(state: CoreState, job: Job, node: Node, commands: Command[]): void {
  const workers = node.jobs.get(job.id);
  if (workers === undefined || node.draining || !node.connected || job.phase !== "running") return;
  let outstanding = outstandingInputs(job, node);
  const allWorkers = assignedWorkers(state, job);
  while (job.ready.length > 0 && !consumerIsBehind(job) && wantsMore(job, outstanding, workers)) {
    const range = takeReady(job, grantInputs(job, allWorkers));
    if (range === undefined) return;
    grant(state, job, node, range, commands);
    outstanding += rangeInputs(range);
  }
}

export function fillAll(state: CoreState, job: Job, commands: Command[]): void {
  if (job.ready.length === 0) return;
  for (const node of state.nodes.values()) {
    if (node.jobs.has(job.id)) fill(state, job, node, commands);
  }
}

/** Workers that a job may use on the nodes assigned to it. */
export function assignedWorkers(state: CoreState, job: Job): number {
  let workers = 0;
  for (const node of state.nodes.values()) {
    if (!node.draining) workers += node.jobs.get(job.id) ?? 0;
  }
  return workers;
}

function grant(state: CoreState, job: Job, node: Node, range: Range, commands: Command[]): void {
  const id = state.nextGrantId++;
  job.grants.set(id, { id, nodeId: node.id, range, closed: new Set(), left: rangeInputs(range) });
  job.grantedInputs += rangeInputs(range);
  node.grants.set(id, job.id);
  const { chunkId, from, to, attempt } = range;
  commands.push({ type: "grant", nodeId: node.id, jobId: job.id, grantId: id, chunkId, from, to, attempt });
}

/** Takes a grant from the books. Its unanswered inputs are then nowhere: put them somewhere. */
export function removeGrant(state: CoreState, job: Job, held: Grant): void {
  job.grants.delete(held.id);
  job.grantedInputs -= held.left;
  state.nodes.get(held.nodeId)?.grants.delete(held.id);
}

/** Positions of a grant that are neither answered nor elsewhere. */
function openPositions(job: Job, held: Grant): number[] {
  const chunk = job.chunks.get(held.range.chunkId);
  if (chunk === undefined || held.left === 0) return [];
  const open: number[] = [];
  for (let position = held.range.from; position < held.range.to; position++) {
    if (!isAnswered(chunk, position) && !held.closed.has(position)) open.push(position);
  }
  return open;
}

/** The node is lost, or gave the grant back unbegun: what is open goes to the front of the queue. */
export function returnGrant(state: CoreState, job: Job, held: Grant, wasTried: boolean): void {
  const open = openPositions(job, held);
  removeGrant(state, job, held);
  for (const run of runsOf(open).reverse()) {
    makeReady(job, { ...held.range, ...run, attempt: held.range.attempt + (wasTried ? 1 : 0) }, "front");
  }
  state.needsAssignment = true;
}

/** Ends a grant as the node reports it. What main itself sees as open decides, not what the node claims. */
export function endGrant(state: CoreState, job: Job, event: GrantEnded, commands: Command[]): void {
  const held = job.grants.get(event.grantId);
  if (held === undefined || held.nodeId !== event.nodeId) return;
  if (event.cause === "worker-exited" || event.cause === "out-of-memory") loseWorker(state, job, held, event, commands);
  else returnGrant(state, job, held, event.cause === "timeout");
}

function loseWorker(state: CoreState, job: Job, held: Grant, event: GrantEnded, commands: Command[]): void {
  job.lostWorkers++;
  const open = openPositions(job, held);
  removeGrant(state, job, held);
  state.needsAssignment = true;
  const attempt = held.range.attempt + 1;
  if (open.length !== 1) {
    for (const piece of pieces(open).reverse()) makeReady(job, { ...held.range, ...piece, attempt }, "front");
    return;
  }
  const [position] = open as [number];
  const losses = held.range.losses + 1;
  const chunk = job.chunks.get(held.range.chunkId);
  if (chunk === undefined) return;
  if (losses < MAX_WORKER_LOSSES) {
    makeReady(job, { ...held.range, from: position, to: position + 1, attempt, losses }, "front");
    return;
  }
  const code = event.cause === "out-of-memory" ? "BURLA_OUT_OF_MEMORY" : "BURLA_WORKER_LOST";
  const index = chunk.first + position;
  const message = `input ${index} ended ${losses} workers, the last one so: ${event.detail}`;
  giveUp(job, chunk, position, { code, message, nodeId: held.nodeId }, commands);
}

function pieces(open: readonly number[]): { from: number; to: number }[] {
  const size = Math.max(1, Math.ceil(open.length / PIECES_AFTER_LOSS));
  return runsOf(open).flatMap((run) => {
    const cuts: { from: number; to: number }[] = [];
    for (let from = run.from; from < run.to; from += size) cuts.push({ from, to: Math.min(run.to, from + size) });
    return cuts;
  });
}

/** Everything that a node holds goes back, and the node works for nobody. */
export function returnAll(state: CoreState, node: Node): void {
  for (const [grantId, jobId] of [...node.grants]) {
    const job = state.jobs.get(jobId);
    const held = job?.grants.get(grantId);
    if (job !== undefined && held !== undefined) returnGrant(state, job, held, true);
    node.grants.delete(grantId);
  }
  node.rootId = null;
  node.jobs.clear();
  node.draining = false;
  state.needsAssignment = true;
}

export function renewLease(state: CoreState, nodeId: NodeId, nowMs: number): void {
  const node = state.nodes.get(nodeId);
  if (node !== undefined) node.leaseUntilMs = nowMs + LEASE_MS;
}
