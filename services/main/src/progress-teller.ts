/** How far jobs are, told to their readers now and then. */
import type { JobId, MainToClient, Of } from "@burla/protocol";
import type { CoreState, Job } from "./core/state.ts";
import type { JobRegistry } from "./registry.ts";
import { workersOf, type Summaries } from "./summaries.ts";

/** Progress of a job is told no more often than this. */
const PROGRESS_MS = 100;

export interface ProgressTellerOptions {
  readonly state: CoreState;
  readonly registry: Pick<JobRegistry, "get">;
  readonly summaries: Pick<Summaries, "phaseOf" | "waitReason">;
}

export class ProgressTeller {
  readonly #options: ProgressTellerOptions;
  readonly #due = new Set<JobId>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProgressTellerOptions) {
    this.#options = options;
  }

  /** It is told at the end of the interval, so that a burst of changes is one message. */
  soon(jobId: JobId): void {
    this.#due.add(jobId);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const due of this.#due) this.#tell(due);
      this.#due.clear();
    }, PROGRESS_MS);
  }

  #tell(jobId: JobId): void {
    const job = this.#options.state.jobs.get(jobId);
    const entry = this.#options.registry.get(jobId);
    if (job !== undefined && entry !== undefined) entry.tellProgress(this.of(job));
  }

  /** How far a job is. */
  of(job: Job): Of<MainToClient, "progress"> {
    const { state, summaries } = this.#options;
    const workers = workersOf(state, job);
    return {
      type: "progress",
      jobId: job.id,
      phase: summaries.phaseOf(job, workers.length),
      reason: summaries.waitReason(job).slice(0, 1000),
      nodes: workers.length,
      workers: workers.reduce((sum, count) => sum + count, 0),
      pushed: job.pushedInputs,
      running: job.grantedInputs,
      done: job.answeredInputs - job.failedInputs,
      failed: job.failedInputs,
      duplicates: job.duplicates,
      lostWorkers: job.lostWorkers,
    };
  }

  /** The job has ended: its readers are told that. */
  forget(jobId: JobId): void {
    this.#due.delete(jobId);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
