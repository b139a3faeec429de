/**
 * The registry of nodes: which are there, which tree and jobs each works for. Owns everything that is counted or
 * indexed over nodes, by one function: `updateNode`.
 */
import type { JobId, NodeId } from "@burla/protocol";
import type { Command, NodeJoined } from "./events.ts";
import { countReady, isElsewhere } from "./job.ts";
import { hasIdleWorkers } from "./sizing.ts";
import type { Assignment, CallTime, CoreState, Job, Node } from "./state.ts";

type Size = Pick<NodeJoined, "cpu" | "ramMiB" | "maxCpu" | "maxRamMiB">;

/** A node that main has not heard of yet: it counts for nothing until it is connected. */
export function addNode(state: CoreState, id: NodeId, size: Size): Node {
  const { cpu, ramMiB, maxCpu, maxRamMiB } = size;
  const node: Node = {
    id, cpu, ramMiB, maxCpu, maxRamMiB,
    connected: false, ready: false, rootId: null, tenantSinceMs: state.nowMs, jobs: new Map(), draining: false, leaving: false, pinned: false, grants: new Map(), elsewhere: 0,
    leaseUntilMs: state.nowMs, leaseCheck: null, idleSinceMs: state.nowMs,
  };
  state.nodes.set(id, node);
  return node;
}

/** Takes a node from the books. It must hold no grants. */
export function deleteNode(state: CoreState, node: Node): void {
  forgetElsewhere(state, node, [...node.jobs.keys()]);
  updateNode(state, node, () => {
    node.connected = false;
    clearWork(node);
  });
  state.nodes.delete(node.id);
}

export function connectNode(state: CoreState, node: Node, { cpu, ramMiB, maxCpu, maxRamMiB }: Size): void {
  updateNode(state, node, () => Object.assign(node, { cpu, ramMiB, maxCpu, maxRamMiB, connected: true, ready: false }));
}

export function disconnectNode(state: CoreState, node: Node): void {
  updateNode(state, node, () => (node.connected = false));
}

/** Fresh containers are warm. Said late, of a node that has been assigned meanwhile, it means nothing. */
export function readyNode(state: CoreState, node: Node): void {
  if (node.rootId === null) updateNode(state, node, () => (node.ready = true));
}

/** The node is to get no more grants, and to be released when it holds none. */
export function drainNode(state: CoreState, node: Node): void {
  updateNode(state, node, () => (node.draining = true));
}

/** The node is about to go: from now on it counts for nothing but what it has begun. */
export function markLeaving(state: CoreState, node: Node): void {
  updateNode(state, node, () => (node.leaving = true));
}

/** A draining node stays with its tree after all, and is not asked back again. */
export function keepDraining(state: CoreState, node: Node): void {
  updateNode(state, node, () => {
    node.draining = false;
    node.pinned = true;
  });
}

/** The node works for a job from now on, with so many workers. */
export function assignNode(state: CoreState, node: Node, job: Job, workers: number): void {
  updateNode(state, node, () => {
    if (node.rootId === null) node.idleSinceMs = node.tenantSinceMs = state.nowMs;
    node.rootId = job.rootId;
    node.ready = false;
    const known = node.jobs.get(job.id);
    if (known === undefined) node.jobs.set(job.id, { workers, outstanding: 0, stalled: false });
    else known.workers = workers;
  });
}

/** The node works for a job no longer; without jobs it works for nobody. It must hold none of the job's grants. */
export function unassignNode(state: CoreState, node: Node, jobId: JobId): void {
  forgetElsewhere(state, node, [jobId]);
  updateNode(state, node, () => {
    node.jobs.delete(jobId);
    if (node.jobs.size === 0) clearWork(node);
  });
}

/** Ends all work of a node, which then starts over with fresh containers. It must hold no grants. */
export function releaseNode(state: CoreState, node: Node, reason: string, commands: Command[]): void {
  for (const jobId of node.jobs.keys()) commands.push({ type: "stop", nodeId: node.id, jobId, reason });
  forgetElsewhere(state, node, [...node.jobs.keys()]);
  updateNode(state, node, () => clearWork(node));
}

/** The node has so many inputs of a job whose queue is elsewhere. */
export function setElsewhere(state: CoreState, job: Job, node: Node, inputs: number): void {
  const assignment = node.jobs.get(job.id);
  if (assignment === undefined) return;
  const heldNothing = holdsNothing(node);
  node.elsewhere += inputs - assignment.outstanding;
  job.grantedInputs += inputs - assignment.outstanding;
  assignment.outstanding = inputs;
  countReady(job);
  noteLoad(job, node, assignment);
  if (heldNothing !== holdsNothing(node)) noteIdleness(state, node);
}

