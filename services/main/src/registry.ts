/** All jobs that this cluster remembers, on disk and in memory, and for how long. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BurlaError, DamageError, newToken, storageError, type JobFailure, type JobId, type JobSpec, type JobSummary } from "@burla/protocol";
import type { CoreState } from "./core/state.ts";
import { restoreJob } from "./core/restore.ts";
import { JobEntry } from "./job-entry.ts";
import { forgetEnvironment, keepEnvironment, withEnvironment } from "./store/environment-file.ts";
import { FailureLog } from "./store/failure-log.ts";
import { JobLog, readSummary } from "./store/job-log.ts";
import type { OpenFiles } from "./store/open-files.ts";
import { replayJob, type Replayed } from "./store/replay.ts";
import { LineLog, type LoggedLines } from "./store/line-log.ts";

/** Ended jobs that are remembered, the newest ones. */
export const MAX_ENDED_JOBS = 100;
/** The folder of jobs that were put aside. */
const DAMAGED = "damaged";
const JOB_ID = /^job-[0-9a-z]{19}$/;
/** A detached job's results wait this long to be collected; those of an interrupted one to be attached to. */
export const KEEP_RESULTS_MS = 7 * 24 * 60 * 60 * 1000;

/** A job whose files an earlier main left and this one could not take up. */
export interface Unrestored {
  readonly jobId: string;
  readonly error: unknown;
  /** It was put aside for good; else it is tried again. */
  readonly isDamaged: boolean;
}

export class JobRegistry {
  readonly #directory: string;
  readonly #files: OpenFiles;
  /** Jobs whose files could not be read, for a reason that may pass. */
  readonly #unread = new Map<JobId, unknown>();
  readonly #entries = new Map<JobId, JobEntry>();
  /** Jobs whose data is gone. */
  readonly #summaries = new Map<string, JobSummary>();
  readonly #onForgotten: (jobId: JobId) => void;

