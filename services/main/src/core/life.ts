/** The life of a job as a whole: submitted, fed, interrupted and taken up again, finished. */
import { CLIENT_GRACE_MS, type JobId, type JobSpec } from "@burla/protocol";
import type { Command } from "./events.ts";
import { isComplete } from "./elsewhere.ts";
import { removeGrant, returnGrant } from "./grants.ts";
import { createJob, forgetCredit, isElsewhere, makeReady } from "./job.ts";
import { unassignNode } from "./nodes.ts";
import type { CoreState, Deadline, Job } from "./state.ts";

export function submit(state: CoreState, jobId: JobId, spec: JobSpec): void {
  if (state.jobs.has(jobId)) return;
  const parent = spec.parent === null ? undefined : state.jobs.get(spec.parent);
  state.jobs.set(jobId, createJob(jobId, spec, parent?.rootId ?? jobId, state.nowMs));
}

/** Chunks come in order; one that is here already is sent again by a client that did not hear of it. */
export function pushChunk(job: Job, chunk: { chunkId: number; first: number; count: number; bytes: number }): void {
  const { chunkId, first, count, bytes } = chunk;
  if (chunkId !== job.pushedChunks || first !== job.pushedInputs || job.totalInputs !== null) return;
  job.chunks.set(chunkId, { id: chunkId, first, count, bytes, answered: null, unanswered: count });
  job.pushedChunks++;
  job.pushedInputs += count;
  job.pushedBytes += bytes;
  makeReady(job, { chunkId, from: 0, to: count, attempt: 1, losses: 0, failures: 0 }, "back");
}

export function endInputs(job: Job, total: number): void {
  if (job.totalInputs === null && total === job.pushedInputs) job.totalInputs = total;
}

/** Ends the job if its last input is answered, or one has failed that must not. */
export function conclude(state: CoreState, job: Job, commands: Command[]): void {
  const isOver = isComplete(job);
  // Nothing is known of a job elsewhere until it was counted.
  const isIdle = job.answeredInputs >= job.pushedInputs && (job.pushedInputs > 0 || !isElsewhere(job));
  if (job.failedInputs > 0 && job.spec.onError === "throw") finish(state, job, "failed", "an input failed", commands);
  else if (isOver && job.incomplete) finish(state, job, "failed", `its inputs ended early, after ${job.pushedInputs}`, commands, true);
  else if (isOver) finish(state, job, "done", "", commands);
  // Of a detached job nobody is left who would say which input is the last.
  else if (job.abandoned && isIdle) interrupt(state, job, commands);
}

/** A job that was over when this was asked for has ended as it did. */
export function cancel(state: CoreState, job: Job, reason: string, commands: Command[]): void {
  conclude(state, job, commands);
  if (state.jobs.has(job.id)) finish(state, job, "cancelled", reason, commands);
}

/**
 * Takes a job from the books, with the jobs that its functions started.
 * @param isCutShort its program went before it had said all inputs.
 */
export function finish(state: CoreState, job: Job, outcome: "done" | "failed" | "cancelled", reason: string, commands: Command[], isCutShort = false): void {
  for (const held of [...job.grants.values()]) removeGrant(state, job, held);
  stopEverywhere(state, job, outcome === "done" ? "the job is done" : reason, commands);
  state.jobs.delete(job.id);
  commands.push({ type: "finished", jobId: job.id, outcome, reason, isCutShort, job });
  for (const child of [...state.jobs.values()]) {
    if (child.spec.parent === job.id && !child.spec.detach) finish(state, child, "cancelled", "the job that started it has ended", commands);
  }
}

function stopEverywhere(state: CoreState, job: Job, reason: string, commands: Command[]): void {
  for (const node of [...(state.trees.get(job.rootId) ?? [])]) {
    if (!node.jobs.has(job.id)) continue;
    unassignNode(state, node, job.id);
    commands.push({ type: "stop", nodeId: node.id, jobId: job.id, reason });
  }
}

export function loseClient(state: CoreState, job: Job, reads: boolean): void {
  job.client = reads ? "reads" : "lost";
  startGrace(state, job);
}

/** Gives the client its time to come back. Of an interrupted job that time is over, and nothing runs that could go on. */
export function startGrace(state: CoreState, job: Job): void {
  if (job.grace !== null || job.phase === "interrupted") return;
  job.grace = { kind: "grace", jobId: job.id };
  state.deadlines.add(state.nowMs + CLIENT_GRACE_MS, job.grace);
}

/** `feeds`: it is the program that feeds the inputs; another can but read what was pushed. */
export function regainClient(state: CoreState, job: Job, feeds: boolean, commands: Command[]): void {
  if (!feeds && job.client === "feeds") return;
  job.client = feeds ? "feeds" : "reads";
  setPhase(job, "running", commands);
  forgetCredit(job);
  if (feeds) {
    job.grace = null;
    job.abandoned = false;
  } else if (job.abandoned) endEarly(job);
  // Only of a job that an earlier main has interrupted: this one knows neither its program nor, elsewhere, its counts.
  else startGrace(state, job);
}

/** The program that feeds the inputs, or the last reader, has not come back in time. */
export function endGrace(state: CoreState, job: Job, deadline: Deadline, commands: Command[]): void {
  if (job.grace !== deadline) return;
  job.grace = null;
  job.abandoned = true;
  if (job.client === "reads") endEarly(job);
  else if (!job.spec.detach) interrupt(state, job, commands);
}

/** What was pushed is all there will be. */
function endEarly(job: Job): void {
  if (job.totalInputs !== null) return;
  job.totalInputs = job.pushedInputs;
  job.incomplete = true;
}

/** Nothing of the job runs for nobody. Of a job that a function started nobody knows: it will not be attached to. */
function interrupt(state: CoreState, job: Job, commands: Command[]): void {
  if (job.spec.parent !== null) return finish(state, job, "cancelled", "the function that started it is gone", commands);
  if (job.phase === "interrupted") return;
  for (const held of [...job.grants.values()]) returnGrant(state, job, held, commands);
  stopEverywhere(state, job, "its client went away", commands);
  // Kept after all that was held has gone back: of an interrupted job no log says that a node holds something.
  setPhase(job, "interrupted", commands);
}

function setPhase(job: Job, phase: Job["phase"], commands: Command[]): void {
  if (job.phase === phase) return;
  job.phase = phase;
  commands.push({ type: "phase", jobId: job.id, phase });
}
