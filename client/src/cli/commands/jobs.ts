/** `burla jobs`: what ran and what runs, once or as it changes. */
import { isDeepStrictEqual } from "node:util";
import type { Command } from "commander";
import { clusterStatus } from "../../control/jobs.ts";
import type { ClusterState, JobSummary } from "../../control/types.ts";
import { EXIT, type ExitCode, type EndWith } from "../exit-codes.ts";
import { clusterOption, definedOnly, jsonOption, parseCount, type ClusterOptions } from "../options.ts";
import { tableText } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { durationText } from "../texts.ts";
import { absenceText, watch, type WatchView } from "../watch.ts";

interface JobsFlags extends ClusterOptions {
  readonly limit: number;
  readonly running?: boolean;
  readonly watch?: boolean;
}

const DEFAULT_LIMIT = 20;

const HELP = `
With --watch the list changes as the jobs do, until Ctrl-C; where stdout is no terminal, a line for each job that has
changed, with --json an object.

Examples:
  $ burla jobs
  $ burla jobs --watch
  $ burla jobs --running --json | jq -r '.[].jobId'`;

export function addJobs(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("jobs")
    .summary("the jobs of the cluster, newest first")
    .description("List the jobs that the cluster knows, newest first: those under way, interrupted ones, and the last hundred that have ended.")
    .option("--limit <n>", "how many", parseCount, DEFAULT_LIMIT)
    .option("--running", "only those under way")
    .option("-w, --watch", "go on with every change, until Ctrl-C")
    .addOption(clusterOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (flags: JobsFlags) => endWith(await (flags.watch === true ? watch(terminal, flags, viewOf(flags)) : show(flags, terminal))));
}

async function show(flags: JobsFlags, terminal: Terminal): Promise<ExitCode> {
  const jobs = chosen((await clusterStatus(definedOnly({ cluster: flags.cluster }))).jobs, flags);
  if (flags.json === true) await terminal.line(JSON.stringify(jobs));
  else if (jobs.length === 0) terminal.say(noJobText(flags));
  else await terminal.line(jobsTable(jobs));
  return EXIT.ok;
}

/** Newest first. */
function chosen(jobs: readonly JobSummary[], { running, limit }: JobsFlags): JobSummary[] {
  return jobs.filter((job) => running !== true || isUnderWay(job)).reverse().slice(0, limit);
}

function noJobText({ running }: JobsFlags): string {
  return running === true ? "No job is under way." : "This cluster knows no job yet.";
}

function viewOf(flags: JobsFlags): WatchView {
  return {
    screen: (state) => {
      const jobs = chosen(jobsOf(state), flags);
      return absenceText(state) ?? (jobs.length === 0 ? noJobText(flags) : jobsTable(jobs));
    },
    lines: (state, before) => changedJobs(state, before, flags).map((job) => (flags.json === true ? JSON.stringify(job) : lineText(job))),
  };
}

/** Oldest first, as they would stand in a log. With `running`, also those that have just ended. */
function changedJobs(state: ClusterState, before: ClusterState | null, flags: JobsFlags): JobSummary[] {
  const known = new Map((before === null ? [] : jobsOf(before)).map((job) => [job.jobId, job]));
  if (known.size === 0) return chosen(jobsOf(state), flags).reverse();
  return jobsOf(state).filter((job) => {
    const old = known.get(job.jobId);
    return !isDeepStrictEqual(job, old) && (flags.running !== true || isUnderWay(job) || (old !== undefined && isUnderWay(old)));
  });
}

function jobsOf(state: ClusterState): readonly JobSummary[] {
  if ("last" in state) return state.last?.jobs ?? [];
  return "status" in state ? state.status.jobs : [];
}

/** Such as `job-01j9x3k5v7abcdefghj  score  running  512/1,000, 2 failed`. */
function lineText(job: JobSummary): string {
  return [job.jobId, job.name, job.phase, progressOf(job), ...(job.reason === "" ? [] : [job.reason])].join("  ");
}

/** Nothing of an interrupted one runs. */
export function isUnderWay({ endedAt, phase }: JobSummary): boolean {
  return endedAt === null && phase !== "interrupted";
}

/** One line per job: id, name, state, how far, how long, and why it waits or how it ended. */
export function jobsTable(jobs: readonly JobSummary[], nowMs = Date.now()): string {
  const rows = jobs.map((job) => [
    job.jobId,
    job.name,
    job.detach ? `${job.phase} (detached)` : job.phase,
    progressOf(job),
    durationText((job.endedAt ?? nowMs) - job.createdAt),
    job.endedAt === null ? "" : `${durationText(nowMs - job.endedAt)} ago`,
    job.reason,
  ]);
  return tableText(["job", "name", "state", "inputs", "time", "ended", "why"], rows);
}

/** Such as `512/1,000, 2 failed`, or `512 of so far 600`. */
function progressOf({ done, failed, inputs, inputsEnded }: JobSummary): string {
  const count = (value: number) => value.toLocaleString("en-US");
  const settled = inputsEnded ? `${count(done + failed)}/${count(inputs)}` : `${count(done + failed)} of so far ${count(inputs)}`;
  return failed > 0 ? `${settled}, ${count(failed)} failed` : settled;
}
