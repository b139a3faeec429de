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

export function stopQuestion({ ref, link, status }: ClusterState): Question {
  const jobs = liveJobs(status);
  const running = jobs.length === 0 ? [] : [`${countText(jobs.length, "job")} will stop:`, ...jobs.slice(0, MAX_JOBS).map(jobLine)];
  const more = jobs.length > MAX_JOBS ? [`and ${jobs.length - MAX_JOBS} more`] : [];
  const detached = jobs.some(({ detach }) => detach) ? [ref.kind === "local" ? "Detached jobs go on when the cluster starts again." : "Detached jobs stop, too."] : [];
  const lines = [...running, ...more, ...detached];
  if (ref.kind === "local") return { message: "Stop the local cluster?", detail: lines.join("\n") || "No job is running.", losesSomething: jobs.length > 0 };
  const isKnown = link.kind === "online";
  return {
    message: `Stop the cluster ${ref.label} on Google Cloud?`,
    detail: [...(isKnown ? lines : ["It does not answer: whether jobs run is not known."]), "All of its machines and firewall rules are removed, and it costs nothing any more."].join("\n"),
    losesSomething: jobs.length > 0 || !isKnown,
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
