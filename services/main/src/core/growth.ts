/** How many workers jobs could keep busy that may add nodes (`grow`): what a provider makes machines by. */
import type { CoreState, Job } from "./state.ts";

/** A machine takes about a minute to come: less work than this for each of its workers is done before. */
const WORTH_A_MACHINE_MS = 20_000;

export interface Demand {
  /** With those that it has. */
  readonly workers: number;
  readonly cpu: number;
  readonly ramMiB: number;
  readonly nodes: number;
}

export function demandsOf(state: CoreState, nowMs: number): Demand[] {
  const demands: Demand[] = [];
  for (const job of state.jobs.values()) {
    if (job.spec.grow === 0 || job.phase !== "running") continue;
    const { cpu, ramMiB, grow } = job.spec;
    demands.push({ workers: usefulWorkers(job, nowMs), cpu, ramMiB: ramMiB ?? 0, nodes: grow });
  }
  return demands;
}

/** A call that nobody has finished yet has taken at least as long as the job is old. */
function usefulWorkers(job: Job, nowMs: number): number {
  const { concurrency, maxParallelism } = job.spec;
  const open = job.readyInputs + job.grantedInputs;
  const callMs = job.callTime?.callMs ?? nowMs - job.createdMs;
  const byWork = Math.floor((open * callMs) / concurrency / WORTH_A_MACHINE_MS);
  const byInputs = Math.ceil(open / concurrency);
  const byJob = maxParallelism === null ? Infinity : Math.max(1, Math.floor(maxParallelism / concurrency));
  // One worker there must be, whatever there is to do.
  return Math.min(byInputs, byJob, Math.max(1, byWork));
}
