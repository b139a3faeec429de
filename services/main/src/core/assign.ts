/**
 * Which node works for whom. A node is single-tenant; the tenant is a tree of jobs, because a function that waits for
 * the jobs it started must not starve them of the nodes it blocks. Trees share the nodes evenly. A node changes hands
 * only between grants, and starts over with fresh containers before it is free.
 */
import type { JobId } from "@burla/protocol";
import type { Command } from "./events.ts";
import { assignNode, drainNode, releaseNode, workerLimit, workersOn } from "./nodes.ts";
import { consumerIsBehind } from "./sizing.ts";
import type { CoreState, Job, Node } from "./state.ts";

/** Less work than this is not worth another node, whose containers must be replaced afterwards. */
const WORTH_A_NODE_MS = 5;
/** A node for which its tree has had nothing for this long may be taken by a job that waits. */
const SURPLUS_AFTER_MS = 250;

/** The jobs of every tree, by its outermost job. */
type Tenants = ReadonlyMap<JobId, readonly Job[]>;

/** Releases nodes that are done, assigns free ones, and makes room where jobs wait and sharing is unfair. */
export function assignNodes(state: CoreState, commands: Command[]): void {
  const tenants = tenantsOf(state);
  releaseFinished(state, tenants, commands);
  for (const jobs of tenants.values()) useOwnNodes(state, jobs, commands);
  const waiting = shareOut(state, tenants, commands).filter((job) => job.readyInputs > 0);
  if (waiting.some((job) => state.trees.size > (state.trees.has(job.rootId) ? 1 : 0))) makeRoom(state, waiting, commands);
}

function tenantsOf(state: CoreState): Tenants {
  const tenants = new Map<JobId, Job[]>();
  for (const job of state.jobs.values()) {
    const jobs = tenants.get(job.rootId);
    if (jobs === undefined) tenants.set(job.rootId, [job]);
    else jobs.push(job);
  }
  return tenants;
}

/** Workers that a job could use beyond those it has. */
export function missingWorkers(state: CoreState, job: Job): number {
  const room = workerLimit(state, job) - job.workers;
  if (job.phase !== "running" || room < 1) return 0;
  const begins = job.usableWorkers === 0 && job.pushedInputs === 0 && job.totalInputs === null;
  if (begins) return 1;
  const idle = Math.max(0, job.usableWorkers - Math.ceil(job.grantedInputs / job.spec.concurrency));
  return Math.max(0, Math.min(room, usefulWorkers(job) - idle));
}

/** Workers that the inputs which nobody has been granted would keep busy. */
function usefulWorkers(job: Job): number {
  if (job.readyInputs === 0 || consumerIsBehind(job)) return 0;
  const byInputs = Math.ceil(job.readyInputs / job.spec.concurrency);
  if (job.callMs === null) return byInputs;
  const byWork = Math.floor((job.readyInputs * job.callMs) / job.spec.concurrency / WORTH_A_NODE_MS);
  return Math.min(byInputs, Math.max(byWork, job.usableWorkers === 0 ? 1 : 0));
}

const treeOf = (state: CoreState, rootId: JobId): Node[] => [...(state.trees.get(rootId) ?? [])];
const treeSize = (state: CoreState, rootId: JobId): number => state.trees.get(rootId)?.size ?? 0;
const connectedNodes = (state: CoreState): Node[] => [...state.nodes.values()].filter((node) => node.connected);

/** Gives back nodes that were asked back and are done, and nodes whose tree will have nothing more for them. */
function releaseFinished(state: CoreState, tenants: Tenants, commands: Command[]): void {
  for (const node of [...state.idle]) {
    if (node.rootId === null) continue;
    const lastOfTree = treeSize(state, node.rootId) === 1;
    if (node.draining) releaseNode(state, node, "another job waits for this node", commands);
    else if (!lastOfTree && tenants.get(node.rootId)?.every(hasNothingLeft) === true) {
      releaseNode(state, node, "no inputs are left for this node", commands);
    }
  }
}

function hasNothingLeft(job: Job): boolean {
  return (job.totalInputs !== null || job.abandoned) && job.readyInputs === 0 && job.delayed.size === 0;
}

/** A job started by a function runs on the nodes of its tree, in workers of its own. */
function useOwnNodes(state: CoreState, jobs: readonly Job[], commands: Command[]): void {
  const [job] = jobs;
  if (job === undefined || !jobs.some((candidate) => missingWorkers(state, candidate) > 0)) return;
  const nodes = treeOf(state, job.rootId).filter((node) => node.connected);
  keepOneNode(state, nodes);
  for (const node of nodes) {
    if (!node.draining) startOn(state, node, jobs, commands);
  }
}

/** A function may wait on the last, draining node of its tree for a job that would have to run there: it stays. */
function keepOneNode(state: CoreState, connected: readonly Node[]): void {
  const [first] = connected;
  if (first !== undefined && connected.every((node) => node.draining)) drainNode(state, first, false);
}

/** Starts those of the jobs on a node that are not there, have a use for it, and fit. */
function startOn(state: CoreState, node: Node, jobs: readonly Job[], commands: Command[]): void {
  for (const job of jobs) {
    if (node.jobs.has(job.id) || missingWorkers(state, job) === 0) continue;
    const workers = Math.min(workerLimit(state, job) - job.workers, workersOn(node, job));
    if (workers < 1) continue;
    assignNode(state, node, job, workers);
    commands.push({ type: "assign", nodeId: node.id, jobId: job.id, workers });
  }
}

