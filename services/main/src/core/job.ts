/** The life of one job's inputs: pushed, ready, granted, answered. */
import { indexAt, type AnsweredBatch, type ErrorCode, type JobId, type JobSpec, type NodeId } from "@burla/protocol";
import { Deque } from "./deque.ts";
import type { Command } from "./events.ts";
import type { Chunk, Grant, Job, Range } from "./state.ts";
import { chunkInputs, windowBytes, windowInputs } from "./sizing.ts";

/** A job with nothing pushed yet. `rootId`: the outermost job of its tree. */
export function createJob(id: JobId, spec: JobSpec, rootId: JobId, nowMs: number): Job {
  return {
    id,
    spec,
    rootId,
    createdMs: nowMs,
    servedMs: nowMs,
    phase: "running",
    chunks: new Map(),
    ready: new Deque(),
    readyInputs: 0,
    delayed: new Set(),
    grants: new Map(),
    grantedInputs: 0,
    pushedChunks: 0,
    pushedInputs: 0,
    pushedBytes: 0,
    totalInputs: null,
    incomplete: false,
    answeredInputs: 0,
    answeredBytes: 0,
    failedInputs: 0,
    duplicates: 0,
    lostWorkers: 0,
    seq: 0,
    unacked: new Deque(),
    ackedSeq: 0,
    ackedInputs: 0,
    unackedBytes: 0,
    callTime: null,
    creditInputs: 0,
    creditBytes: 0,
    creditChunkInputs: 0,
    client: "feeds",
    grace: null,
    abandoned: false,
    workers: 0,
    usableWorkers: 0,
    idlers: new Set(),
    takers: new Set(),
    offeredAtCallMs: Infinity,
  };
}

/** Its inputs and results do not pass through main: nodes take them from a queue elsewhere. */
export const isElsewhere = (job: Pick<Job, "spec">): boolean => job.spec.queue !== null;

/** Counts what nobody has of a job whose queue is elsewhere. */
export function countReady(job: Job): void {
  job.readyInputs = Math.max(0, job.pushedInputs - job.answeredInputs - job.grantedInputs);
}

export const rangeInputs = (range: Range): number => range.to - range.from;

export function makeReady(job: Job, range: Range, where: "front" | "back"): void {
  if (where === "front") job.ready.unshift(range);
  else job.ready.push(range);
  job.readyInputs += rangeInputs(range);
}

/** Takes up to `inputs` from the front of the ready ranges; a range that is longer is cut. */
export function takeReady(job: Job, inputs: number): Range | undefined {
  const range = job.ready.shift();
  if (range === undefined) return undefined;
  const cut = Math.min(range.to, range.from + inputs);
  if (cut < range.to) job.ready.unshift({ ...range, from: cut });
  job.readyInputs -= cut - range.from;
  return { ...range, to: cut };
}

/** Cuts positions (ascending) into the longest runs. */
export function runsOf(positions: readonly number[]): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (const position of positions) {
    const last = runs[runs.length - 1];
    if (last !== undefined && last.to === position) last.to++;
    else runs.push({ from: position, to: position + 1 });
  }
  return runs;
}

function isAnswered(chunk: Chunk, position: number): boolean {
  return chunk.answered !== null && chunk.answered[position] === 1;
}

function markAnswered(chunk: Chunk, position: number): void {
  chunk.answered ??= new Uint8Array(chunk.count);
  chunk.answered[position] = 1;
  chunk.unanswered--;
}

export interface Acceptance {
  /** Positions of the batch to pass over. */
  readonly dropped: number[];
  /** Positions in the chunk whose failed call shall be tried again; closed for the grant. */
  readonly retried: number[];
  /** Inputs that now have their result. */
  readonly answered: number;
}

