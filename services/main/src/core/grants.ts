/** Grants: which node holds which inputs, and what happens when one ends. Owns everything that is counted over grants. */
import { MAX_WORKER_LOSSES } from "@burla/protocol";
import type { Command, GrantCommand, GrantEnded } from "./events.ts";
import { giveUp, isOpenIn, makeReady, rangeInputs, runsOf, takeReady } from "./job.ts";
import { noteIdleness, noteLoad } from "./nodes.ts";
import { consumerIsBehind, grantInputs, hasIdleWorkers, wantsMore } from "./sizing.ts";
import type { Assignment, CoreState, Grant, Job, Node, Range } from "./state.ts";

/** A lost range is cut into so many pieces, until the input that ends workers stands alone: 8^5 is above any chunk. */
const PIECES_AFTER_LOSS = 8;
/** A node is seldom lost through the one input that it held: mostly the machine was taken away. */
const NODE_LOSS = MAX_WORKER_LOSSES / 12;

/** Gives a job's nodes as much of it as they can use: first to idle workers, then to those that soon will be. */
export function fillNodes(state: CoreState, job: Job, commands: Command[]): void {
  giveInTurn(state, job, job.idlers, hasIdleWorkers, commands);
  giveInTurn(state, job, job.takers, wantsMore, commands);
}

/** One grant to each node in turn, so that none takes what another could begin sooner. */
function giveInTurn(state: CoreState, job: Job, nodes: Set<Node>, takes: (job: Job, assignment: Assignment) => boolean, commands: Command[]): void {
  while (nodes.size > 0) {
    for (const node of nodes) {
      if (job.ready.length === 0 || consumerIsBehind(job) || job.phase !== "running") return;
      const assignment = node.jobs.get(job.id);
      const range = assignment !== undefined && takes(job, assignment) ? takeReady(job, grantInputs(job, job.usableWorkers)) : undefined;
      if (range === undefined) nodes.delete(node);
      else commands.push(newGrant(state, job, node, range));
    }
  }
}

function newGrant(state: CoreState, job: Job, node: Node, range: Range): GrantCommand {
  const id = state.nextGrantId++;
  job.servedMs = state.nowMs;
  hold(state, job, node, { id, nodeId: node.id, range, closed: new Set(), left: rangeInputs(range) });
  return { type: "grant", nodeId: node.id, jobId: job.id, grantId: id, ...range };
}

/** Puts a grant on the books. The node must be assigned to the job. */
export function hold(state: CoreState, job: Job, node: Node, grant: Grant): void {
  job.grants.set(grant.id, grant);
  node.grants.set(grant.id, job.id);
  countHeld(job, node, grant.left);
  if (node.grants.size === 1) noteIdleness(state, node);
}

/** Takes a grant from the books. Its open inputs are then nowhere: put them somewhere. */
export function removeGrant(state: CoreState, job: Job, held: Grant): void {
  job.grants.delete(held.id);
  const node = state.nodes.get(held.nodeId);
  if (node?.grants.delete(held.id) !== true) return;
  countHeld(job, node, -held.left);
  if (node.grants.size === 0) noteIdleness(state, node);
}

/** So many inputs of a grant are answered, or wait for a retry. Without any left the grant is over. */
export function countDown(state: CoreState, job: Job, held: Grant, inputs: number): void {
  const node = state.nodes.get(held.nodeId);
  if (node === undefined || inputs === 0) return;
  held.left -= inputs;
  countHeld(job, node, -inputs);
  const assignment = node.jobs.get(job.id);
  if (assignment !== undefined) assignment.stalled = false;
  if (held.left === 0) removeGrant(state, job, held);
}

function countHeld(job: Job, node: Node, inputs: number): void {
  job.grantedInputs += inputs;
  const assignment = node.jobs.get(job.id);
  if (assignment === undefined) return;
  assignment.outstanding += inputs;
  noteLoad(job, node, assignment);
}

/** Positions of a grant that are neither answered nor elsewhere. */
function openPositions(job: Job, held: Grant): number[] {
  const chunk = job.chunks.get(held.range.chunkId);
  const open: number[] = [];
  if (chunk === undefined) return open;
  for (let position = held.range.from; position < held.range.to; position++) {
    if (isOpenIn(chunk, held, position)) open.push(position);
  }
  return open;
}

