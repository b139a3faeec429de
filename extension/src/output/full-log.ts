/** Whole logs of jobs as files that are soon removed. */
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as vscode from "vscode";
import type { JobLogLine, JobSummary } from "burla/control";
import { fullLineText } from "./log-lines.ts";

const KEPT_MS = 24 * 60 * 60 * 1000;
const LINES_PER_REPORT = 10_000;

/** @returns the file. Files of earlier days go. */
export async function writeFullLog(folder: vscode.Uri, job: Pick<JobSummary, "jobId" | "name">, lines: AsyncIterable<JobLogLine>, onLines: (count: number) => void): Promise<vscode.Uri> {
  const directory = join(folder.fsPath, "logs");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await removeOld(directory);
  const file = join(directory, `${job.name.replace(/[^\w.-]+/g, "-").slice(0, 64)}-${job.jobId}.log`);
  await pipeline(Readable.from(texts(lines, onLines)), createWriteStream(file, { mode: 0o600 }));
  return vscode.Uri.file(file);
}

async function* texts(lines: AsyncIterable<JobLogLine>, onLines: (count: number) => void): AsyncGenerator<string> {
  let count = 0;
  for await (const line of lines) {
    yield fullLineText(line);
    if (++count % LINES_PER_REPORT === 0) onLines(count);
  }
  if (count === 0) yield "The job has printed nothing.\n";
}

async function removeOld(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const file = join(directory, name);
    const { mtimeMs } = await stat(file);
    if (Date.now() - mtimeMs > KEPT_MS) await rm(file, { force: true });
  }
}
