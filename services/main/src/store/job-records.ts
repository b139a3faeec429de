/** What main must not forget of one job, as it stands in the job's log. */
import * as v from "valibot";
import { finishedSchema, jobSpecSchema, newToken, resultsSchema, type JobId, type JobSpec, type MainToClient, type NodeId, type Of, type Variables } from "@burla/protocol";
import type { Job, Range } from "../core/state.ts";

export type Results = Of<MainToClient, "results">;
export type Finished = Of<MainToClient, "finished">;

/**
 * Ends what is kept of a history that is otherwise forgotten: the counters as they stand, whatever the records before
 * say. Results up to and with `resultsAfter` are gone. Body: MessagePack of `AnsweredChunk[]`, of the open chunks.
 */
export interface Base {
  type: "base";
  phase: Job["phase"];
  pushedChunks: number;
  pushedInputs: number;
  totalInputs: number | null;
  answeredInputs: number;
  answeredBytes: number;
  failedInputs: number;
  seq: number;
  ackedSeq: number;
  ackedInputs: number;
  resultsAfter: number;
  lastGrantId: number;
}

/** A chunk's id, and a mark for each of its inputs. */
export type AnsweredChunk = [chunkId: number, marks: Uint8Array];

export type JobRecord =
  /** `token`: with which its functions start jobs of their own, after a restart of main too. `person`: null for the cluster's owner. */
  | { type: "job"; jobId: JobId; spec: JobSpec; rootId: JobId; createdAt: number; token: string; person: string | null }
  | { type: "chunk"; chunkId: number; first: number; count: number }
  | { type: "inputsEnd"; total: number }
  /** `nodeId` null: nobody holds the range any more. */
  | { type: "grant"; grantId: number; nodeId: NodeId | null; range: Range }
  | Results
  | { type: "ack"; seq: number }
  /** From here on; `running` from the beginning. */
  | { type: "phase"; phase: Job["phase"] }
  | Base
  | Finished;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const id = <Id extends string>() => v.custom<Id>((value) => typeof value === "string");

const phase = v.picklist(["running", "interrupted"]);

export const answeredChunksSchema: v.GenericSchema<unknown, AnsweredChunk[]> = v.array(v.tuple([count, v.instance(Uint8Array)]));

/** Variables as builds of before wrote them. */
const storedEnv = v.union([
  jobSpecSchema.entries.env,
  v.pipe(v.record(v.string(), v.string()), v.transform((record): Variables => Object.entries(record))),
]);

/** A main of an earlier build may have written it: then it has no image, no queue but main, no set-up, and says nothing of its inputs. */
const storedSpecSchema = v.object({
  ...jobSpecSchema.entries,
  image: v.optional(jobSpecSchema.entries.image, null),
  queue: v.optional(jobSpecSchema.entries.queue, null),
  inputsAtHand: v.optional(jobSpecSchema.entries.inputsAtHand, false),
  setupTimeoutMs: v.optional(jobSpecSchema.entries.setupTimeoutMs, null),
  env: storedEnv,
  environment: v.optional(jobSpecSchema.entries.environment, null),
});

/** Main wrote it, but a disk may give back something else: a damaged record must not become a wrong state. */
export const recordSchema: v.GenericSchema<unknown, JobRecord> = v.variant("type", [
  v.object({ type: v.literal("job"), jobId: id<JobId>(), spec: storedSpecSchema, rootId: id<JobId>(), createdAt: v.number(), token: v.optional(v.string(), newToken), person: v.optional(v.nullable(v.string()), null) }),
  v.object({ type: v.literal("chunk"), chunkId: count, first: count, count: v.pipe(count, v.minValue(1)) }),
  v.object({ type: v.literal("inputsEnd"), total: count }),
  v.object({
    type: v.literal("grant"),
    grantId: count,
    nodeId: v.nullable(id<NodeId>()),
    range: v.object({ chunkId: count, from: count, to: count, attempt: count, losses: v.pipe(v.number(), v.minValue(0)), failures: count }),
  }),
  resultsSchema,
  v.object({ type: v.literal("ack"), seq: count }),
  v.object({ type: v.literal("phase"), phase }),
  v.object({
    // Earlier builds did not say it.
    type: v.literal("base"), phase: v.optional(phase, "running"), pushedChunks: count, pushedInputs: count, totalInputs: v.nullable(count), answeredInputs: count, answeredBytes: count,
    failedInputs: count, seq: count, ackedSeq: count, ackedInputs: count, resultsAfter: count, lastGrantId: count,
  }),
  finishedSchema,
]);
