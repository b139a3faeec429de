/** All jobs that this cluster remembers, on disk and in memory, and for how long. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { JobId, JobSpec, JobSummary } from "@burla/protocol";
import type { CoreState } from "./core/state.ts";
import { restoreJob } from "./core/restore.ts";
import { JobEntry } from "./job-entry.ts";
import { JobLog, readSummary, replayJob } from "./store/job-log.ts";
import { LineLog, type LoggedLines } from "./store/line-log.ts";

/** Ended jobs that are remembered, the newest ones. */
const MAX_ENDED_JOBS = 100;
/** A detached job's results wait this long to be collected; those of an interrupted one to be attached to. */
const KEEP_RESULTS_MS = 7 * 24 * 60 * 60 * 1000;

export class JobRegistry {
  readonly #directory: string;
  readonly #entries = new Map<JobId, JobEntry>();
  /** Jobs whose data is gone. */
  readonly #summaries = new Map<string, JobSummary>();

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** Reads what an earlier main left, and puts unfinished jobs back into the state. */
  restore(state: CoreState, nowMs: number): void {
    for (const name of readdirSync(this.#directory).sort()) this.#restoreOne(name as JobId, state, nowMs);
  }

  create(jobId: JobId, spec: JobSpec, rootId: JobId, values: Uint8Array): JobEntry {
    const directory = join(this.#directory, jobId);
    const log = new JobLog(directory);
    const entry = new JobEntry({ jobId, spec, rootId, createdAt: Date.now(), directory, values, log });
    log.append({ type: "job", jobId, spec, rootId, createdAt: entry.createdAt }, values);
    this.#entries.set(jobId, entry);
    return entry;
  }

  get(jobId: JobId): JobEntry | undefined {
    return this.#entries.get(jobId);
  }

  get entries(): Iterable<JobEntry> {
    return this.#entries.values();
  }

  summary(jobId: string): JobSummary | undefined {
    return this.#summaries.get(jobId);
  }

  /** Of jobs whose data is gone, oldest first. */
  get summaries(): Iterable<JobSummary> {
    return this.#summaries.values();
  }

  /** The lines that a job's calls printed, also of a job whose data is gone; undefined when there is no such job. */
  lines(jobId: JobId, options: { follow: boolean; signal: AbortSignal }): AsyncGenerator<LoggedLines> | undefined {
    const entry = this.#entries.get(jobId);
    if (entry !== undefined) return entry.lines.read(options);
    return this.#summaries.has(jobId) ? readClosed(join(this.#directory, jobId), options.signal) : undefined;
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
  }

  #restoreOne(jobId: JobId, state: CoreState, nowMs: number): void {
    const directory = join(this.#directory, jobId);
    const log = new JobLog(directory);
    const replayed = replayJob(log);
    const summary = readSummary(directory);
    if (replayed === null) {
      log.close();
      if (summary === null) this.#remove(jobId);
      else this.#summaries.set(jobId, summary);
      return;
    }
    const { remembered, values, createdAt, finished, finishedBody } = replayed;
    const { spec, rootId } = remembered;
    const entry = new JobEntry({ jobId, spec, rootId, createdAt, directory, values, log });
    entry.restore(
      { lastSeq: remembered.seq, chunksStored: remembered.pushedChunks, inputsStored: remembered.pushedInputs, inputsEnded: remembered.totalInputs !== null },
      finished,
      finishedBody,
    );
    entry.endedSummary = finished === null ? null : summary;
    this.#entries.set(jobId, entry);
    if (finished === null) restoreJob(state, remembered, nowMs);
  }
}

async function* readClosed(directory: string, signal: AbortSignal): AsyncGenerator<LoggedLines> {
  const lines = new LineLog(directory);
  try {
    yield* lines.read({ follow: false, signal });
  } finally {
    lines.close();
  }
}
