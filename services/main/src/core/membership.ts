/** Nodes come, stay silent, come back and go. A node keeps what it holds as long as its lease is renewed. */
import { LEASE_MS, LEASE_RENEW_MS, type JobId, type NodeId } from "@burla/protocol";
import { worksOn } from "./elsewhere.ts";
import type { Command, NodeJoined } from "./events.ts";
import { endAllGrants, returnUnclaimed } from "./grants.ts";
import { addNode, assignNode, connectNode, deleteNode, markLeaving, unassignNode, workerLimit, workersOn } from "./nodes.ts";
import { askBack } from "./release.ts";
import type { CoreState, Deadline, Node } from "./state.ts";

/** Far later than a lease ended, main was asleep itself, and so could not hear that it was renewed. */
const MAIN_SLEPT_MS = LEASE_RENEW_MS;

/** A node says hello, for the first time or again, and what it works on. */
export function joinNode(state: CoreState, event: NodeJoined, commands: Command[]): void {
  const node = state.nodes.get(event.nodeId) ?? addNode(state, event.nodeId, event);
  connectNode(state, node, event);
  takeUpWork(state, node, event.jobs);
  renewLease(state, node);
  reconcile(state, node, event, commands);
}

/** Nodes go on with jobs whose queue is elsewhere while main is away: the next main finds them at work. */
function takeUpWork(state: CoreState, node: Node, jobs: readonly JobId[]): void {
  for (const job of worksOn(state, node, jobs)) {
    if (node.rootId === null || node.rootId === job.rootId) assignNode(state, node, job, 0);
  }
}

/** What the node does not hold any more goes back; what main does not want of it any more is stopped. */
function reconcile(state: CoreState, node: Node, event: NodeJoined, commands: Command[]): void {
  const claims = event.holding.filter((claim) => event.jobs.includes(claim.jobId));
  returnUnclaimed(state, node, new Set(claims.map((claim) => claim.grantId)), commands);
  for (const jobId of [...node.jobs.keys()]) {
    if (!event.jobs.includes(jobId)) unassignNode(state, node, jobId);
  }
  stopUnassigned(node, event.nodeId, event.jobs, commands);
  for (const jobId of node.jobs.keys()) {
    setWorkersAfterRestart(state, node, jobId);
    if (node.draining) commands.push({ type: "drain", nodeId: node.id, jobId });
  }
}

function stopUnassigned(node: Node | undefined, nodeId: NodeId, jobs: readonly JobId[], commands: Command[]): void {
  for (const jobId of jobs) {
    if (node?.jobs.has(jobId) !== true) commands.push({ type: "stop", nodeId, jobId, reason: "the job has ended, or works elsewhere" });
  }
}

/** Main has forgotten in its restart how many workers it had given to the job, and knows only now how large the node is. */
function setWorkersAfterRestart(state: CoreState, node: Node, jobId: JobId): void {
  const job = state.jobs.get(jobId);
  if (job === undefined || node.jobs.get(jobId)?.workers !== 0) return;
  const room = workerLimit(state, job) - job.workers;
  assignNode(state, node, job, Math.max(1, Math.min(room, workersOn(node, job))));
}

/** Its machine is about to go. What it has begun it may finish. */
export function leaveNode(state: CoreState, node: Node, commands: Command[]): void {
  if (node.leaving) return;
  markLeaving(state, node);
  if (node.rootId !== null && !node.draining) askBack(state, node, commands);
}

/** The node's agent is alive. It is told again what to stop, should it have missed that. */
export function renew(state: CoreState, nodeId: NodeId, jobs: readonly JobId[], commands: Command[]): void {
  const node = state.nodes.get(nodeId);
  if (node !== undefined) renewLease(state, node);
  stopUnassigned(node, nodeId, jobs, commands);
}

/** A node is dead: what it held was lost with it. */
export function loseNode(state: CoreState, node: Node, commands: Command[]): void {
  endAllGrants(state, node, "lost", commands);
  deleteNode(state, node);
}

/** Counts the node's lease from now. */
export function renewLease(state: CoreState, node: Node): void {
  node.leaseUntilMs = state.nowMs + LEASE_MS;
  if (node.leaseCheck === null) checkLater(state, node);
}

function checkLater(state: CoreState, node: Node): void {
  node.leaseCheck ??= { kind: "lease", nodeId: node.id };
  state.deadlines.add(node.leaseUntilMs, node.leaseCheck);
}

/**
 * A node that has not renewed holds nothing any more. One that is connected and says nothing hangs, and is replaced: it would
 * do what others do by then if it woke up.
 */
export function checkLease(state: CoreState, nodeId: NodeId, deadline: Deadline, commands: Command[]): void {
  const node = state.nodes.get(nodeId);
  if (node?.leaseCheck !== deadline) return;
  const lateMs = state.nowMs - node.leaseUntilMs;
  if (lateMs < 0) return checkLater(state, node);
  if (lateMs <= MAIN_SLEPT_MS) {
    if (node.connected) commands.push({ type: "replaceNode", nodeId });
    return loseNode(state, node, commands);
  }
  node.leaseUntilMs = state.nowMs + LEASE_MS;
  checkLater(state, node);
}