/** Puts inputs that were granted back to the front of the queue, in their order. */
function requeue(job: Job, ranges: readonly Range[], commands: Command[]): void {
  for (const range of [...ranges].reverse()) {
    makeReady(job, range, "front");
    commands.push({ type: "requeued", jobId: job.id, range });
  }
}

/** Ends a grant without blame. */
export function returnGrant(state: CoreState, job: Job, held: Grant, commands: Command[]): void {
  const open = openPositions(job, held);
  removeGrant(state, job, held);
  requeue(job, runsOf(open).map((run) => ({ ...held.range, ...run, attempt: held.range.attempt + 1 })), commands);
}

/** Ends a grant, or a part of it, as the node reports it. */
export function endGrant(state: CoreState, job: Job, event: GrantEnded, commands: Command[]): void {
  const held = job.grants.get(event.grantId);
  if (held === undefined || held.nodeId !== event.nodeId) return;
  switch (event.cause) {
    case "released":
      return releasePart(state, job, held, event.unfinished, commands);
    case "worker-exited":
    case "out-of-memory":
      job.lostWorkers += event.lostWorkers;
      return loseGrant(state, job, held, { weight: 1, outOfMemory: event.cause === "out-of-memory", detail: event.detail }, commands);
    case "timeout":
    case "done":
      return returnGrant(state, job, held, commands);
  }
}

/** The node gives back what it has not begun; the rest of the grant goes on. */
function releasePart(state: CoreState, job: Job, held: Grant, unfinished: readonly number[], commands: Command[]): void {
  const named = new Set(unfinished);
  const released = openPositions(job, held).filter((position) => named.has(position));
  for (const position of released) held.closed.add(position);
  countDown(state, job, held, released.length);
  const assignment = state.nodes.get(held.nodeId)?.jobs.get(job.id);
  if (assignment !== undefined) assignment.stalled = true;
  requeue(job, runsOf(released).map((run) => ({ ...held.range, ...run })), commands);
}

interface Loss {
  /** How much of a worker's end it counts for. */
  readonly weight: number;
  readonly outOfMemory: boolean;
  readonly detail: string;
}

/** Ends a grant whose worker ended over it. The open inputs are tried again in smaller company; one alone is to blame. */
function loseGrant(state: CoreState, job: Job, held: Grant, loss: Loss, commands: Command[]): void {
  const open = openPositions(job, held);
  removeGrant(state, job, held);
  const tried = { ...held.range, attempt: held.range.attempt + 1 };
  const [position] = open;
  if (open.length !== 1 || position === undefined) {
    return requeue(job, pieces(open).map((piece) => ({ ...tried, ...piece })), commands);
  }
  const losses = held.range.losses + loss.weight;
  if (losses < MAX_WORKER_LOSSES) return requeue(job, [{ ...tried, from: position, to: position + 1, losses }], commands);
  const chunk = job.chunks.get(held.range.chunkId);
  if (chunk === undefined) return;
  const code = loss.outOfMemory ? "BURLA_OUT_OF_MEMORY" : "BURLA_WORKER_LOST";
  const index = chunk.first + position;
  const message = `input ${index} ended its worker again and again, at attempt ${held.range.attempt} so: ${loss.detail}`;
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

/** Ends all grants of a node: `lost` with it, or given back without blame. */
export function endAllGrants(state: CoreState, node: Node, how: "lost" | "returned", commands: Command[]): void {
  for (const [job, held] of grantsOf(state, node)) {
    if (how === "returned") returnGrant(state, job, held, commands);
    else loseGrant(state, job, held, { weight: NODE_LOSS, outOfMemory: false, detail: `node ${node.id} was lost` }, commands);
  }
}

/** Grants of a node that it does not hold any more go back. */
export function returnUnclaimed(state: CoreState, node: Node, claimed: ReadonlySet<number>, commands: Command[]): void {
  for (const [job, held] of grantsOf(state, node)) {
    if (!claimed.has(held.id)) returnGrant(state, job, held, commands);
  }
}

function grantsOf(state: CoreState, node: Node): [Job, Grant][] {
  const grants: [Job, Grant][] = [];
  for (const [grantId, jobId] of node.grants) {
    const job = state.jobs.get(jobId);
    const held = job?.grants.get(grantId);
    if (job !== undefined && held !== undefined) grants.push([job, held]);
  }
  return grants;
}
