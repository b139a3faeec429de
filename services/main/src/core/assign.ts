/**
 * Which node works for whom. A node is single-tenant; the tenant is a tree of jobs, because a function that waits for
 * the jobs it started must not starve them of the nodes it blocks. Trees share the nodes evenly; a tree with more than
 * its share hands nodes back between grants.
 */
import type { JobId } from "@burla/protocol";
import type { Command } from "./events.ts";
import { assignedWorkers, fillAll } from "./grants.ts";
import { refreshCredit } from "./job.ts";
import { consumerIsBehind } from "./sizing.ts";
import type { CoreState, Job, Node } from "./state.ts";

/** Less work than this is not worth another node, whose containers must be replaced afterwards. */
const WORTH_A_NODE_MS = 5;

/** Workers that one node can give to a job: what fits into it, or one that has the whole machine. */
export function workersOn(node: Node, job: Pick<Job, "spec">): number {
  const { cpu, ramMiB } = job.spec;
  const byCpu = Math.floor(node.cpu / cpu + 1e-9);
  const byRam = ramMiB === null ? Infinity : Math.floor(node.ramMiB / ramMiB);
  const fitting = Math.min(byCpu, byRam);
  if (fitting >= 1) return fitting;
  return cpu <= node.maxCpu + 1e-9 && (ramMiB ?? 0) <= node.maxRamMiB ? 1 : 0;
}

/** Workers that a job may use in all: by its own limit, and by the processors and memory of the whole cluster. */
export function workerLimit(state: CoreState, job: Job): number {
  let cpu = 0;
  let ramMiB = 0;
  for (const node of state.nodes.values()) {
    cpu += node.cpu;
    ramMiB += node.ramMiB;
  }
  const byCluster = Math.max(1, Math.floor(Math.min(cpu / job.spec.cpu, ramMiB / (job.spec.ramMiB ?? 1)) + 1e-9));
  const { maxParallelism, concurrency } = job.spec;
  const byJob = maxParallelism === null ? Infinity : Math.max(1, Math.floor(maxParallelism / concurrency));
  return Math.min(byCluster, byJob);
}

/** Workers that a job could use right now. */
function wantedWorkers(state: CoreState, job: Job): number {
  if (job.phase !== "running") return 0;
  const open = job.grantedInputs + (consumerIsBehind(job) ? 0 : job.readyInputs);
  const startsNow = job.pushedInputs === 0 && job.totalInputs === null ? 1 : 0;
  const byInputs = Math.max(startsNow, Math.ceil(open / job.spec.concurrency));
  const byWork = job.callMs === null ? Infinity : Math.ceil((open * job.callMs) / job.spec.concurrency / WORTH_A_NODE_MS);
  const busy = job.grants.size > 0 || job.delayed.size > 0 ? 1 : 0;
  return Math.min(workerLimit(state, job), byInputs, Math.max(byWork, busy, startsNow, open > 0 ? 1 : 0));
}

interface Tenant {
  readonly rootId: JobId;
  readonly jobs: Job[];
  readonly nodes: Node[];
  readonly createdMs: number;
}

function tenantsOf(state: CoreState): Tenant[] {
  const tenants = new Map<JobId, Tenant>();
  for (const job of state.jobs.values()) {
    const tenant = tenants.get(job.rootId);
    if (tenant === undefined) tenants.set(job.rootId, { rootId: job.rootId, jobs: [job], nodes: [], createdMs: job.createdMs });
    else tenant.jobs.push(job);
  }
  for (const node of state.nodes.values()) {
    if (node.rootId !== null) tenants.get(node.rootId)?.nodes.push(node);
  }
  return [...tenants.values()];
}

/** Assigns free nodes, asks for nodes back, releases those that are done, and lets every job use what it has. */
export function assignNodes(state: CoreState, commands: Command[]): void {
  state.needsAssignment = false;
  const tenants = tenantsOf(state);
  for (const tenant of tenants) joinNestedJobs(state, tenant, commands);
  shareOut(state, tenants, commands);
  releaseIdle(state, tenants, commands);
  for (const job of state.jobs.values()) {
    fillAll(state, job, commands);
    refreshCredit(job, Math.max(assignedWorkers(state, job), Math.min(workerLimit(state, job), freeWorkers(state, job))), commands);
  }
}

function freeWorkers(state: CoreState, job: Job): number {
  let workers = 0;
  for (const node of state.nodes.values()) {
    if (node.connected && (node.rootId === null || node.rootId === job.rootId)) workers += workersOn(node, job);
  }
  return workers;
}

