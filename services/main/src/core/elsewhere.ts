/**
 * Jobs whose inputs and results do not pass through main. What main knows of them are sums that others tell; it decides
 * who works for them, and nodes take their inputs themselves. Owns the counters of such jobs.
 */
import type { Event, QueueHeld } from "./events.ts";
import { countReady, isElsewhere } from "./job.ts";
import { noteCallTime, setElsewhere } from "./nodes.ts";
import { nextCallTime } from "./sizing.ts";
import type { CoreState, Job, Node } from "./state.ts";
import type { JobId } from "@burla/protocol";

/** Totals never fall: what is told late is older. */
export function noteCounts(job: Job, { pushed, answered, failed, total }: Extract<Event, { type: "queueCounts" }>): void {
  if (!isElsewhere(job)) return;
  // Of a program that is gone, the last inputs may not have come to the queue, though they were told of, or the other way round.
  job.pushedInputs = job.incomplete ? pushed : Math.max(job.pushedInputs, pushed);
  if (job.incomplete) job.totalInputs = pushed;
  job.answeredInputs = Math.max(job.answeredInputs, answered);
  job.failedInputs = Math.max(job.failedInputs, failed);
  job.totalInputs ??= total;
  countReady(job);
}

/** Answers are counted by the client that feeds the job, when it takes them, or in the queue: nodes would count them twice. */
export function noteHeld(state: CoreState, job: Job, node: Node, event: QueueHeld): void {
  if (!node.jobs.has(job.id) || !isElsewhere(job)) return;
  job.duplicates += event.duplicates;
  job.lostWorkers += event.lostWorkers;
  if (event.answered > 0) noteCallTime(state, job, nextCallTime(job.callTime, event.answered, event.runMs));
  setElsewhere(state, job, node, event.held);
}

/** Whether all inputs are answered; what was not told of is not. */
export function isComplete(job: Job): boolean {
  if (!isElsewhere(job)) return job.totalInputs !== null && job.answeredInputs === job.pushedInputs;
  return job.totalInputs !== null && job.answeredInputs >= job.totalInputs;
}

/** A node that comes back works on for the jobs that it worked for, though this main has not assigned it to them. */
export function worksOn(state: CoreState, node: Node, jobs: readonly JobId[]): Job[] {
  return jobs.flatMap((jobId) => {
    const job = state.jobs.get(jobId);
    const mayWork = job !== undefined && isElsewhere(job) && job.phase === "running" && (node.rootId === null || node.rootId === job.rootId);
    return mayWork && !node.jobs.has(jobId) ? [job] : [];
  });
}