/** Before a node leaves these jobs. */
function forgetElsewhere(state: CoreState, node: Node, jobs: readonly JobId[]): void {
  for (const jobId of jobs) {
    const job = state.jobs.get(jobId);
    if (job !== undefined && isElsewhere(job)) setElsewhere(state, job, node, 0);
  }
}

/** To be called when a node got its first grant, or lost its last one. */
export function noteIdleness(state: CoreState, node: Node): void {
  node.idleSinceMs = state.nowMs;
  put(state.idle, node, isIdle(node));
}

/** Workers that one node can give to a job: what fits into it, or one that has the whole machine. */
export function workersOn(node: Node, { spec }: Pick<Job, "spec">): number {
  const { cpu, ramMiB } = spec;
  const byCpu = Math.floor(node.cpu / cpu + 1e-9);
  const byRam = ramMiB === null ? Infinity : Math.floor(node.ramMiB / ramMiB);
  const fitting = Math.min(byCpu, byRam);
  if (fitting >= 1) return fitting;
  return cpu <= node.maxCpu + 1e-9 && (ramMiB ?? 0) <= node.maxRamMiB ? 1 : 0;
}

/** Workers that a job may use in all: by its own limit, and by the processors and memory of the whole cluster. */
export function workerLimit(state: CoreState, job: Job): number {
  const { cpu, ramMiB, maxParallelism, concurrency } = job.spec;
  const byRam = ramMiB === null ? Infinity : state.ramMiB / ramMiB;
  const byCluster = Math.max(1, Math.floor(Math.min(state.cpu / cpu, byRam) + 1e-9));
  const byJob = maxParallelism === null ? Infinity : Math.max(1, Math.floor(maxParallelism / concurrency));
  return Math.min(byCluster, byJob);
}

function clearWork(node: Node): void {
  node.jobs.clear();
  node.rootId = null;
  node.draining = false;
  node.pinned = false;
  node.ready = false;
}

/** Changes a node, and with it all that is counted over nodes. */
function updateNode(state: CoreState, node: Node, change: () => void): void {
  count(state, node, -1);
  change();
  count(state, node, 1);
}

function count(state: CoreState, node: Node, sign: 1 | -1): void {
  if (counts(node)) {
    state.connected += sign;
    state.cpu += sign * node.cpu;
    state.ramMiB += sign * node.ramMiB;
  }
  put(state.free, node, sign === 1 && counts(node) && node.ready && node.rootId === null);
  put(state.idle, node, sign === 1 && isIdle(node));
  put(state.draining, node, sign === 1 && node.draining);
  if (node.rootId !== null) putInTree(state, node, node.rootId, sign === 1);
  for (const [jobId, assignment] of node.jobs) {
    const job = state.jobs.get(jobId);
    if (job !== undefined) countWorkers(job, node, assignment, sign);
  }
}

function countWorkers(job: Job, node: Node, assignment: Assignment, sign: 1 | -1): void {
  job.workers += sign * assignment.workers;
  if (isUsable(node)) job.usableWorkers += sign * assignment.workers;
  put(job.takers, node, sign === 1 && isUsable(node));
  put(job.idlers, node, sign === 1 && isUsable(node) && hasIdleWorkers(job, assignment));
}

/** It is there; if it is about to go, as long as it works. */
const counts = (node: Node) => node.connected && (!node.leaving || node.rootId !== null);

/** It may be granted something. */
const isUsable = (node: Node) => node.connected && !node.draining;

/** To be called when a node holds more, or less, of a job. */
export function noteLoad(job: Job, node: Node, assignment: Assignment): void {
  put(job.idlers, node, isUsable(node) && hasIdleWorkers(job, assignment));
  if (isUsable(node)) job.takers.add(node);
}

/** Takes a new measure of a call's time. Nodes that were full may have room, if calls are much shorter. */
export function noteCallTime(state: CoreState, job: Job, callTime: CallTime): void {
  job.callTime = callTime;
  const { callMs } = callTime;
  const shorter = callMs * 2 < job.offeredAtCallMs;
  if (shorter || callMs > job.offeredAtCallMs) job.offeredAtCallMs = callMs;
  if (!shorter) return;
  for (const node of state.trees.get(job.rootId) ?? []) {
    if (node.jobs.has(job.id) && isUsable(node)) job.takers.add(node);
  }
}

const isIdle = (node: Node) => node.rootId !== null && holdsNothing(node);

/** Whether it has no input of any job. */
export const holdsNothing = (node: Node) => node.grants.size === 0 && node.elsewhere === 0;

function put(set: Set<Node>, node: Node, inside: boolean): void {
  if (inside) set.add(node);
  else set.delete(node);
}

function putInTree(state: CoreState, node: Node, rootId: JobId, inside: boolean): void {
  const tree = state.trees.get(rootId) ?? new Set();
  put(tree, node, inside);
  if (tree.size > 0) state.trees.set(rootId, tree);
  else state.trees.delete(rootId);
}
