/**
 * Jobs whose queue is in Firestore, as main looks after them: it counts what those have that no program feeds, says there
 * how they ended, keeps their first failures, and removes what nobody needs. All of it in the background and one after
 * the other for each job; a store that is out of reach stops nothing.
 */
import { messageOf, Pacer, type JobFailure, type JobId, type QueuePlace } from "@burla/protocol";
import { JobControl, StorePool, type DocumentStore, type JobProgress, type LargeValues, type PrintedLines } from "@burla/queue";
import { failuresIn } from "./failures.ts";

/** Documents that are looked through for the failures that people are shown. */
const FAILURE_DOCUMENTS = 20;
/** How far a job is costs a look at its sums: after each change at once, and then no more often. */
const LOOK_PACE = { minMs: 100, maxMs: 1_000 };

export interface ElsewhereJobsOptions {
  readonly place: QueuePlace;
  readonly large: LargeValues;
  /** Jobs under way that no program feeds. */
  readonly uncounted: () => readonly JobId[];
  readonly counted: (jobId: JobId, progress: JobProgress) => void;
  readonly failures: (jobId: JobId, failures: JobFailure[]) => void;
  readonly log: { error(fields: object, text: string): void };
}

/** A job that is watched for changes. */
interface Watched {
  readonly looks: Pacer<undefined>;
  stop(): void;
}

export class ElsewhereJobs {
  readonly #options: ElsewhereJobsOptions;
  readonly #stores = new StorePool();
  /** What is under way for a job, one after the other. */
  readonly #upkeep = new Map<JobId, Promise<void>>();
  readonly #watched = new Map<JobId, Watched>();

  constructor(options: ElsewhereJobsOptions) {
    this.#options = options;
  }

  /** Hears from the store how far the jobs are that no program feeds, and of others no more. */
  watch(): void {
    const uncounted = new Set(this.#options.uncounted());
    for (const jobId of uncounted) if (!this.#watched.has(jobId)) this.#watch(jobId);
    for (const [jobId, watched] of this.#watched) if (!uncounted.has(jobId)) watched.stop();
  }

  /** A node has told something of this job. */
  heard(jobId: JobId): void {
    this.#watched.get(jobId)?.looks.set(undefined);
  }

  ended(jobId: JobId, outcome: "done" | "failed" | "cancelled", reason: string): void {
    this.#watched.get(jobId)?.stop();
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
    for (const watched of this.#watched.values()) watched.stop();
    await Promise.all(this.#upkeep.values());
  }

  #watch(jobId: JobId): void {
    const { place, large, log } = this.#options;
    const looks = new Pacer<undefined>(LOOK_PACE, () => this.#look(jobId));
    let end: () => void = () => undefined;
    let stopped = false;
    const stop = () => {
      if (stopped) return;
      stopped = true;
      this.#watched.delete(jobId);
      looks.stop();
      end();
      this.#stores.release(place);
    };
    const failed = (error: unknown) => {
      log.error({ jobId, error: messageOf(error) }, "Cloud Firestore tells no more of a job");
      stop();
    };
    const listen = (store: DocumentStore) => {
      if (!stopped) end = new JobControl(store, place, large).watch(jobId, { changed: () => looks.set(undefined), failed });
    };
    this.#watched.set(jobId, { looks, stop });
    this.#stores.take(place).then(listen).catch(failed);
  }

  #look(jobId: JobId): void {
    this.#inTurn(jobId, async (control) => {
      const progress = await control.progress(jobId);
      if (progress !== null && this.#watched.has(jobId)) this.#options.counted(jobId, progress);
    });
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
