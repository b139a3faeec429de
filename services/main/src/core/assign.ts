/**
 * Which node works for whom. A node is single-tenant; the tenant is a tree of jobs, because a function that waits for
 * the jobs it started must not starve them of the nodes it blocks. Trees share the nodes evenly. A node changes hands
 * only between grants, and starts over with fresh containers before it is free.
 */
import type { JobId } from "@burla/protocol";
import type { Command } from "./events.ts";
import { assignNode, keepDraining, workerLimit, workersOn } from "./nodes.ts";
import { consumerIsBehind } from "./sizing.ts";
import type { CoreState, Job, Node } from "./state.ts";

/** Less work than this is not worth another node, whose containers must be replaced afterwards. */
const WORTH_A_NODE_MS = 5;

/** The jobs of every tree, by its outermost job. */
export type Tenants = ReadonlyMap<JobId, readonly Job[]>;

/** Assigns nodes of the own tree and free ones to the jobs that have a use for them. */
export function assignNodes(state: CoreState, commands: Command[]): void {
  const tenants = tenantsOf(state);
  for (const jobs of tenants.values()) useOwnNodes(state, jobs, commands);
  shareOut(state, tenants, commands);
}

export function tenantsOf(state: CoreState): Tenants {
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
  const begins = job.client === "feeds" && job.usableWorkers === 0 && job.pushedInputs === 0 && job.totalInputs === null;
  if (begins) return 1;
  const idle = Math.max(0, job.usableWorkers - Math.ceil(job.grantedInputs / job.spec.concurrency));
  return Math.max(0, Math.min(room, usefulWorkers(job) - idle));
}

/** Workers that the inputs which nobody has been granted would keep busy. */
function usefulWorkers(job: Job): number {
  if (job.readyInputs === 0 || consumerIsBehind(job)) return 0;
  const byInputs = Math.ceil(job.readyInputs / job.spec.concurrency);
  if (job.callTime === null) return byInputs;
  const byWork = Math.floor((job.readyInputs * job.callTime.callMs) / job.spec.concurrency / WORTH_A_NODE_MS);
  return Math.min(byInputs, Math.max(byWork, job.usableWorkers === 0 ? 1 : 0));
}

export const treeOf = (state: CoreState, rootId: JobId): Node[] => [...(state.trees.get(rootId) ?? [])];
const treeSize = (state: CoreState, rootId: JobId): number => state.trees.get(rootId)?.size ?? 0;

/** A job started by a function runs on the nodes of its tree, in workers of its own. */
function useOwnNodes(state: CoreState, jobs: readonly Job[], commands: Command[]): void {
  const [job] = jobs;
  if (job === undefined || jobs.length === 1 || !jobs.some((candidate) => missingWorkers(state, candidate) > 0)) return;
  const nodes = treeOf(state, job.rootId).filter((node) => node.connected);
  for (const waiting of jobs) keepNode(state, waiting, nodes);
  for (const node of nodes) {
    if (!node.draining) startOn(state, node, jobs, commands);
  }
}

/**
 * A function may wait on a draining node of its tree for a job that fits nowhere else: that node stays. Once only, so
 * that it does not go to and fro.
 */
function keepNode(state: CoreState, job: Job, connected: readonly Node[]): void {
  if (job.readyInputs === 0 || job.usableWorkers > 0 || missingWorkers(state, job) === 0) return;
  const fitting = connected.filter((node) => !node.leaving && workersOn(node, job) > 0);
  const [first] = fitting;
  if (first === undefined || fitting.some((node) => !node.draining) || bestFree(state, job) !== undefined) return;
  keepDraining(state, first);
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

/** Gives free nodes to the jobs that want some, always to the tree that has the fewest. */
function shareOut(state: CoreState, tenants: Tenants, commands: Command[]): void {
  if (state.free.size === 0) return;
  const hungry = new Set([...state.jobs.values()].filter((job) => missingWorkers(state, job) > 0));
  for (let job = poorest(state, hungry); job !== undefined; job = poorest(state, hungry)) {
    const node = missingWorkers(state, job) > 0 ? bestFree(state, job) : undefined;
    if (node === undefined) hungry.delete(job);
    else startOn(state, node, [job, ...(tenants.get(job.rootId) ?? [])], commands);
  }
}

function poorest(state: CoreState, jobs: Iterable<Job>): Job | undefined {
  let best: Job | undefined;
  for (const job of jobs) {
    if (best === undefined || comesBefore(state, job, best)) best = job;
  }
  return best;
}

/** A job with inputs comes before one that waits for its first, then the tree with fewer nodes, then who has waited longer. */
export function comesBefore(state: CoreState, job: Job, other: Job): boolean {
  const begins = Number(job.readyInputs === 0) - Number(other.readyInputs === 0);
  const nodes = treeSize(state, job.rootId) - treeSize(state, other.rootId);
  return (begins || nodes || job.servedMs - other.servedMs || job.createdMs - other.createdMs) < 0;
}

/** The free node that leaves the least of itself unused. */
function bestFree(state: CoreState, job: Job): Node | undefined {
  let best: Node | undefined;
  for (const node of state.free) {
    if ((best === undefined || node.cpu < best.cpu) && workersOn(node, job) > 0) best = node;
  }
  return best;
}
