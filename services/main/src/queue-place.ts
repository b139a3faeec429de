/** Where the queues of this cluster's jobs are, by its spec and its environment, and which jobs have theirs in main all the same. */
import type { ClusterSpec, ContainersSpec, JobId, QueuePlace } from "@burla/protocol";

/** What the emulator takes for a project when nobody names one. */
const EMULATED_PROJECT = "demo-burla";

/**
 * @param ownProject that of main's VM; null elsewhere.
 * @returns null for queues in main.
 */
export function queuePlaceOf({ queue, name, firestore }: Pick<ClusterSpec, "queue" | "name" | "firestore">, environment: NodeJS.ProcessEnv, ownProject: string | null): QueuePlace | null {
  if (queue === "stream") return null;
  const { FIRESTORE_EMULATOR_HOST: emulator, STORAGE_EMULATOR_HOST: storage, GOOGLE_CLOUD_PROJECT: project } = environment;
  return {
    kind: "firestore",
    project: firestore.project ?? ownProject ?? (project || (emulator ? EMULATED_PROJECT : "")),
    database: firestore.database,
    root: `burla/${name}`,
    emulator: emulator || null,
    bucket: firestore.bucket === null ? null : { name: firestore.bucket, emulator: storage ? addressOf(storage) : null },
  };
}

/** With or without `http://`, as Google's own clients take it. */
function addressOf(host: string): string {
  return (host.includes("://") ? host : `http://${host}`).replace(/\/+$/, "");
}

export interface Submitter {
  /** The job whose function starts this one. */
  readonly parent: JobId | null;
  /** It speaks HTTP with main, as the Python client does, and has no client of Google's. */
  readonly overHttp: boolean;
}

/** A client that reaches nothing but main has its queue there: functions in containers have no network, or no credentials. */
export function queueFor({ parent, overHttp }: Submitter, place: QueuePlace | null, { runtime }: Pick<ContainersSpec, "runtime">): QueuePlace | null {
  const reachesMainOnly = overHttp || (parent !== null && runtime === "docker");
  return reachesMainOnly ? null : place;
}