  /** @param onForgotten a job is not known any more. */
  constructor(directory: string, files: OpenFiles, onForgotten: (jobId: JobId) => void = () => undefined) {
    this.#directory = directory;
    this.#files = files;
    this.#onForgotten = onForgotten;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /**
   * Reads what an earlier main left, and puts unfinished jobs back into the state. A job whose files are damaged is put
   * aside, into the folder `damaged` beside the others: it must not keep the rest from going on. One whose files cannot be
   * read now is left where it is, for `restoreUnread`.
   * @returns the jobs that are not back, and why.
   */
  restore(state: CoreState, nowMs: number): Unrestored[] {
    const names = readdirSync(this.#directory).filter((name) => JOB_ID.test(name)) as JobId[];
    return names.sort().flatMap((jobId) => this.#tryRestore(jobId, state, nowMs));
  }

  /** Tries those again that could not be read. @returns the jobs that are back, and those that are damaged. */
  restoreUnread(state: CoreState, nowMs: number): { back: JobId[]; damaged: Unrestored[] } {
    const jobIds = [...this.#unread.keys()];
    const damaged = jobIds.flatMap((jobId) => this.#tryRestore(jobId, state, nowMs)).filter(({ isDamaged }) => isDamaged);
    return { back: jobIds.filter((jobId) => this.#entries.has(jobId)), damaged };
  }

  /** Jobs that are still to be tried. */
  get hasUnread(): boolean {
    return this.#unread.size > 0;
  }

  /** @throws BurlaError BURLA_STORAGE for a job that is here and cannot be read, now or for ever. */
  checkReadable(jobId: JobId): void {
    const error = this.#unread.get(jobId);
    if (error !== undefined) throw error instanceof BurlaError ? error : storageError(`read the files of ${jobId}`, error);
    const aside = join(this.#directory, DAMAGED, jobId);
    if (JOB_ID.test(jobId) && existsSync(aside)) throw new DamageError(aside, `what is left of ${jobId} was put aside there`);
  }

  #tryRestore(jobId: JobId, state: CoreState, nowMs: number): Unrestored[] {
    try {
      this.#restoreOne(jobId, state, nowMs);
      this.#unread.delete(jobId);
      return [];
    } catch (error) {
      // A file that is not as it was written stays so; whatever else there is may be mended.
      if (error instanceof DamageError && this.#putAside(jobId)) {
        this.#unread.delete(jobId);
        return [{ jobId, error, isDamaged: true }];
      }
      this.#unread.set(jobId, error);
      return [{ jobId, error, isDamaged: false }];
    }
  }

  /** @throws BurlaError BURLA_STORAGE; then nothing of it is left. */
  create(jobId: JobId, spec: JobSpec, rootId: JobId, values: Uint8Array, person: string | null = null): JobEntry {
    this.checkReadable(jobId);
    try {
      return this.#create(jobId, spec, rootId, values, person);
    } catch (error) {
      this.#remove(jobId);
      throw error;
    }
  }

  #create(jobId: JobId, spec: JobSpec, rootId: JobId, values: Uint8Array, person: string | null = null): JobEntry {
    const directory = join(this.#directory, jobId);
    const log = new JobLog(directory, this.#files);
    const [createdAt, token] = [Date.now(), newToken()];
    const entry = new JobEntry({ jobId, spec, rootId, createdAt, directory, token, person, log, files: this.#files, isNew: true });
    try {
      log.append({ type: "job", jobId, spec: keepEnvironment(directory, spec, this.#files), rootId, createdAt, token, person }, values);
    } catch (error) {
      entry.close();
      throw error;
    }
    this.#entries.set(jobId, entry);
    return entry;
  }

  get(jobId: JobId): JobEntry | undefined {
    return this.#entries.get(jobId);
  }

  get entries(): Iterable<JobEntry> {
    return this.#entries.values();
  }

  /** Jobs whose tokens are good. */
  *unfinished(): Generator<JobEntry> {
    for (const entry of this.#entries.values()) if (entry.finished === null) yield entry;
  }

  summary(jobId: string): JobSummary | undefined {
    return this.#summaries.get(jobId);
  }

  /** A job that an earlier main has seen end, and whose files are not here. */
  remember(summary: JobSummary): void {
    const hasEnded = summary.endedAt !== null;
    if (hasEnded && JOB_ID.test(summary.jobId) && !this.#entries.has(summary.jobId as JobId) && !this.#summaries.has(summary.jobId)) this.#summaries.set(summary.jobId, summary);
  }

  /** Of jobs whose data is gone, oldest first. */
  get summaries(): Iterable<JobSummary> {
    return this.#summaries.values();
  }

  /** The lines that a job's calls printed, also of a job whose data is gone; undefined when there is no such job. */
  lines(jobId: JobId, options: { follow: boolean; signal: AbortSignal }): AsyncGenerator<LoggedLines> | undefined {
    const entry = this.#entries.get(jobId);
    if (entry !== undefined) return entry.lines.read(options);
    return this.#summaries.has(jobId) ? readClosed(new LineLog(join(this.#directory, jobId), this.#files), options.signal) : undefined;
  }

  /** The first failures of a job, also of one whose data is gone; undefined when there is no such job. */
  failures(jobId: JobId): JobFailure[] | undefined {
    const entry = this.#entries.get(jobId);
    if (entry !== undefined) return entry.failures.read();
    return this.#summaries.has(jobId) ? new FailureLog(join(this.#directory, jobId), { isNew: false, files: this.#files }).read() : undefined;
  }

  /** An ended job whose results have been taken: only what `burla jobs` and `burla logs` show is kept. */
  discardData(entry: JobEntry): void {
    if (entry.endedSummary === null) return;
    entry.discardData();
    this.prune();
  }

  prune(): void {
    const nowMs = Date.now();
    const ended = [...this.#entries.values()].filter((entry) => entry.endedSummary !== null && entry.readers === 0);
    const surplus = ended.length + this.#summaries.size - MAX_ENDED_JOBS;
    const old = ended.filter((entry, at) => at < surplus - this.#summaries.size || nowMs - entry.createdAt > KEEP_RESULTS_MS);
    for (const jobId of [...this.#summaries.keys()].slice(0, Math.max(0, surplus))) this.#remove(jobId);
    for (const entry of old) {
      if (entry.spec.detach && nowMs - entry.createdAt <= KEEP_RESULTS_MS) continue;
      entry.close();
      this.#entries.delete(entry.jobId);
      this.#remove(entry.jobId);
    }
  }

  close(): void {
    for (const entry of this.#entries.values()) entry.close();
  }

  #remove(jobId: string): void {
    this.#summaries.delete(jobId);
    rmSync(join(this.#directory, jobId), { recursive: true, force: true });
    this.#onForgotten(jobId as JobId);
  }

  /** @returns whether it could be. */
  #putAside(jobId: string): boolean {
    const aside = join(this.#directory, DAMAGED);
    try {
      mkdirSync(aside, { recursive: true, mode: 0o700 });
      rmSync(join(aside, jobId), { recursive: true, force: true });
      renameSync(join(this.#directory, jobId), join(aside, jobId));
      forgetEnvironment(join(aside, jobId));
      return true;
    } catch {
      return false;
    }
  }

  #restoreOne(jobId: JobId, state: CoreState, nowMs: number): void {
    const directory = join(this.#directory, jobId);
    const files = this.#files;
    const log = new JobLog(directory, files);
    const replayed = replayOrClose(log);
    if (replayed === null) {
      log.close();
      const summary = readSummary(directory, files);
      if (summary === null) this.#remove(jobId);
      else this.#summaries.set(jobId, summary);
      return;
    }
    const { remembered, createdAt, token, person, finished, finishedBody } = replayed;
    const { rootId } = remembered;
    if (finished !== null) forgetEnvironment(directory);
    const spec = finished === null ? withEnvironment(directory, remembered.spec, files) : remembered.spec;
    const entry = new JobEntry({ jobId, spec, rootId, createdAt, directory, token, person, log, files, isNew: false });
    entry.restore(
      { lastSeq: remembered.seq, chunksStored: remembered.pushedChunks, inputsStored: remembered.pushedInputs, inputsEnded: remembered.totalInputs !== null },
      finished,
      finishedBody,
    );
    if (finished !== null) entry.endedSummary = summaryIn(directory, files) ?? { ...summaryOf(replayed), failures: [...entry.failures.summary] };
    this.#entries.set(jobId, entry);
    if (finished === null) restoreJob(state, remembered, nowMs);
  }
}

/** Null also for a damaged one where the log says the same. @throws BurlaError BURLA_STORAGE when it cannot be read now. */
function summaryIn(directory: string, files: OpenFiles): JobSummary | null {
  try {
    return readSummary(directory, files);
  } catch (error) {
    if (error instanceof DamageError) return null;
    throw error;
  }
}

async function* readClosed(lines: LineLog, signal: AbortSignal): AsyncGenerator<LoggedLines> {
  try {
    yield* lines.read({ follow: false, signal });
  } finally {
    lines.close();
  }
}

function replayOrClose(log: JobLog): Replayed | null {
  try {
    return replayJob(log);
  } catch (error) {
    log.close();
    throw error;
  }
}

/** Of a job that ended when main died, before its summary was written. */
function summaryOf({ remembered, createdAt, finished, person }: Replayed): JobSummary {
  const { jobId, spec, pushedInputs, totalInputs, answeredInputs, failedInputs } = remembered;
  return {
    jobId, name: spec.name, phase: finished?.outcome ?? "failed", reason: finished?.reason ?? "", detach: spec.detach,
    runtime: spec.runtime, parent: spec.parent, person, createdAt, startedAt: null, endedAt: createdAt, inputs: pushedInputs, inputsEnded: totalInputs !== null, done: answeredInputs - failedInputs, failed: failedInputs,
    running: 0, nodes: 0, workers: 0, lostWorkers: 0, failures: [],
  };
}
