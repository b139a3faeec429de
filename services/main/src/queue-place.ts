/** Where the queues of this cluster's jobs are, by its spec and its environment. */
import type { ClusterSpec, QueuePlace } from "@burla/protocol";

/** What the emulator takes for a project when nobody names one. */
const EMULATED_PROJECT = "demo-burla";

/**
 * @param ownProject that of main's VM; null elsewhere.
 * @returns null for queues in main.
 */
export function queuePlaceOf({ queue, name, firestore }: Pick<ClusterSpec, "queue" | "name" | "firestore">, environment: NodeJS.ProcessEnv, ownProject: string | null): QueuePlace | null {
  if (queue === "stream") return null;
  const { FIRESTORE_EMULATOR_HOST: emulator, GOOGLE_CLOUD_PROJECT: project } = environment;
  return {
    kind: "firestore",
    project: firestore.project ?? ownProject ?? (project || (emulator ? EMULATED_PROJECT : "")),
    database: firestore.database,
    root: `burla/${name}`,
    emulator: emulator || null,
    bucket: firestore.bucket,
  };
}
