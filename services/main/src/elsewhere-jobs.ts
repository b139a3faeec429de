/**
 * Jobs whose queue is in Firestore, as main looks after them: it counts what those have that no program feeds, says there
 * how they ended, keeps their first failures, and removes what nobody needs. All of it in the background and one after
 * the other for each job; a store that is out of reach stops nothing.
 */
import { messageOf, type JobFailure, type JobId, type QueuePlace } from "@burla/protocol";
import { JobControl, StorePool, type JobProgress, type LargeValues, type PrintedLines } from "@burla/queue";
import { failuresIn } from "./failures.ts";

/** How far a job is that no program feeds is looked at this often. */
const LOOK_MS = 1_000;
/** Documents that are looked through for the failures that people are shown. */
const FAILURE_DOCUMENTS = 20;

export interface ElsewhereJobsOptions {
  readonly place: QueuePlace;
  readonly large: LargeValues;
  /** Jobs under way that no program feeds. */
  readonly uncounted: () => readonly JobId[];
  readonly counted: (jobId: JobId, progress: JobProgress) => void;
  readonly failures: (jobId: JobId, failures: JobFailure[]) => void;
  readonly log: { error(fields: object, text: string): void };
}

export class ElsewhereJobs {
  readonly #options: ElsewhereJobsOptions;
  readonly #stores = new StorePool();
  /** What is under way for a job, one after the other. */
  readonly #upkeep = new Map<JobId, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ElsewhereJobsOptions) {
    this.#options = options;
  }

  /** Looks at the jobs that no program feeds, now and again while there are some. */
  watch(): void {
    if (this.#options.uncounted().length > 0) this.#timer ??= setTimeout(() => void this.#look(), LOOK_MS);
  }

  ended(jobId: JobId, outcome: "done" | "failed" | "cancelled", reason: string): void {
    this.#inTurn(jobId, (control) => control.end(jobId, outcome, reason));
  }

  /** Fetches the first failures. */
  failed(jobId: JobId): void {
    this.#inTurn(jobId, async (control) => {
      const batches = await control.failures(jobId, FAILURE_DOCUMENTS);
      this.#options.failures(jobId, batches.flatMap(({ batch, body }) => failuresIn(batch, body)));
    });
  }

  discard(jobId: JobId): void {
    this.#inTurn(jobId, (control) => control.discard(jobId));
  }

  remove(jobId: JobId): void {
    this.#inTurn(jobId, (control) => control.remove(jobId));
  }

  async *lines(jobId: JobId, options: { follow: boolean; signal: AbortSignal }): AsyncGenerator<PrintedLines> {
    const { place, large } = this.#options;
    const store = await this.#stores.take(place);
    try {
      yield* new JobControl(store, place, large).lines(jobId, options);
    } finally {
      this.#stores.release(place);
    }
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#upkeep.values());
  }

  async #look(): Promise<void> {
    for (const jobId of this.#options.uncounted()) {
      this.#inTurn(jobId, async (control) => {
        const progress = await control.progress(jobId);
        if (progress !== null) this.#options.counted(jobId, progress);
      });
    }
    await Promise.all(this.#upkeep.values());
    this.#timer = undefined;
    this.watch();
  }

  #inTurn(jobId: JobId, act: (control: JobControl) => Promise<void>): void {
    const turn = (this.#upkeep.get(jobId) ?? Promise.resolve())
      .then(() => this.#act(act))
      .catch((error: unknown) => this.#options.log.error({ jobId, error: messageOf(error) }, "Cloud Firestore failed a job's upkeep"))
      .then(() => {
        if (this.#upkeep.get(jobId) === turn) this.#upkeep.delete(jobId);
      });
    this.#upkeep.set(jobId, turn);
  }

  async #act(act: (control: JobControl) => Promise<void>): Promise<void> {
    const { place, large } = this.#options;
    const store = await this.#stores.take(place);
    try {
      await act(new JobControl(store, place, large));
    } finally {
      this.#stores.release(place);
    }
  }
}
