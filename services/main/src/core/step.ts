/**
 * The heart of main: state and event in, commands out. Nothing here reads a clock, a socket or a file, so that the
 * whole of it can be tested with random schedules. `state` is changed in place; a caller keeps one state per cluster.
 */
import { CLIENT_GRACE_MS, indexAt, LEASE_MS, type JobId, type NodeId } from "@burla/protocol";
import { assignNodes, releaseNode, workersOn } from "./assign.ts";
import { DeadlineHeap } from "./deadlines.ts";
import type { Command, Event, NodeJoined, ResultsArrived } from "./events.ts";
import { assignedWorkers, endGrant, fill, removeGrant, renewLease, returnAll, returnGrant } from "./grants.ts";
import { accept, acknowledge, closeChunk, createJob, isComplete, makeReady, recordDelivery, refreshCredit } from "./job.ts";
import { nextCallMs, retryDelayMs } from "./sizing.ts";
import type { CoreState, Deadline, Job, Range } from "./state.ts";

export function createState(): CoreState {
  return { jobs: new Map(), nodes: new Map(), nextGrantId: 1, needsAssignment: false, deadlines: new DeadlineHeap() };
}

/** Everything that follows from one event. */
export function step(state: CoreState, event: Event, nowMs: number): Command[] {
  const commands: Command[] = [];
  apply(state, event, nowMs, commands);
  return commands;
}

/**
 * Shares out nodes if anything since the last call could have changed that. Called once per turn, after all events of
 * the turn, so that a job's first inputs are known when its first node is chosen.
 */
export function settle(state: CoreState): Command[] {
  const commands: Command[] = [];
  if (state.needsAssignment) assignNodes(state, commands);
  return commands;
}

function apply(state: CoreState, event: Event, nowMs: number, commands: Command[]): void {
  switch (event.type) {
    case "jobSubmitted":
      return submit(state, event.jobId, createJob(event.jobId, event.spec, rootOf(state, event.spec.parent, event.jobId), nowMs));
    case "chunkPushed":
      return withJob(state, event.jobId, (job) => pushChunk(state, job, event, commands));
    case "inputsEnded":
      return withJob(state, event.jobId, (job) => endInputs(state, job, event.total, commands));
    case "acked":
      return withJob(state, event.jobId, (job) => consume(state, job, event.seq, commands));
    case "cancelRequested":
      return withJob(state, event.jobId, (job) => finish(state, job, "cancelled", event.reason, commands));
    case "clientLost":
      return withJob(state, event.jobId, (job) => loseClient(state, job, nowMs));
    case "clientBack":
      return withJob(state, event.jobId, (job) => regainClient(state, job, event.push, commands));
    case "nodeJoined":
      return joinNode(state, event, nowMs, commands);
    case "nodeReady":
      return readyNode(state, event.nodeId);
    case "nodeDisconnected":
      return disconnectNode(state, event.nodeId);
    case "nodeGone":
      return removeNode(state, event.nodeId);
    case "renewed":
      return renew(state, event.nodeId, event.jobs, nowMs, commands);
    case "resultsArrived":
      return withJob(state, event.jobId, (job) => takeResults(state, job, event, nowMs, commands));
    case "grantEnded":
      return withJob(state, event.jobId, (job) => {
        endGrant(state, job, event, commands);
        afterAnswers(state, job, commands);
      });
    case "loadFailed":
      return withJob(state, event.jobId, (job) => finish(state, job, "failed", "the function could not be loaded", commands));
    case "tick":
      for (const deadline of state.deadlines.due(nowMs)) meet(state, deadline, nowMs, commands);
  }
}

/** A message about a job that has ended is expected, and ignored. */
function withJob(state: CoreState, jobId: JobId, act: (job: Job) => void): void {
  const job = state.jobs.get(jobId);
  if (job !== undefined) act(job);
}

function rootOf(state: CoreState, parent: JobId | null, self: JobId): JobId {
  return parent === null ? self : (state.jobs.get(parent)?.rootId ?? self);
}

function submit(state: CoreState, jobId: JobId, job: Job): void {
  if (state.jobs.has(jobId)) return;
  state.jobs.set(jobId, job);
  state.needsAssignment = true;
}

function pushChunk(
  state: CoreState,
  job: Job,
  { chunkId, first, count, bytes }: { chunkId: number; first: number; count: number; bytes: number },
  commands: Command[],
): void {
  if (chunkId !== job.pushedChunks || first !== job.pushedInputs || job.totalInputs !== null) return;
  job.chunks.set(chunkId, { id: chunkId, first, count, bytes, answered: null, unanswered: count });
  job.pushedChunks++;
  job.pushedInputs += count;
  job.pushedBytes += bytes;
  makeReady(job, { chunkId, from: 0, to: count, attempt: 1, losses: 0, failures: 0 }, "back");
  state.needsAssignment = true;
  refreshCredit(job, assignedWorkers(state, job), commands);
}

