/** Where the queue of a job is, when it is not in main. */
import * as v from "valibot";

export const queuePlaceSchema = v.object({
  kind: v.literal("firestore"),
  project: v.pipe(v.string(), v.maxLength(64)),
  database: v.pipe(v.string(), v.maxLength(64)),
  /** The document of the cluster: jobs lie below it. */
  root: v.pipe(v.string(), v.maxLength(256)),
  /** `host:port` of an emulator; null for Google's service. */
  emulator: v.nullable(v.pipe(v.string(), v.maxLength(256))),
  /** The bucket for large values, and the address of an emulator if that has it; null: main keeps them. */
  bucket: v.nullable(v.object({ name: v.pipe(v.string(), v.maxLength(256)), emulator: v.nullable(v.pipe(v.string(), v.maxLength(256))) })),
});
export type QueuePlace = v.InferOutput<typeof queuePlaceSchema>;
