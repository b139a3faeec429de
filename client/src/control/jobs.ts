/** What can be asked about jobs, and done to them. */
import { isUpdate } from "@burla/protocol";
import { controlOf } from "./requests.ts";
import type { Cancelled, ClusterStatus, ControlOptions, JobFailures, JobLogLine, JobLogOptions } from "./types.ts";

/** The cluster at this moment; starts none. @throws BurlaError BURLA_UNREACHABLE, BURLA_UNAUTHORIZED; this holds for all of these. */
export async function clusterStatus({ cluster }: ControlOptions = {}): Promise<ClusterStatus> {
  return controlOf(cluster).status();
}

/** What the calls of a job printed, in order of arrival; of a line that is written over, its last state. @throws BurlaError BURLA_NO_SUCH_JOB too, as the next two. */
export async function* jobLogs(jobId: string, { cluster, follow = false, signal }: JobLogOptions = {}): AsyncGenerator<JobLogLine, void, undefined> {
  const left = new AbortController();
  const signals = signal === undefined ? [left.signal] : [left.signal, signal];
  try {
    for await (const line of controlOf(cluster).lines(jobId, { follow, signal: AbortSignal.any(signals) })) {
      if (!isUpdate(line.text)) yield line;
    }
  } finally {
    left.abort();
  }
}

/** The first inputs of a job that failed, with their errors, whoever started it and whether or not it has ended. */
export async function jobFailures(jobId: string, { cluster }: ControlOptions = {}): Promise<JobFailures> {
  return controlOf(cluster).jobFailures(jobId);
}

/** Ends a job. One that had ended already is no error. */
export async function cancelJob(jobId: string, { cluster }: ControlOptions = {}): Promise<Cancelled> {
  const control = controlOf(cluster);
  const before = await control.job(jobId);
  if (before.endedAt !== null) return { jobId, phase: before.phase, wasOver: true };
  await control.cancelJob(jobId);
  return { jobId, phase: (await control.job(jobId)).phase, wasOver: false };
}