function endInputs(state: CoreState, job: Job, total: number, commands: Command[]): void {
  if (job.totalInputs !== null || total !== job.pushedInputs) return;
  job.totalInputs = total;
  state.needsAssignment = true;
  afterAnswers(state, job, commands);
}

function consume(state: CoreState, job: Job, seq: number, commands: Command[]): void {
  acknowledge(job, seq);
  state.needsAssignment ||= job.readyInputs > 0;
  refreshCredit(job, assignedWorkers(state, job), commands);
}

function takeResults(state: CoreState, job: Job, event: ResultsArrived, nowMs: number, commands: Command[]): void {
  const held = job.grants.get(event.grantId);
  const chunk = held === undefined ? undefined : job.chunks.get(held.range.chunkId);
  if (held === undefined || chunk === undefined || held.nodeId !== event.nodeId) {
    job.duplicates += event.batch.count;
    return;
  }
  const { batch } = event;
  if (batch.count > 0) job.callMs = nextCallMs(job.callMs, batch.count, event.runMs);
  const { dropped, retried, acceptedFailures } = accept(job, chunk, held, batch);
  for (const position of retried) {
    const at = indexAt(batch, position) - chunk.first;
    held.closed.add(at);
    retryLater(state, job, { ...held.range, from: at, to: at + 1, attempt: held.range.attempt + 1, failures: held.range.failures + 1 }, nowMs);
  }
  const answered = batch.count - dropped.length;
  held.left -= answered + retried.length;
  job.grantedInputs -= answered + retried.length;
  if (held.left === 0) removeGrant(state, job, held);
  if (answered > 0) {
    const seq = recordDelivery(job, answered, event.bytes);
    commands.push({ type: "deliver", jobId: job.id, seq, nodeId: event.nodeId, dropped });
  }
  closeChunk(job, chunk, commands);
  if (acceptedFailures.length > 0 && job.spec.onError === "throw") {
    return finish(state, job, "failed", "an input failed", commands);
  }
  const node = state.nodes.get(event.nodeId);
  if (node !== undefined) {
    fill(state, job, node, commands);
    state.needsAssignment ||= node.grants.size === 0;
  }
  afterAnswers(state, job, commands);
}

function retryLater(state: CoreState, job: Job, range: Range, nowMs: number): void {
  job.delayed.add(range);
  state.deadlines.add(nowMs + retryDelayMs(range.failures), { kind: "retry", jobId: job.id, range });
}

/** Ends the job if its last input is answered. */
function afterAnswers(state: CoreState, job: Job, commands: Command[]): void {
  if (!state.jobs.has(job.id)) return;
  if (job.failedInputs > 0 && job.spec.onError === "throw") finish(state, job, "failed", "an input failed", commands);
  else if (!isComplete(job)) refreshCredit(job, assignedWorkers(state, job), commands);
  else if (job.incomplete) finish(state, job, "failed", `its inputs ended early, after ${job.pushedInputs}`, commands);
  else finish(state, job, "done", "", commands);
}

/** Takes a job from the books, with the jobs that its functions started. */
function finish(state: CoreState, job: Job, outcome: "done" | "failed" | "cancelled", reason: string, commands: Command[]): void {
  state.jobs.delete(job.id);
  state.needsAssignment = true;
  for (const held of [...job.grants.values()]) removeGrant(state, job, held);
  for (const node of state.nodes.values()) {
    if (!node.jobs.delete(job.id)) continue;
    commands.push({ type: "stop", nodeId: node.id, jobId: job.id, reason: outcome === "done" ? "the job is done" : reason });
    if (node.jobs.size === 0) releaseNode(node, reason, commands);
  }
  commands.push({ type: "finished", jobId: job.id, outcome, reason, job });
  for (const child of [...state.jobs.values()]) {
    if (child.spec.parent === job.id && !child.spec.detach) finish(state, child, "cancelled", "the job that started it has ended", commands);
  }
}

function loseClient(state: CoreState, job: Job, nowMs: number): void {
  job.clientConnected = false;
  if (!job.spec.detach) state.deadlines.add(nowMs + CLIENT_GRACE_MS, { kind: "client", jobId: job.id });
}

/** A reader that cannot feed inputs, of a job whose program is gone: what was pushed is all there will be. */
function regainClient(state: CoreState, job: Job, push: boolean, commands: Command[]): void {
  const wasLost = !job.clientConnected;
  if (push || wasLost) job.clientConnected = true;
  if (!push && wasLost && job.totalInputs === null) {
    job.totalInputs = job.pushedInputs;
    job.incomplete = true;
  }
  job.phase = "running";
  state.needsAssignment = true;
  job.creditInputs = 0;
  job.creditBytes = 0;
  refreshCredit(job, assignedWorkers(state, job), commands);
  afterAnswers(state, job, commands);
}

