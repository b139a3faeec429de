/** A job as `burla jobs` and `burla status` show it. */
import type { JobSummary } from "@burla/protocol";
import type { Job } from "./core/state.ts";
import type { JobEntry } from "./job-entry.ts";

/** @param nodes nodes that work for it. */
export function phaseOf(job: Job, nodes: number): "waiting" | "running" | "interrupted" {
  if (job.phase === "interrupted") return "interrupted";
  return nodes > 0 ? "running" : "waiting";
}

/** Of a job under way; `nodes` is for the caller to count. */
export function summarize(entry: JobEntry, job: Job, reason: string): JobSummary {
  return {
    jobId: entry.jobId,
    name: entry.spec.name,
    phase: phaseOf(job, job.grants.size),
    reason,
    detach: entry.spec.detach,
    createdAt: entry.createdAt,
    endedAt: null,
    inputs: job.pushedInputs,
    inputsEnded: job.totalInputs !== null,
    done: job.answeredInputs - job.failedInputs,
    failed: job.failedInputs,
    running: job.grantedInputs,
    nodes: 0,
  };
}
