/** The first failures of a job, for people: kept like its lines, also when its results have been taken. */
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import * as v from "valibot";
import { jobFailureSchema, MAX_KEPT_FAILURES, MAX_SUMMARY_FAILURES, messageOf, systemCode, storageError, type FailureSummary, type JobFailure } from "@burla/protocol";
import type { OpenFiles } from "./open-files.ts";

/** Of a message, as much as a line of a list shows. */
const SUMMARY_LENGTH = 200;
/** A failure with its checksum before it. An earlier build wrote none. */
const LINE = /^(?:([0-9a-f]{8}) )?(\{.*)$/;

export class FailureLog {
  readonly #file: string;
  readonly #files: OpenFiles;
  #count = 0;
  /** Its last line was torn off by a death: the next one begins anew. */
  #isTorn = false;
  #first: readonly FailureSummary[] = [];

  /** @param isNew there cannot be any yet. */
  constructor(directory: string, { isNew, files }: { isNew: boolean; files: OpenFiles }) {
    this.#file = join(directory, "failures.ndjson");
    this.#files = files;
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
      this.#files.withRoom(() => appendFileSync(this.#file, `${this.#isTorn ? "\n" : ""}${kept.map(lineOf).join("")}`, { mode: 0o600 }));
      this.#isTorn = false;
    } catch {
      // The job log, which is written first, tells when the disk refuses; what people read must not end a job.
    }
  }

  /** One that is damaged, or cannot be read, stands there as a failure that says so. */
  read(): JobFailure[] {
    try {
      return this.#lines().map((line) => this.#failureIn(line)).slice(0, MAX_KEPT_FAILURES);
    } catch (error) {
      return [unreadable(messageOf(storageError(`read ${this.#file}`, error)))];
    }
  }

  #failureIn(line: string): JobFailure {
    const [, sum, text = ""] = LINE.exec(line) ?? [];
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), jobFailureSchema), text);
    if (parsed.success && (sum === undefined || sum === sumOf(text))) return parsed.output;
    return unreadable(`${this.#file} is damaged: the error that was here is not what was written`);
  }

  #lines(): string[] {
    try {
      const text = this.#files.withRoom(() => readFileSync(this.#file, "utf8"));
      this.#isTorn = text !== "" && !text.endsWith("\n");
      return text.split("\n").slice(0, -1).filter((line) => line !== "");
    } catch (error) {
      if (systemCode(error) === "ENOENT") return [];
      throw error;
    }
  }

  #note(failures: readonly JobFailure[]): void {
    this.#count += failures.length;
    const room = MAX_SUMMARY_FAILURES - this.#first.length;
    if (room > 0) this.#first = [...this.#first, ...failures.slice(0, room).map(({ index, name, message }) => ({ index, name, message: message.slice(0, SUMMARY_LENGTH) }))];
  }
}

function lineOf(failure: JobFailure): string {
  const text = JSON.stringify(failure);
  return `${sumOf(text)} ${text}\n`;
}

function unreadable(message: string): JobFailure {
  return { index: -1, name: "BURLA_STORAGE", message, stack: "" };
}

function sumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}
