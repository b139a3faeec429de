/** The tree "Jobs" of the current cluster. Failed inputs are asked for when a job's list of them is open and has changed. */
import * as vscode from "vscode";
import type { JobFailure, JobFailures, JobSummary } from "burla/control";
import type { ClusterHub } from "../clusters/hub.ts";
import { COMMANDS } from "../contributions.ts";
import { failureRow, jobRow, moreFailuresRow, partRow, partsOf, sortJobs, type JobPart } from "../view/job-rows.ts";
import { userFrame } from "../view/stack.ts";
import type { ClearedJobs } from "./cleared-jobs.ts";
import type { JobOrigins } from "./job-origins.ts";
import { treeItem } from "./row-item.ts";

export type JobElement =
  | { readonly type: "job"; readonly jobId: string }
  | { readonly type: "part"; readonly jobId: string; readonly part: JobPart }
  | { readonly type: "failure"; readonly jobId: string; readonly failure: JobFailure }
  | { readonly type: "more"; readonly jobId: string; readonly failed: number; readonly shown: number };

/** Asks the current cluster for the failed inputs of a job. */
export type LoadFailures = (jobId: string) => Promise<JobFailures>;

export interface JobsTreeParts {
  readonly hub: ClusterHub;
  readonly origins: JobOrigins;
  readonly cleared: ClearedJobs;
  readonly loadFailures: LoadFailures;
}

export class JobsTree implements vscode.TreeDataProvider<JobElement> {
  readonly #parts: JobsTreeParts;
  readonly #changed = new vscode.EventEmitter<JobElement | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  /** By job: asked again only when the job has failed more. */
  readonly #failures = new Map<string, { readonly failed: number; readonly found: Promise<JobFailures> }>();

  constructor(parts: JobsTreeParts) {
    this.#parts = parts;
  }

  refresh(): void {
    this.#changed.fire(undefined);
  }

  async getChildren(element?: JobElement): Promise<JobElement[]> {
    if (element === undefined) return sortJobs(this.#jobs.filter(({ jobId }) => !this.#parts.cleared.has(jobId))).map(({ jobId }) => ({ type: "job", jobId }));
    const job = this.#job(element.jobId);
    if (job === undefined || element.type === "failure" || element.type === "more") return [];
    if (element.type === "job") return partsOf(job).map((part) => ({ type: "part", jobId: job.jobId, part }));
    return element.part === "failures" ? this.#failureElements(job) : [];
  }

  getParent(element: JobElement): JobElement | undefined {
    if (element.type === "job") return undefined;
    return element.type === "part" ? { type: "job", jobId: element.jobId } : { type: "part", jobId: element.jobId, part: "failures" };
  }

  getTreeItem(element: JobElement): vscode.TreeItem {
    const job = this.#job(element.jobId);
    if (job === undefined) return new vscode.TreeItem(element.jobId);
    switch (element.type) {
      case "job":
        return treeItem(jobRow(job, this.#parts.origins.of(job.jobId)?.place ?? null));
      case "part":
        return treeItem(partRow(job, element.part), commandOf(element));
      case "failure":
        return treeItem(failureRow(job.jobId, element.failure), commandOf(element));
      case "more":
        return treeItem(moreFailuresRow(job.jobId, element.failed, element.shown));
    }
  }

  async #failureElements(job: JobSummary): Promise<JobElement[]> {
    const { jobId } = job;
    const { failed, failures } = await this.#failuresOf(job);
    const elements: JobElement[] = [...failures].sort((a, b) => a.index - b.index).map((failure) => ({ type: "failure", jobId, failure }));
    return failed > failures.length ? [...elements, { type: "more", jobId, failed, shown: failures.length }] : elements;
  }

  #failuresOf(job: JobSummary): Promise<JobFailures> {
    const known = this.#failures.get(job.jobId);
    if (known !== undefined && known.failed === job.failed) return known.found;
    // The summary holds the first few: better than nothing when the cluster cannot be asked.
    const found = this.#parts.loadFailures(job.jobId).catch(() => ({ failed: job.failed, failures: job.failures.map((failure) => ({ ...failure, stack: "" })) }));
    this.#failures.set(job.jobId, { failed: job.failed, found });
    return found;
  }

  #job(jobId: string): JobSummary | undefined {
    return this.#jobs.find((job) => job.jobId === jobId);
  }

  get #jobs(): readonly JobSummary[] {
    return this.#parts.hub.current.status?.jobs ?? [];
  }
}

function commandOf(element: JobElement): vscode.Command | undefined {
  if (element.type === "part" && element.part === "log") return { command: COMMANDS.showJobLog, title: "Show Log", arguments: [element] };
  if (element.type === "failure" && userFrame(element.failure.stack) !== null) return { command: COMMANDS.revealErrorLine, title: "Go to Error Line", arguments: [element] };
  return undefined;
}