/** A job started by a function runs on the nodes of its tree, in workers of its own. */
function joinNestedJobs(state: CoreState, tenant: Tenant, commands: Command[]): void {
  for (const node of tenant.nodes) {
    if (node.draining || !node.connected) continue;
    for (const job of tenant.jobs) {
      if (!node.jobs.has(job.id) && wantedWorkers(state, job) > assignedWorkers(state, job)) startOn(state, node, job, commands);
    }
  }
}

function startOn(state: CoreState, node: Node, job: Job, commands: Command[]): boolean {
  const room = workerLimit(state, job) - assignedWorkers(state, job);
  const workers = Math.min(room, workersOn(node, job));
  if (workers < 1) return false;
  node.rootId = job.rootId;
  node.ready = false;
  node.jobs.set(job.id, workers);
  commands.push({ type: "assign", nodeId: node.id, jobId: job.id, workers });
  return true;
}

const isFree = (node: Node) => node.connected && node.ready && node.rootId === null;

function shareOut(state: CoreState, tenants: Tenant[], commands: Command[]): void {
  const hungry = new Set(tenants.filter((tenant) => isHungry(state, tenant)));
  while (hungry.size > 0) {
    const [tenant] = [...hungry].sort((a, b) => a.nodes.length - b.nodes.length || a.createdMs - b.createdMs) as [Tenant];
    const job = tenant.jobs.find((candidate) => wantedWorkers(state, candidate) > assignedWorkers(state, candidate));
    const node = job === undefined ? undefined : bestFree(state, job);
    if (job === undefined) hungry.delete(tenant);
    else if (node !== undefined && startOn(state, node, job, commands)) tenant.nodes.push(node);
    else {
      hungry.delete(tenant);
      askBack(state, tenants, tenant, job, commands);
    }
  }
}

function isHungry(state: CoreState, tenant: Tenant): boolean {
  return tenant.jobs.some((job) => wantedWorkers(state, job) > assignedWorkers(state, job));
}

/** The free node that leaves the least of itself unused. */
function bestFree(state: CoreState, job: Job): Node | undefined {
  let best: Node | undefined;
  for (const node of state.nodes.values()) {
    if (!isFree(node) || workersOn(node, job) < 1) continue;
    if (best === undefined || node.cpu < best.cpu) best = node;
  }
  return best;
}

/** A tree below its even share may ask one back from the tree that has the most above it. */
function askBack(state: CoreState, tenants: Tenant[], asking: Tenant, job: Job, commands: Command[]): void {
  const share = Math.max(1, Math.floor(state.nodes.size / tenants.length));
  const comingBack = [...state.nodes.values()].filter((node) => node.draining || (node.rootId === null && !node.ready)).length;
  if (asking.nodes.length + comingBack >= share) return;
  const holders = tenants.filter((tenant) => tenant !== asking && held(tenant).length > share);
  holders.sort((a, b) => held(b).length - held(a).length);
  const node = holders.flatMap(held).filter((candidate) => workersOn(candidate, job) > 0).sort((a, b) => a.grants.size - b.grants.size)[0];
  if (node === undefined) return;
  node.draining = true;
  for (const jobId of node.jobs.keys()) commands.push({ type: "drain", nodeId: node.id, jobId });
}

const held = (tenant: Tenant) => tenant.nodes.filter((node) => !node.draining);

/** Gives back nodes that were asked back and are done, and nodes whose tree has nothing left for them. */
function releaseIdle(state: CoreState, tenants: Tenant[], commands: Command[]): void {
  for (const tenant of tenants) {
    let keeps = tenant.nodes.length;
    for (const node of tenant.nodes) {
      if (node.grants.size > 0) continue;
      const nothingLeft = tenant.jobs.every((job) => job.totalInputs !== null && job.readyInputs === 0 && job.delayed.size === 0);
      if (!node.draining && (!nothingLeft || keeps <= 1)) continue;
      keeps--;
      releaseNode(node, node.draining ? "another job waits for this node" : "no inputs are left for this node", commands);
    }
  }
}

export function releaseNode(node: Node, reason: string, commands: Command[]): void {
  for (const jobId of node.jobs.keys()) commands.push({ type: "stop", nodeId: node.id, jobId, reason });
  node.jobs.clear();
  node.rootId = null;
  node.draining = false;
  node.ready = false;
}
