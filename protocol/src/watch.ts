/**
 * What a watcher of a cluster hears, one line of JSON each. The first event is the whole status; from then on those rows
 * that have changed, whole, as they are by now. A watcher that reads slowly hears less often, never late news: there is
 * no queue. One that has missed too much gets the whole status again.
 */
import * as v from "valibot";
import { clusterSummarySchema, jobSummarySchema, nodeSummarySchema, statusSchema } from "./status.ts";

const ids = v.array(v.string());

export const watchEventSchema = v.variant("type", [
  v.object({ type: v.literal("snapshot"), status: statusSchema }),
  v.object({
    type: v.literal("changes"),
    /** Null when nothing of the cluster as a whole has changed. */
    cluster: v.nullable(clusterSummarySchema),
    /** Rows that are new or have changed, in the order in which they did. */
    nodes: v.array(nodeSummarySchema),
    nodesGone: ids,
    jobs: v.array(jobSummarySchema),
    jobsGone: ids,
  }),
  /** Nothing has changed for a while. */
  v.object({ type: v.literal("heartbeat") }),
  /** The cluster ends; nothing follows. */
  v.object({ type: v.literal("shutdown"), reason: v.string() }),
]);
export type WatchEvent = v.InferOutput<typeof watchEventSchema>;
