/** What can be done with a job of the tree, or from the palette with one that is chosen then. */
import * as vscode from "vscode";
import type { JobSummary } from "burla/control";
import type { LoadControl } from "./clusters/control.ts";
import type { ClusterHub } from "./clusters/hub.ts";
import type { KnownClusters } from "./clusters/known-clusters.ts";
import { liveJobs } from "./clusters/state.ts";
import { COMMANDS, VIEWS } from "./contributions.ts";
import { Declined, type Handler } from "./failure.ts";
import type { JobLogs, JobPlace } from "./output/job-logs.ts";
import type { ClusterElement } from "./tree/clusters-tree.ts";
import type { ClearedJobs } from "./tree/cleared-jobs.ts";
import type { JobOrigin, JobOrigins } from "./tree/job-origins.ts";
import type { JobElement } from "./tree/jobs-tree.ts";
import { sortJobs } from "./view/job-rows.ts";
import { cancelQuestion } from "./view/questions.ts";
import { userFrame } from "./view/stack.ts";
import { jobStateText, progressText } from "./view/texts.ts";

const CANCEL = "Cancel Job";

export interface JobParts {
  readonly hub: ClusterHub;
  readonly known: KnownClusters;
  readonly loadControl: LoadControl;
  readonly logs: JobLogs;
  readonly origins: JobOrigins;
  readonly cleared: ClearedJobs;
}

export function jobHandlers(parts: JobParts): Record<string, Handler> {
  return {
    [COMMANDS.showJobs]: () => vscode.commands.executeCommand(`${VIEWS.jobs}.focus`),
    [COMMANDS.cancelJob]: (element?: JobElement) => cancelJob(parts, element),
    [COMMANDS.showJobLog]: async (element?: JobElement) => parts.logs.show(await placeOf(parts, element, "Show the log of")),
    [COMMANDS.openFullLog]: async (element?: JobElement) => parts.logs.openFull(await placeOf(parts, element, "Open the full log of")),
    [COMMANDS.showJobResults]: async (element?: JobElement) => (await originOf(parts, element, "Show the results of")).show(),
    [COMMANDS.goToJobSource]: async (element?: JobElement) => (await originOf(parts, element, "Go to the function of")).goTo(),
    [COMMANDS.runJobAgain]: async (element?: JobElement) => (await originOf(parts, element, "Run again")).runAgain(),
    [COMMANDS.clearJob]: (element: JobElement) => parts.cleared.clear([element.jobId]),
    [COMMANDS.clearJobs]: () => parts.cleared.clear((parts.hub.current.status?.jobs ?? []).filter(({ endedAt }) => endedAt !== null).map(({ jobId }) => jobId)),
    [COMMANDS.revealErrorLine]: revealErrorLine,
    [COMMANDS.copyErrorMessage]: (element: JobElement) => copy(element.type === "failure" ? `${element.failure.name}: ${element.failure.message}` : ""),
    [COMMANDS.copyId]: (element: JobElement | ClusterElement) => copy(idOf(element)),
  };
}

async function cancelJob(parts: JobParts, element: JobElement | undefined): Promise<void> {
  const { job, target } = await placeOf(parts, element, "Cancel", liveJobs);
  const { message, detail } = cancelQuestion(job);
  const choice = await vscode.window.showWarningMessage(message, { modal: true, detail }, CANCEL);
  if (choice !== CANCEL) throw new Declined("the job goes on");
  const control = await parts.loadControl();
  const { wasOver } = await control.cancelJob(job.jobId, { cluster: target });
  if (wasOver) void vscode.window.showInformationMessage(`${job.name} had ended already.`);
}

type JobsOf = (status: NonNullable<ClusterHub["current"]["status"]>) => readonly JobSummary[];

/** @throws Declined when there is no job, or none is chosen. */
async function placeOf({ hub, known }: JobParts, element: JobElement | undefined, what: string, from: JobsOf = ({ jobs }) => jobs): Promise<JobPlace & { readonly job: JobSummary }> {
  const { status, ref } = hub.current;
  const jobs = status === null ? [] : sortJobs(from(status));
  const job = element === undefined ? await pickJob(jobs, what) : jobs.find(({ jobId }) => jobId === element.jobId);
  if (job === undefined) {
    void vscode.window.showInformationMessage(jobs.length === 0 ? "There is no such job on this cluster." : "The job has ended, and the cluster has forgotten it.");
    throw new Declined("there is no job");
  }
  return { job, target: await known.target(ref.id) };
}

/** @throws Declined when none is chosen; Error for a job of somebody else. */
async function originOf(parts: JobParts, element: JobElement | undefined, what: string): Promise<JobOrigin> {
  const { job } = await placeOf(parts, element, what, ({ jobs }) => jobs.filter(({ jobId }) => parts.origins.of(jobId) !== undefined));
  const origin = parts.origins.of(job.jobId);
  if (origin === undefined) throw new Error("this job was not started in this workspace");
  return origin;
}

async function pickJob(jobs: readonly JobSummary[], what: string): Promise<JobSummary | undefined> {
  if (jobs.length === 0) return undefined;
  const items = jobs.map((job) => ({ label: job.name, description: `${jobStateText(job)} · ${progressText(job)}`, detail: job.jobId, job }));
  const choice = await vscode.window.showQuickPick(items, { placeHolder: `${what} which job?`, matchOnDescription: true, matchOnDetail: true });
  if (choice === undefined) throw new Declined("no job was chosen");
  return choice.job;
}

/** Opens the file at the line of the user's function that has thrown. */
async function revealErrorLine(element: JobElement): Promise<void> {
  const frame = element.type === "failure" ? userFrame(element.failure.stack) : null;
  if (frame === null) throw new Error("The error does not say where it was thrown.");
  const position = new vscode.Position(Math.max(0, frame.line - 1), Math.max(0, frame.column - 1));
  try {
    await vscode.window.showTextDocument(vscode.Uri.file(frame.file), { selection: new vscode.Range(position, position), preview: true });
  } catch (cause) {
    throw new Error(`The file ${frame.file} is not on this machine, or cannot be read.`, { cause });
  }
}

async function copy(text: string): Promise<void> {
  await vscode.env.clipboard.writeText(text);
}

function idOf(element: JobElement | ClusterElement): string {
  switch (element.type) {
    case "cluster":
      return element.ref.id;
    case "node":
      return element.nodeId;
    case "container":
      return element.workerId;
    default:
      return element.jobId;
  }
}
