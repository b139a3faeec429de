/** Who may do what with a job. A job belongs to whoever started it, and to the owner of the cluster. */
import { BurlaError, ROUTES, type JobId } from "@burla/protocol";
import type { Identity } from "./auth.ts";

/** Whose a job is. Jobs that functions start are those of the person whose function it is. */
export interface Ownership {
  readonly jobId: JobId;
  /** Null for the owner of the cluster, and for jobs of a time when it was not written down. */
  readonly person: string | null;
  readonly parent: JobId | null;
}

/**
 * To see that it is there and how far it is; to read what its calls said; and all else: to feed it, to take its results,
 * to end it.
 */
export type Deed = "see" | "read" | "take";

export function may(identity: Identity, deed: Deed, job: Ownership): boolean {
  switch (identity.role) {
    case "owner":
      return true;
    case "user":
      return deed === "see" || identity.person === job.person;
    case "viewer":
      return deed !== "take";
    case "worker":
      return job.parent === identity.jobId;
    case "node":
      return false;
  }
}

/** Functions are not told of jobs that are not theirs; people see the rows of all. */
export function notYours(identity: Identity, jobId: JobId): BurlaError {
  if (identity.role === "worker" || identity.role === "node") return new BurlaError("BURLA_NO_SUCH_JOB", `this cluster knows no job ${jobId}`);
  return new BurlaError("BURLA_UNAUTHORIZED", `${jobId} was started by somebody else`, { cure: "Whoever started a job, and the owner of the cluster, may read and end it." });
}

/** What is not named here is a deed of whoever the job belongs to. */
const GENTLE_ROUTES: readonly [route: string, deed: Deed][] = [
  [ROUTES.job, "see"],
  [ROUTES.jobLogs, "read"],
  [ROUTES.jobFailures, "read"],
];
const gentle = GENTLE_ROUTES.map(([route, deed]) => ({ pattern: new RegExp(`^${route.replace(":jobId", "[^/]+")}/?$`), deed }));
const JOB_PATH = new RegExp(`^${ROUTES.job.replace(":jobId", "([^/]+)")}(/|$)`);

/** The job that a request is about, and what it would do with it; null when it is about none. */
export function deedOf(method: string, path: string): { jobId: JobId; deed: Deed } | null {
  const jobId = JOB_PATH.exec(path)?.[1];
  if (jobId === undefined) return null;
  const deed = method === "GET" || method === "HEAD" ? gentle.find(({ pattern }) => pattern.test(path))?.deed : undefined;
  return { jobId: jobId as JobId, deed: deed ?? "take" };
}
