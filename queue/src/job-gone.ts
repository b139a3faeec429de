import { BurlaError } from "@burla/protocol";

/** The store has lost a job that it had. */
export function jobGone(jobId: string): BurlaError {
  const cure = "An emulator keeps nothing when it is started again; in Cloud Firestore somebody has removed the documents. Run the job again.";
  return new BurlaError("BURLA_QUEUE", `the documents of ${jobId} are gone from Cloud Firestore`, { cure });
}
