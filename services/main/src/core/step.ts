/**
 * The heart of main: state and event in, commands out. Nothing here reads a clock, a socket or a file, so that the
 * whole of it can be tested with random schedules. `state` is changed in place; a caller keeps one state per cluster.
 *
 * `step` keeps the books of what happened, `settle` decides what is done about it.
 */
import { assignNodes } from "./assign.ts";
import { DeadlineHeap } from "./deadlines.ts";
import { noteCounts, noteHeld } from "./elsewhere.ts";
import type { Command, Event, ResultsArrived } from "./events.ts";
import { countDown, endGrant, fillNodes } from "./grants.ts";
import { accept, acknowledge, closeChunk, makeReady, recordDelivery, refreshCredit } from "./job.ts";
import { cancel, conclude, endGrace, endInputs, finish, loseClient, pushChunk, regainClient, submit } from "./life.ts";
import { releaseNodes } from "./release.ts";
import { checkLease, joinNode, leaveNode, loseNode, renew } from "./membership.ts";
import { disconnectNode, noteCallTime, readyNode, workerLimit } from "./nodes.ts";
import { nextCallTime, retryDelayMs } from "./sizing.ts";
import type { CoreState, Deadline, Grant, Job, Node } from "./state.ts";
import type { JobId, NodeId } from "@burla/protocol";

/** The state of a cluster without jobs and nodes. */
export function createState(): CoreState {
  return {
    jobs: new Map(),
    nodes: new Map(),
    nextGrantId: 1,
    deadlines: new DeadlineHeap(),
    nowMs: 0,
    connected: 0,
    cpu: 0,
    ramMiB: 0,
    trees: new Map(),
    free: new Set(),
    idle: new Set(),
    draining: new Set(),
    idleCheck: null,
    turnCheck: null,
  };
}

/** What follows at once from one event, and does so whatever else happens in the same turn. */
export function step(state: CoreState, event: Event, nowMs: number): Command[] {
  const commands: Command[] = [];
  state.nowMs = nowMs;
  apply(state, event, commands);
  return commands;
}

/**
 * Ends jobs that are complete, shares out nodes, grants inputs and credit. Called once per turn, after all events of
 * the turn, so that a job's first inputs are known when its first node is chosen. Without a change since the last call
 * it does nothing.
 */
export function settle(state: CoreState): Command[] {
  const commands: Command[] = [];
  for (const job of [...state.jobs.values()]) {
    if (state.jobs.has(job.id)) conclude(state, job, commands);
  }
  // Again until nothing follows: what one tree gives away, or a grant takes off the queue, makes room for others.
  for (let before = -1; before < commands.length; ) {
    before = commands.length;
    assignNodes(state, commands);
    for (const job of state.jobs.values()) fillNodes(state, job, commands);
    releaseNodes(state, commands);
  }
  for (const job of state.jobs.values()) refreshCredit(job, workerLimit(state, job), commands);
  return commands;
}

function apply(state: CoreState, event: Event, commands: Command[]): void {
  switch (event.type) {
    case "jobSubmitted":
      return submit(state, event.jobId, event.spec);
    case "chunkPushed":
      return withJob(state, event.jobId, (job) => pushChunk(job, event));
    case "inputsEnded":
      return withJob(state, event.jobId, (job) => endInputs(job, event.total));
    case "acked":
      return withJob(state, event.jobId, (job) => acknowledge(job, event.seq));
    case "cancelRequested":
      return withJob(state, event.jobId, (job) => cancel(state, job, event.reason, commands));
    case "clientLost":
      return withJob(state, event.jobId, (job) => loseClient(state, job, event.reads));
    case "clientBack":
      return withJob(state, event.jobId, (job) => regainClient(state, job, event.push, commands));
    case "nodeJoined":
      return joinNode(state, event, commands);
    case "nodeReady":
      return withNode(state, event.nodeId, (node) => readyNode(state, node));
    case "nodeDisconnected":
      return withNode(state, event.nodeId, (node) => disconnectNode(state, node));
    case "nodeLeaving":
      return withNode(state, event.nodeId, (node) => leaveNode(state, node, commands));
    case "nodeGone":
      return withNode(state, event.nodeId, (node) => loseNode(state, node, commands));
    case "renewed":
      return renew(state, event.nodeId, event.jobs, commands);
    case "resultsArrived":
      return withJob(state, event.jobId, (job) => takeResults(state, job, event, commands));
    case "grantEnded":
      return withJob(state, event.jobId, (job) => endGrant(state, job, event, commands));
    case "queueCounts":
      return withJob(state, event.jobId, (job) => noteCounts(job, event));
    case "queueHeld":
      return withJob(state, event.jobId, (job) => withNode(state, event.nodeId, (node) => noteHeld(state, job, node, event)));
    case "loadFailed":
      return withJob(state, event.jobId, (job) => finish(state, job, "failed", "the function could not be loaded", commands));
    case "jobFailed":
      return withJob(state, event.jobId, (job) => finish(state, job, "failed", event.reason, commands));
    case "tick":
      for (const deadline of state.deadlines.due(state.nowMs)) meet(state, deadline, commands);
  }
}

/** A message about a job that has ended is expected, and ignored. */
function withJob(state: CoreState, jobId: JobId, act: (job: Job) => void): void {
  const job = state.jobs.get(jobId);
  if (job !== undefined) act(job);
}

function withNode(state: CoreState, nodeId: NodeId, act: (node: Node) => void): void {
  const node = state.nodes.get(nodeId);
  if (node !== undefined) act(node);
}

/** Results of a grant that has ended meanwhile are dropped: its inputs are somewhere else by now. */
function takeResults(state: CoreState, job: Job, event: ResultsArrived, commands: Command[]): void {
  const { batch } = event;
  const held = job.grants.get(event.grantId);
  const chunk = held === undefined ? undefined : job.chunks.get(held.range.chunkId);
  if (held === undefined || chunk === undefined || held.nodeId !== event.nodeId) {
    job.duplicates += batch.count;
    return;
  }
  if (batch.count > 0) noteCallTime(state, job, nextCallTime(job.callTime, batch.count, event.runMs));
  const { dropped, retried, answered } = accept(job, chunk, held, batch);
  for (const position of retried) retryLater(state, job, held, position, commands);
  countDown(state, job, held, answered + retried.length);
  if (answered === 0) return;
  const seq = recordDelivery(job, answered, event.bytes);
  commands.push({ type: "deliver", jobId: job.id, seq, nodeId: event.nodeId, dropped });
  closeChunk(job, chunk, commands);
}

function retryLater(state: CoreState, job: Job, { range }: Grant, position: number, commands: Command[]): void {
  const failures = range.failures + 1;
  const again = { ...range, from: position, to: position + 1, attempt: range.attempt + 1, failures };
  job.delayed.add(again);
  commands.push({ type: "requeued", jobId: job.id, range: again });
  state.deadlines.add(state.nowMs + retryDelayMs(failures), { kind: "retry", jobId: job.id, range: again });
}

function meet(state: CoreState, deadline: Deadline, commands: Command[]): void {
  switch (deadline.kind) {
    case "lease":
      return checkLease(state, deadline.nodeId, deadline, commands);
    case "retry":
      return withJob(state, deadline.jobId, (job) => {
        if (job.delayed.delete(deadline.range)) makeReady(job, deadline.range, "front");
      });
    case "grace":
      return withJob(state, deadline.jobId, (job) => endGrace(state, job, deadline, commands));
    case "idle":
      state.idleCheck = null;
      return;
    case "turn":
      state.turnCheck = null;
  }
}
