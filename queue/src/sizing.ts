/** How much work travels at once through Firestore. Pure arithmetic on the measured time of a call. */
import { MAX_CHUNK_INPUTS, MAX_WINDOW_INPUTS } from "@burla/protocol";

/** Work in one chunk for one worker: all writes and reads for it take about 10 ms of processor time of all parts. */
const TARGET_MS = 200;
/** Calls longer than this are not waited for by others at the same node. */
const NO_PREFETCH_ABOVE_MS = 25;
/** Before anything was measured. */
const FIRST_CHUNK_INPUTS = 8;
const FIRST_WINDOW_INPUTS = 64;
const MIN_WINDOW_INPUTS = 32;
/** Chunks on their way per worker: the way through the store and back takes as long as some chunks. */
const CHUNKS_PER_WORKER = 6;
const MEAN_OVER_CALLS = 64;
/** Work ahead covers so many times that it takes to lease a chunk: some take longer than the mean. */
const CLAIMS_AHEAD = 2;
/** What a node has and does not work at, others cannot have. */
const MAX_AHEAD_MS = 2_000;
/** Weight of one lease in the running mean of how long they take. */
const CLAIM_WEIGHT = 0.25;

const clamp = (value: number, min: number, max: number) => Math.min(max, Math.max(min, value));

/** A running mean of the time of a call, and how many calls it stands for. */
export interface CallTime {
  readonly callMs: number;
  readonly calls: number;
}

export function nextCallTime(before: CallTime | null, calls: number, runMs: number): CallTime {
  const known = before?.calls ?? 0;
  return { callMs: ((before?.callMs ?? 0) * known + runMs) / (known + calls), calls: Math.min(known + calls, MEAN_OVER_CALLS) };
}

/** Inputs that make `TARGET_MS` of work for one worker. */
function targetInputs(callTime: CallTime, concurrency: number): number {
  return clamp(Math.floor((TARGET_MS * concurrency) / Math.max(callTime.callMs, 1e-4)), 1, MAX_CHUNK_INPUTS);
}

export function chunkInputs(callTime: CallTime | null, concurrency: number): number {
  return callTime === null ? FIRST_CHUNK_INPUTS : targetInputs(callTime, concurrency);
}

/** Inputs that may be pushed and not taken by the consumer. */
export function windowInputs(callTime: CallTime | null, concurrency: number, workers: number): number {
  if (callTime === null) return FIRST_WINDOW_INPUTS;
  const perWorker = CHUNKS_PER_WORKER * Math.max(targetInputs(callTime, concurrency), 2 * concurrency);
  return clamp(perWorker * Math.max(1, workers), MIN_WINDOW_INPUTS, MAX_WINDOW_INPUTS);
}

/** What is allowed grows in steps of a quarter of the window: with each result that is taken, chunks would be as small as that. */
export function stepTo(given: number, possible: number, window: number): number {
  return possible - given >= window / 4 ? possible : given;
}

/** What a node has of a job. */
export interface NodeLoad {
  readonly workers: number;
  readonly concurrency: number;
  /** Inputs given to workers and not answered. */
  readonly outstanding: number;
  /** Inputs of its chunks that no worker has. */
  readonly waiting: number;
  /** Work went back because it had waited for too long. */
  readonly stalled: boolean;
  readonly callTime: CallTime | null;
  /** How long it takes to lease a chunk; zero before the first. */
  readonly claimMs: number;
}

export function nextClaimMs(before: number, tookMs: number): number {
  return before === 0 ? tookMs : before * (1 - CLAIM_WEIGHT) + tookMs * CLAIM_WEIGHT;
}

const slots = ({ workers, concurrency }: NodeLoad) => workers * concurrency;
const timeOf = (inputs: number, load: NodeLoad) => (inputs * (load.callTime?.callMs ?? 0)) / slots(load);

/** Whether workers should be given more of what waits. */
export function wantsGrant(load: NodeLoad): boolean {
  if (load.outstanding < slots(load)) return true;
  if (load.stalled || load.callTime === null || load.callTime.callMs > NO_PREFETCH_ABOVE_MS) return false;
  return timeOf(load.outstanding, load) < TARGET_MS / 2;
}

/** Inputs of the next grant: what waits is shared by all workers. */
export function grantInputs(load: NodeLoad): number {
  const share = Math.ceil(load.waiting / Math.max(1, load.workers));
  const most = load.callTime === null ? load.concurrency : Math.max(load.concurrency, targetInputs(load.callTime, load.concurrency) >> 1);
  return clamp(share, 1, most);
}

/** Whether the node should take another chunk. */
export function wantsChunk(load: NodeLoad): boolean {
  const free = slots(load) - load.outstanding;
  if (load.callTime === null || load.callTime.callMs > NO_PREFETCH_ABOVE_MS) return load.waiting < free;
  return timeOf(load.outstanding + load.waiting, load) < clamp(CLAIMS_AHEAD * load.claimMs, TARGET_MS, MAX_AHEAD_MS);
}

/** Whether what waits here should rather be offered to other nodes. */
export function shouldShare(load: NodeLoad): boolean {
  const isLong = load.callTime === null || load.callTime.callMs > NO_PREFETCH_ABOVE_MS;
  return load.stalled && isLong && load.waiting > 0 && load.outstanding >= slots(load);
}

/** Wait before the next try after so many failures: 100 ms doubled each time, 30 s at most. */
export function retryDelayMs(failures: number): number {
  return Math.min(30_000, 100 * 2 ** (failures - 1));
}
