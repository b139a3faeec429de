/** How much work travels at once. Pure arithmetic on the measured time of a call. */
import { MAX_CHUNK_INPUTS, MAX_WINDOW_BYTES, MAX_WINDOW_INPUTS } from "@burla/protocol";
import type { Assignment, CallTime, Job } from "./state.ts";

/** Work in one grant. With its results it costs all hops together about 2 ms of processor time. */
const TARGET_GRANT_MS = 100;
/** Work that a worker has before it: what it runs, which is answered when it is done, and the next grant. */
const PREFETCH_MS = 1.5 * TARGET_GRANT_MS;
/** Calls longer than this gain nothing from a grant waiting at the node: the way to main and back is 1 ms. */
const NO_PREFETCH_ABOVE_MS = 25;
/**
 * Grants of one input that each worker gets before anything was measured: the first call of a function is many times
 * slower than the next ones, and must not be taken for the rule. If calls turn out to be long, the node gives them back.
 */
const PROBES = 2;
/** Towards the end grants shrink, but not below this much work. */
const MIN_GRANT_MS = 5;
/**
 * Before anything was measured: enough that workers whose first calls turn out to be short are busy while the client
 * hears of it, little enough that an expensive generator is not pulled far ahead.
 */
const FIRST_CHUNK_INPUTS = 64;
export const FIRST_WINDOW_INPUTS = 256;
const MIN_WINDOW_INPUTS = 16;
/** Grants for each worker ahead of whoever takes the results: few where pulling an input may be work of its own. */
const GRANTS_AHEAD = 4;
/**
 * Where all inputs are there, so much work that nobody is idle while a loop computes for half a minute. Bytes are bounded
 * beside. Not before calls are measured well: what is far ahead has the chunks of the measure of its time.
 */
const AT_HAND_AHEAD_MS = 40_000;
/** The running mean of a call's time is one over so many calls, about: few, so that it follows calls that change. */
const MEAN_OVER_CALLS = 64;

const clamp = (value: number, min: number, max: number) => Math.min(max, Math.max(min, value));

/** The running mean after `calls` more calls that took `runMs` together. */
export function nextCallTime(before: CallTime | null, calls: number, runMs: number): CallTime {
  const known = before?.calls ?? 0;
  const callMs = ((before?.callMs ?? 0) * known + runMs) / (known + calls);
  return { callMs, calls: Math.min(known + calls, MEAN_OVER_CALLS) };
}

/** Inputs that make `TARGET_GRANT_MS` of work for one worker. */
export function targetInputs(job: Job): number {
  return job.callTime === null ? 1 : clamp(inputsIn(TARGET_GRANT_MS, job.callTime, job.spec.concurrency), 1, MAX_CHUNK_INPUTS);
}

function inputsIn(ms: number, { callMs }: CallTime, concurrency: number): number {
  return Math.floor((ms * concurrency) / Math.max(callMs, 1e-4));
}

/** Size of the next grant: the target, less when few inputs are left for many workers. */
export function grantInputs(job: Job, workers: number): number {
  const target = targetInputs(job);
  const shares = workers <= 1 ? 1 : workers * (job.totalInputs === null ? 1 : 2);
  const share = Math.ceil(job.readyInputs / shares);
  const least = job.callTime === null ? 1 : clamp(Math.floor(MIN_GRANT_MS / Math.max(job.callTime.callMs, 1e-4)), 1, target);
  return clamp(share, least, target);
}

/** Whether some of a node's workers have nothing to do. */
export function hasIdleWorkers(job: Job, { workers, outstanding }: Assignment): boolean {
  return outstanding < workers * job.spec.concurrency;
}

/** Whether a node should get another grant, to begin with as soon as it is through with what it has. */
export function wantsMore(job: Job, assignment: Assignment): boolean {
  if (hasIdleWorkers(job, assignment)) return true;
  if (assignment.stalled) return false;
  if (job.callTime === null) return assignment.outstanding < PROBES * assignment.workers * job.spec.concurrency;
  if (job.callTime.callMs > NO_PREFETCH_ABOVE_MS) return false;
  return (assignment.outstanding * job.callTime.callMs) / (assignment.workers * job.spec.concurrency) < PREFETCH_MS;
}

/** Inputs that the client may have pushed and the consumer not yet taken. */
export function windowInputs(job: Job, workers: number): number {
  if (job.spec.detach) return Number.MAX_SAFE_INTEGER;
  if (job.callTime === null) return FIRST_WINDOW_INPUTS;
  const { inputsAtHand, concurrency } = job.spec;
  const usual = GRANTS_AHEAD * Math.max(targetInputs(job), 2 * concurrency);
  const isFar = inputsAtHand && job.callTime.calls >= MEAN_OVER_CALLS;
  const perWorker = isFar ? Math.max(usual, inputsIn(AT_HAND_AHEAD_MS, job.callTime, concurrency)) : usual;
  return clamp(perWorker * Math.max(1, workers), MIN_WINDOW_INPUTS, MAX_WINDOW_INPUTS);
}

export function windowBytes(job: Job): number {
  return job.spec.detach ? Number.MAX_SAFE_INTEGER : MAX_WINDOW_BYTES;
}

/** Inputs that the client should put into one chunk. */
export function chunkInputs(job: Job): number {
  return job.callTime === null ? FIRST_CHUNK_INPUTS : targetInputs(job);
}

/** Results waiting for a slow consumer beyond this stop the job: nothing more is granted. */
export function consumerIsBehind(job: Job): boolean {
  return !job.spec.detach && job.unackedBytes > MAX_WINDOW_BYTES;
}

/** Wait before the next try after so many failures: 100 ms doubled each time, 30 s at most. */
export function retryDelayMs(failures: number): number {
  return Math.min(30_000, 100 * 2 ** (failures - 1));
}
