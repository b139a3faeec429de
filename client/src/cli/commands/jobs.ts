/** `burla jobs`: what ran and what runs. */
import type { Command } from "commander";
import { clusterStatus } from "../../control/jobs.ts";
import type { JobSummary } from "../../control/types.ts";
import { EXIT } from "../exit-codes.ts";
import { clusterOption, definedOnly, jsonOption, parseCount, type ClusterOptions } from "../options.ts";
import type { EndWith } from "../program.ts";
import { tableText } from "../table.ts";
import type { Terminal } from "../terminal.ts";
import { durationText } from "../texts.ts";

interface JobsFlags extends ClusterOptions {
  readonly limit: number;
  readonly running?: boolean;
}

const DEFAULT_LIMIT = 20;

const HELP = `
Examples:
  $ burla jobs
  $ burla jobs --running --json | jq -r '.[].jobId'`;

export function addJobs(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("jobs")
    .summary("the jobs of the cluster, newest first")
    .description("List the jobs that the cluster knows, newest first: those under way and the last hundred that have ended.")
    .option("--limit <n>", "how many", parseCount, DEFAULT_LIMIT)
    .option("--running", "only those under way")
    .addOption(clusterOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async ({ cluster, limit, running, json }: JobsFlags) => {
      const all = (await clusterStatus(definedOnly({ cluster }))).jobs;
      const jobs = all.filter((job) => running !== true || isUnderWay(job)).reverse().slice(0, limit);
      if (json === true) await terminal.line(JSON.stringify(jobs));
      else if (jobs.length === 0) terminal.say(running === true ? "No job is under way." : "This cluster knows no job yet.");
      else await terminal.line(jobsTable(jobs));
      endWith(EXIT.ok);
    });
}

export function isUnderWay({ endedAt }: JobSummary): boolean {
  return endedAt === null;
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
