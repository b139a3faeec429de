/** The first failures of a job, for people: kept like its lines, also when its results have been taken. */
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { jobFailureSchema, MAX_KEPT_FAILURES, MAX_SUMMARY_FAILURES, type FailureSummary, type JobFailure } from "@burla/protocol";

/** Of a message, as much as a line of a list shows. */
const SUMMARY_LENGTH = 200;

export class FailureLog {
  readonly #file: string;
  #count = 0;
  #first: readonly FailureSummary[] = [];

  /** @param isNew there cannot be any yet. */
  constructor(directory: string, { isNew }: { isNew: boolean }) {
    this.#file = join(directory, "failures.ndjson");
    if (!isNew) this.#note(this.read());
  }

  /** No further ones are kept. */
  get isFull(): boolean {
    return this.#count >= MAX_KEPT_FAILURES;
  }

  /** The very first ones, short. */
  get summary(): readonly FailureSummary[] {
    return this.#first;
  }

  append(failures: readonly JobFailure[]): void {
    const kept = failures.slice(0, MAX_KEPT_FAILURES - this.#count);
    if (kept.length === 0) return;
    this.#note(kept);
    try {
      appendFileSync(this.#file, kept.map((failure) => `${JSON.stringify(failure)}\n`).join(""), { mode: 0o600 });
    } catch {
      // The job log, which is written first, tells when the disk refuses; what people read must not end a job.
    }
  }

  read(): JobFailure[] {
    return linesOf(this.#file).flatMap((line) => {
      const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), jobFailureSchema), line);
      return parsed.success ? [parsed.output] : [];
    }).slice(0, MAX_KEPT_FAILURES);
  }

  #note(failures: readonly JobFailure[]): void {
    this.#count += failures.length;
    const room = MAX_SUMMARY_FAILURES - this.#first.length;
    if (room > 0) this.#first = [...this.#first, ...failures.slice(0, room).map(({ index, name, message }) => ({ index, name, message: message.slice(0, SUMMARY_LENGTH) }))];
  }
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter((line) => line !== "");
  } catch {
    return [];
  }
}
