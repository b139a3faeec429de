/** The rows of the tree "Jobs": jobs, and below a job its progress, its failed inputs and its log. */
import type { JobFailure, JobSummary } from "burla/control";
import { COLOR, icon, type Icon, type Row } from "./row.ts";
import { clockText, countText, durationText, escapeMarkdown, jobStateText, numberText, progressText } from "./texts.ts";
import { userFrame } from "./stack.ts";

const LIVE = ["waiting", "running"];

/** Under way first, then newest first. */
export function sortJobs(jobs: readonly JobSummary[]): JobSummary[] {
  const rank = ({ endedAt }: JobSummary) => (endedAt === null ? 0 : 1);
  return [...jobs].sort((a, b) => rank(a) - rank(b) || b.createdAt - a.createdAt);
}

/** @param place where its function or cell is, in this window; null for a job of others. */
export function jobRow(job: JobSummary, place: string | null = null): Row {
  return {
    id: job.jobId,
    label: `${jobTitle(job, place)}: ${jobStateText(job)}`,
    description: jobDescription(job),
    tooltip: jobTooltip(job, place),
    icon: jobIcon(job),
    contextValue: `job:${LIVE.includes(job.phase) || job.phase === "interrupted" ? "live" : "ended"}:${place === null ? "other" : "ours"}`,
    expandable: "closed",
  };
}

/** Such as `score`, or `report.ipynb · cell 3 · scrape`. */
export function jobTitle({ name }: JobSummary, place: string | null): string {
  return [place ?? "", name].filter((part) => part !== "").join(" · ");
}

function jobDescription(job: JobSummary): string {
  const ended = job.endedAt === null ? "" : `at ${clockText(job.endedAt)}, ${durationText(job.endedAt - job.createdAt)}`;
  return [progressText(job), job.phase === "waiting" ? job.reason : "", ended].filter((part) => part !== "").join(" · ");
}

const JOB_ICONS: Record<JobSummary["phase"], Icon> = {
  waiting: icon("watch"),
  running: icon("sync~spin"),
  interrupted: icon("debug-disconnect", COLOR.warning),
  done: icon("pass", COLOR.good),
  failed: icon("error", COLOR.bad),
  cancelled: icon("circle-slash", COLOR.quiet),
};

function jobIcon(job: JobSummary): Icon {
  return job.phase === "done" && job.failed > 0 ? icon("warning", COLOR.warning) : JOB_ICONS[job.phase];
}

function jobTooltip(job: JobSummary, place: string | null): string {
  const lines = [`**${escapeMarkdown(jobTitle(job, place))}**: ${escapeMarkdown(jobStateText(job))}`, escapeMarkdown(progressText(job))];
  if (job.reason !== "") lines.push(escapeMarkdown(job.reason));
  if (job.workers > 0) lines.push(`${countText(job.workers, "worker")} on ${countText(job.nodes, "node")}`);
  if (job.lostWorkers > 0) lines.push(`${countText(job.lostWorkers, "worker")} lost; what they worked on was run again`);
  lines.push(`Started ${new Date(job.createdAt).toLocaleString()}`, `\`${job.jobId}\``);
  return lines.join("\n\n");
}

/** What stands below a job. */
export type JobPart = "progress" | "reason" | "failures" | "log";

export function partsOf(job: JobSummary): JobPart[] {
  return [
    "progress",
    ...(job.reason === "" ? [] : (["reason"] as const)),
    ...(job.failed > 0 || job.failures.length > 0 ? (["failures"] as const) : []),
    "log",
  ];
}

export function partRow(job: JobSummary, part: JobPart): Row {
  const row = { id: `${job.jobId}/${part}`, description: "", tooltip: "", contextValue: part, expandable: "no" as const };
  switch (part) {
    case "progress":
      return { ...row, label: inputsText(job), tooltip: escapeMarkdown(inputsText(job)), icon: icon("list-ordered") };
    case "reason":
      return { ...row, label: capitalize(job.reason), tooltip: escapeMarkdown(job.reason), icon: icon("info") };
    case "failures":
      return { ...row, label: `Failed inputs: ${numberText(job.failed)}`, icon: icon("error", COLOR.bad), expandable: "closed" };
    case "log":
      return { ...row, label: "Show log", tooltip: "What the calls print", icon: icon("output") };
  }
}

/** Such as `1,000 inputs: 420 done, 8 running`. */
function inputsText({ inputs, inputsEnded, done, running, failed }: JobSummary): string {
  const parts = [`${numberText(done)} done`, ...(failed > 0 ? [`${numberText(failed)} failed`] : []), ...(running > 0 ? [`${numberText(running)} running`] : [])];
  return `${countText(inputs, "input")}${inputsEnded ? "" : " so far"}: ${parts.join(", ")}`;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A failed input, or with index -1 what failed the whole job. */
export function failureRow(jobId: string, failure: JobFailure): Row {
  const frame = userFrame(failure.stack);
  const place = frame === null ? "" : `${baseName(frame.file)}:${frame.line}`;
  const which = failure.index < 0 ? "Job:" : `#${failure.index}`;
  const [firstLine = ""] = failure.message.split("\n");
  return {
    id: `${jobId}/failures/${failure.index}`,
    label: `${which} ${failure.name}: ${firstLine}`,
    description: place,
    tooltip: `**${escapeMarkdown(failure.name)}**: ${escapeMarkdown(failure.message)}${frame === null ? "" : `\n\n${escapeMarkdown(`${frame.file}:${frame.line}`)}`}`,
    icon: icon("bug", COLOR.bad),
    contextValue: frame === null ? "failure" : "failure:located",
    expandable: "no",
  };
}

/** Below the failures of a job when it has more than are kept. */
export function moreFailuresRow(jobId: string, failed: number, shown: number): Row {
  return {
    id: `${jobId}/failures/more`,
    label: `and ${numberText(failed - shown)} more`,
    description: `the first ${numberText(shown)} are kept`,
    tooltip: "",
    icon: icon("ellipsis"),
    contextValue: "more",
    expandable: "no",
  };
}

function baseName(file: string): string {
  return file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
}