function interrupt(state: CoreState, job: Job, commands: Command[]): void {
  if (job.clientConnected || job.spec.detach || job.phase === "interrupted") return;
  job.phase = "interrupted";
  for (const held of [...job.grants.values()]) returnGrant(state, job, held, true);
  for (const node of state.nodes.values()) {
    if (!node.jobs.delete(job.id)) continue;
    commands.push({ type: "stop", nodeId: node.id, jobId: job.id, reason: "its client went away" });
    if (node.jobs.size === 0) releaseNode(node, "its client went away", commands);
  }
  state.needsAssignment = true;
}

function joinNode(state: CoreState, event: NodeJoined, nowMs: number, commands: Command[]): void {
  const { nodeId, cpu, ramMiB, maxCpu, maxRamMiB } = event;
  const known = state.nodes.get(nodeId);
  const node = known ?? {
    id: nodeId, cpu, ramMiB, maxCpu, maxRamMiB,
    connected: true, ready: false, rootId: null, jobs: new Map<JobId, number>(), draining: false,
    grants: new Map<number, JobId>(), leaseUntilMs: 0,
  };
  Object.assign(node, { cpu, ramMiB, maxCpu, maxRamMiB, connected: true });
  if (known === undefined) {
    state.nodes.set(nodeId, node);
    node.leaseUntilMs = nowMs;
    state.deadlines.add(nowMs + LEASE_MS, { kind: "lease", nodeId });
  }
  renewLease(state, nodeId, nowMs);
  reconcile(state, event, commands);
  state.needsAssignment = true;
}

/** After a lost connection: what the node no longer holds goes back, what main no longer wants is stopped. */
function reconcile(state: CoreState, event: NodeJoined, commands: Command[]): void {
  const node = state.nodes.get(event.nodeId);
  if (node === undefined) return;
  const claimed = new Set(event.holding.map((claim) => claim.grantId));
  for (const [grantId, jobId] of [...node.grants]) {
    const job = state.jobs.get(jobId);
    const held = job?.grants.get(grantId);
    if (job !== undefined && held !== undefined && !claimed.has(grantId)) returnGrant(state, job, held, true);
  }
  for (const jobId of event.jobs) {
    const job = state.jobs.get(jobId);
    if (job === undefined || (node.rootId !== null && node.rootId !== job.rootId)) {
      commands.push({ type: "stop", nodeId: node.id, jobId, reason: "the job has ended" });
    } else {
      node.rootId = job.rootId;
      node.ready = false;
      if (!node.jobs.has(jobId)) node.jobs.set(jobId, Math.max(1, workersOn(node, job)));
    }
  }
  for (const jobId of [...node.jobs.keys()]) {
    if (!event.jobs.includes(jobId)) node.jobs.delete(jobId);
  }
  if (node.jobs.size === 0) {
    node.rootId = null;
    node.draining = false;
  }
}

function readyNode(state: CoreState, nodeId: NodeId): void {
  const node = state.nodes.get(nodeId);
  if (node === undefined || node.rootId !== null) return;
  node.ready = true;
  state.needsAssignment = true;
}

function disconnectNode(state: CoreState, nodeId: NodeId): void {
  const node = state.nodes.get(nodeId);
  if (node !== undefined) node.connected = false;
}

function removeNode(state: CoreState, nodeId: NodeId): void {
  const node = state.nodes.get(nodeId);
  if (node === undefined) return;
  returnAll(state, node);
  state.nodes.delete(nodeId);
}

function renew(state: CoreState, nodeId: NodeId, jobs: readonly JobId[], nowMs: number, commands: Command[]): void {
  renewLease(state, nodeId, nowMs);
  for (const jobId of jobs) {
    if (state.nodes.get(nodeId)?.jobs.has(jobId) !== true) {
      commands.push({ type: "stop", nodeId, jobId, reason: "the job has ended or works elsewhere" });
    }
  }
}

function meet(state: CoreState, deadline: Deadline, nowMs: number, commands: Command[]): void {
  switch (deadline.kind) {
    case "lease":
      return checkLease(state, deadline.nodeId, nowMs);
    case "retry":
      return withJob(state, deadline.jobId, (job) => {
        if (!job.delayed.delete(deadline.range)) return;
        makeReady(job, deadline.range, "front");
        state.needsAssignment = true;
      });
    case "client":
      return withJob(state, deadline.jobId, (job) => interrupt(state, job, commands));
  }
}

/** A node that has not renewed holds nothing any more; one that is not even connected is forgotten. */
function checkLease(state: CoreState, nodeId: NodeId, nowMs: number): void {
  const node = state.nodes.get(nodeId);
  if (node === undefined) return;
  if (node.leaseUntilMs > nowMs) {
    state.deadlines.add(node.leaseUntilMs, { kind: "lease", nodeId });
    return;
  }
  if (!node.connected) return removeNode(state, nodeId);
  for (const [grantId, jobId] of [...node.grants]) {
    const job = state.jobs.get(jobId);
    const held = job?.grants.get(grantId);
    if (job !== undefined && held !== undefined) returnGrant(state, job, held, true);
  }
  state.deadlines.add(nowMs + LEASE_MS, { kind: "lease", nodeId });
}
