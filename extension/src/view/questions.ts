/** What the user is asked before something ends. */
import type { JobSummary } from "burla/control";
import { liveJobs, type ClusterState } from "../clusters/state.ts";
import { countText, jobStateText, progressText } from "./texts.ts";

/** More jobs than this are told as a number. */
const MAX_JOBS = 5;

export interface Question {
  readonly message: string;
  readonly detail: string;
  readonly losesSomething: boolean;
}

export function stopQuestion({ status }: ClusterState): Question {
  const jobs = liveJobs(status);
  const running = jobs.length === 0 ? [] : [`${countText(jobs.length, "job")} will stop:`, ...jobs.slice(0, MAX_JOBS).map(jobLine)];
  const more = jobs.length > MAX_JOBS ? [`and ${jobs.length - MAX_JOBS} more`] : [];
  const detached = jobs.some(({ detach }) => detach) ? ["Detached jobs go on when the cluster starts again."] : [];
  return {
    message: "Stop the local cluster?",
    detail: [...running, ...more, ...detached].join("\n") || "No job is running.",
    losesSomething: jobs.length > 0,
  };
}

function jobLine(job: JobSummary): string {
  return `• ${job.name}: ${jobStateText(job)} (${progressText(job)})`;
}

export function cancelQuestion(job: JobSummary): Question {
  return {
    message: `Cancel ${job.name}?`,
    detail: `${progressText(job)}. Results that have been computed and not read are lost.`,
    losesSomething: true,
  };
}