/** Marks a batch's inputs as answered, the first result of each input only; what may be tried again stays open. */
export function accept(job: Job, chunk: Chunk, held: Grant, batch: AnsweredBatch): Acceptance {
  const failed = new Set(batch.failed);
  const final = new Set(batch.final);
  const mayRetry = held.range.failures < job.spec.retries;
  const dropped: number[] = [];
  const retried: number[] = [];
  for (let at = 0; at < batch.count; at++) {
    const position = indexAt(batch, at) - chunk.first;
    if (!isOpenIn(chunk, held, position)) {
      dropped.push(at);
      job.duplicates++;
    } else if (mayRetry && failed.has(at) && !final.has(at)) {
      held.closed.add(position);
      dropped.push(at);
      retried.push(position);
    } else {
      markAnswered(chunk, position);
      if (failed.has(at)) job.failedInputs++;
    }
  }
  const answered = batch.count - dropped.length;
  job.answeredInputs += answered;
  return { dropped, retried, answered };
}

/** Whether an input, by its position in the chunk, is still this grant's to answer. */
export function isOpenIn(chunk: Chunk, { range, closed }: Grant, position: number): boolean {
  return position >= range.from && position < range.to && !closed.has(position) && !isAnswered(chunk, position);
}

/** Counts a batch that goes to the consumer. */
export function recordDelivery(job: Job, inputs: number, bytes: number): number {
  const seq = ++job.seq;
  if (!job.spec.detach) {
    job.unacked.push({ seq, inputs, bytes });
    job.unackedBytes += bytes;
  }
  return seq;
}

export function acknowledge(job: Job, seq: number): void {
  job.ackedSeq = Math.max(job.ackedSeq, Math.min(seq, job.seq));
  for (let batch = job.unacked.peek(); batch !== undefined && batch.seq <= seq; batch = job.unacked.peek()) {
    job.unacked.shift();
    job.ackedInputs += batch.inputs;
    job.unackedBytes -= batch.bytes;
  }
}

/** Forgets a chunk all of whose inputs are answered. */
export function closeChunk(job: Job, chunk: Chunk, commands: Command[]): void {
  if (chunk.unanswered > 0) return;
  job.chunks.delete(chunk.id);
  job.answeredBytes += chunk.bytes;
  commands.push({ type: "chunkAnswered", jobId: job.id, chunkId: chunk.id });
}

/** Answers one input with an error of Burla's own. */
export function giveUp(
  job: Job,
  chunk: Chunk,
  position: number,
  { code, message, nodeId }: { code: ErrorCode; message: string; nodeId: NodeId },
  commands: Command[],
): void {
  markAnswered(chunk, position);
  job.answeredInputs++;
  job.failedInputs++;
  const seq = recordDelivery(job, 1, message.length);
  commands.push({ type: "giveUp", jobId: job.id, seq, nodeId, index: chunk.first + position, code, message });
  closeChunk(job, chunk, commands);
}

/** Tells the client how far it may go, when that has changed enough to be worth a message. */
export function refreshCredit(job: Job, workers: number, commands: Command[]): void {
  if (job.totalInputs !== null || job.client !== "feeds" || isElsewhere(job)) return;
  const window = windowInputs(job, workers);
  const inputs = Math.min(Number.MAX_SAFE_INTEGER, job.ackedInputs + window);
  const bytes = Math.min(Number.MAX_SAFE_INTEGER, job.answeredBytes + windowBytes(job));
  const chunk = chunkInputs(job);
  const worthIt =
    inputs - job.creditInputs >= window / 4 ||
    bytes - job.creditBytes >= windowBytes(job) / 4 ||
    chunk >= 2 * job.creditChunkInputs ||
    2 * chunk <= job.creditChunkInputs;
  if (!worthIt) return;
  job.creditInputs = Math.max(job.creditInputs, inputs);
  job.creditBytes = Math.max(job.creditBytes, bytes);
  job.creditChunkInputs = chunk;
  commands.push({ type: "credit", jobId: job.id, inputs: job.creditInputs, bytes: job.creditBytes, chunkInputs: chunk });
}

/** The client is to be told anew: it has a new connection, or main a new life. */
export function forgetCredit(job: Job): void {
  job.creditInputs = 0;
  job.creditBytes = 0;
  job.creditChunkInputs = 0;
}
