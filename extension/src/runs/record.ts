/** What the workspace remembers of a run, so that a reloaded window shows it again. */
import * as v from "valibot";
import { functionRefSchema, inputSourceSchema, placeSchema } from "../runner/messages.ts";

/** Runs beyond these are forgotten, the oldest first. */
export const MAX_RECORDS = 200;
export const MAX_SPOOLS_BYTES = 2 * 1024 ** 3;
export const MAX_AGE_MS = 90 * 24 * 60 * 60 * 1000;
/** Finished runs whose rows are in memory; those of others are read again when they are shown. */
export const MAX_LOADED = 5;

/** How far a run is. */
export const phaseSchema = v.picklist(["preparing", "running", "done", "cancelled", "failed"]);
export type RunPhase = v.InferOutput<typeof phaseSchema>;

export const runRecordSchema = v.object({
  id: v.string(),
  file: v.string(),
  /** The working directory of the run. */
  folder: v.string(),
  fn: functionRefSchema,
  /** What the function is called. */
  label: v.string(),
  source: inputSourceSchema,
  sourceLabel: v.string(),
  /** The file with its results. */
  spool: v.string(),
  phase: phaseSchema,
  startedAt: v.number(),
  /** When its last job began to run: waiting for a cluster and for workers is no work. Null before. */
  workedFrom: v.optional(v.nullable(v.number()), null),
  endedAt: v.nullable(v.number()),
  /** Inputs of the run, once their number is known. */
  total: v.nullable(v.number()),
  /** Of a run that tries the first inputs alone; null of one that runs all. */
  trial: v.optional(
    v.nullable(
      v.object({
        limit: v.number(),
        /** How many inputs there are; null while or where that is not known. */
        of: v.nullable(v.number()),
        /** Most workers that there were for it. */
        workers: v.number(),
      }),
    ),
    null,
  ),
  /** What ended it early. */
  problem: v.nullable(v.object({ code: v.nullable(v.string()), message: v.string(), cure: v.string(), place: v.optional(v.nullable(placeSchema), null) })),
  /** The job that runs or ran last. */
  job: v.nullable(
    v.object({
      jobId: v.string(),
      /** Which cluster it runs on. */
      clusterId: v.string(),
      /** The inputs of a job that ran only some again. */
      indexes: v.nullable(v.array(v.number())),
      /** Lines that the spool had before it. */
      firstLine: v.number(),
    }),
  ),
});
export type RunRecord = v.InferOutput<typeof runRecordSchema>;

export function isOver(phase: RunPhase): boolean {
  return phase !== "preparing" && phase !== "running";
}

/** Who waits less than this is still there. */
const LONG_MS = 30_000;

/** Whether it has ended by itself, after a time in which its user has gone elsewhere. */
export function isLongEnded({ phase, startedAt, endedAt }: Pick<RunRecord, "phase" | "startedAt" | "endedAt">): boolean {
  return (phase === "done" || phase === "failed") && endedAt !== null && endedAt - startedAt >= LONG_MS;
}

/** A run that is kept, and the room that its files take. */
export interface KeptRun {
  readonly record: Pick<RunRecord, "phase" | "startedAt">;
  readonly bytes: number;
  /** It is in sight. */
  readonly isCurrent: boolean;
}

/**
 * The runs that are kept no longer: beyond a number, a room and an age.
 * @param runs the newest first.
 */
export function outdated<Kept extends KeptRun>(runs: readonly Kept[], nowMs: number): Kept[] {
  let bytes = 0;
  return runs.filter((run, place) => {
    bytes += run.bytes;
    const isBeyond = place >= MAX_RECORDS || bytes > MAX_SPOOLS_BYTES || nowMs - run.record.startedAt > MAX_AGE_MS;
    return isBeyond && isOver(run.record.phase) && !run.isCurrent;
  });
}