/** Gives free nodes to the jobs that want some, always to the tree that has the fewest. @returns jobs that got too few. */
function shareOut(state: CoreState, tenants: Tenants, commands: Command[]): Job[] {
  const waiting: Job[] = [];
  const hungry = new Set([...state.jobs.values()].filter((job) => missingWorkers(state, job) > 0));
  for (let job = poorest(state, hungry); job !== undefined; job = poorest(state, hungry)) {
    const node = bestFree(state, job);
    if (missingWorkers(state, job) > 0 && node !== undefined) {
      startOn(state, node, [job, ...(tenants.get(job.rootId) ?? [])], commands);
      continue;
    }
    hungry.delete(job);
    if (missingWorkers(state, job) > 0) waiting.push(job);
  }
  return waiting;
}

function poorest(state: CoreState, jobs: Iterable<Job>): Job | undefined {
  let best: Job | undefined;
  for (const job of jobs) {
    if (best === undefined || comesBefore(state, job, best)) best = job;
  }
  return best;
}

function comesBefore(state: CoreState, job: Job, other: Job): boolean {
  const difference = treeSize(state, job.rootId) - treeSize(state, other.rootId);
  return difference < 0 || (difference === 0 && job.createdMs < other.createdMs);
}

/** The free node that leaves the least of itself unused. */
function bestFree(state: CoreState, job: Job): Node | undefined {
  let best: Node | undefined;
  for (const node of state.free) {
    if ((best === undefined || node.cpu < best.cpu) && workersOn(node, job) > 0) best = node;
  }
  return best;
}

/** Finds nodes for jobs that wait: those that come back anyway, those that nobody uses, those above the even share. */
function makeRoom(state: CoreState, waiting: readonly Job[], commands: Command[]): void {
  const nodes = connectedNodes(state);
  const coming = new Set(nodes.filter((node) => node.draining || (node.rootId === null && !node.ready)));
  const trees = new Set([...state.trees.keys(), ...waiting.map((job) => job.rootId)]);
  const share = Math.max(1, Math.floor(nodes.length / trees.size));
  for (const job of waiting) {
    const need = { workers: missingWorkers(state, job), nodes: share - heldBy(state, job.rootId).length };
    take(coming, job, need);
    const surplus = surplusNodes(state, job);
    for (const node of take(surplus, job, need)) releaseNode(state, node, "another job has a use for this node", commands);
    while (need.workers > 0 && need.nodes > 0) {
      const node = fromRichest(state, trees, job, share);
      if (node === undefined) break;
      take([node], job, need);
      askBack(state, node, commands);
    }
  }
}

/** What a waiting job still needs: so many workers, on at most so many nodes if they are taken from others. */
interface Need {
  workers: number;
  nodes: number;
}

/** Books nodes that fit for a job, and removes them from a set that they are in. */
function take(nodes: Iterable<Node>, job: Job, need: Need): Node[] {
  const taken: Node[] = [];
  for (const node of [...nodes]) {
    const workers = workersOn(node, job);
    if (need.workers <= 0 || workers === 0) continue;
    need.workers -= workers;
    need.nodes--;
    taken.push(node);
    if (nodes instanceof Set) nodes.delete(node);
  }
  return taken;
}

/** Nodes of other trees that hold nothing, and have not for a while; asks to look again when others get there. */
function surplusNodes(state: CoreState, job: Job): Node[] {
  const surplus: Node[] = [];
  for (const node of state.idle) {
    if (node.rootId === job.rootId || !node.connected || node.draining) continue;
    const fromMs = node.idleSinceMs + SURPLUS_AFTER_MS;
    if (fromMs <= state.nowMs) surplus.push(node);
    else if (state.idleCheck === null) {
      state.idleCheck = { kind: "idle" };
      state.deadlines.add(fromMs, state.idleCheck);
    }
  }
  return surplus;
}

/** Nodes of a tree that are not on their way to another. */
function heldBy(state: CoreState, rootId: JobId): Node[] {
  return treeOf(state, rootId).filter((node) => node.connected && !node.draining);
}

/** The node with the least to finish, of the tree that has the most nodes above its share. */
function fromRichest(state: CoreState, trees: Iterable<JobId>, job: Job, share: number): Node | undefined {
  let best: Node | undefined;
  let most = share;
  for (const rootId of trees) {
    const held = heldBy(state, rootId);
    if (rootId === job.rootId || held.length <= most) continue;
    const fitting = held.filter((node) => workersOn(node, job) > 0).sort((a, b) => a.grants.size - b.grants.size);
    if (fitting[0] === undefined) continue;
    best = fitting[0];
    most = held.length;
  }
  return best;
}

function askBack(state: CoreState, node: Node, commands: Command[]): void {
  if (node.grants.size === 0) return releaseNode(state, node, "another job waits for this node", commands);
  drainNode(state, node, true);
  for (const jobId of node.jobs.keys()) commands.push({ type: "drain", nodeId: node.id, jobId });
}
