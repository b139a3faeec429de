/** What the output channel says of a change, so that a day can be read again afterwards. */
import type { JobSummary } from "burla/control";
import type { ClusterState } from "./clusters/state.ts";
import { countText, durationText, jobStateText, progressText } from "./view/texts.ts";

export interface Entry {
  readonly level: "info" | "warn" | "error";
  readonly text: string;
}

/** Lines for the step from one state of a cluster to the next. */
export function journal(before: ClusterState | undefined, after: ClusterState): Entry[] {
  return [...linkEntries(before, after), ...jobEntries(before, after)];
}

function linkEntries(before: ClusterState | undefined, { ref, link, status }: ClusterState): Entry[] {
  if (before?.link.kind === link.kind || (before === undefined && link.kind === "off")) return [];
  switch (link.kind) {
    case "unreachable":
      return [{ level: "warn", text: `${ref.label}: unreachable: ${link.trouble.message}` }];
    case "error":
      return [{ level: "error", text: `${ref.label}: ${link.trouble.message} ${link.trouble.cure}` }];
    case "online":
      return [{ level: "info", text: `${ref.label}: running, ${countText(status?.nodes.length ?? 0, "node")}, version ${status?.version ?? "unknown"}` }];
    default:
      return [{ level: "info", text: `${ref.label}: ${link.kind}` }];
  }
}

function jobEntries(before: ClusterState | undefined, after: ClusterState): Entry[] {
  if (before?.status == null || after.status === null || before.status.jobs === after.status.jobs) return [];
  const known = new Map(before.status.jobs.map((job) => [job.jobId, job]));
  return after.status.jobs.flatMap((job) => jobEntry(known.get(job.jobId), job));
}

function jobEntry(before: JobSummary | undefined, job: JobSummary): Entry[] {
  if (job.endedAt !== null && before?.endedAt == null) {
    const took = durationText(job.endedAt - job.createdAt);
    const why = job.reason === "" ? "" : `: ${job.reason}`;
    return [{ level: job.phase === "failed" ? "warn" : "info", text: `${job.name} (${job.jobId}): ${jobStateText(job)}, ${progressText(job)}, ${took}${why}` }];
  }
  return before === undefined ? [{ level: "info", text: `${job.name} (${job.jobId}): started` }] : [];
}
