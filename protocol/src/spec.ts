/** The cluster spec: a document that says which nodes run and what is kept warm on each. */
import * as v from "valibot";

const positive = v.pipe(v.number(), v.integer(), v.minValue(1));

export const nodeGroupSchema = v.object({
  name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,30}$/)),
  /** How many nodes run and wait for jobs. */
  count: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000)),
  /** Processors of one node; a worker takes one unless a job asks otherwise. */
  cpu: v.pipe(v.number(), v.minValue(0.01)),
  ramMiB: positive,
  /** Workers kept warm on each node, by runtime. */
  warm: v.array(v.object({ runtime: v.picklist(["node", "python"]), count: v.pipe(v.number(), v.integer(), v.minValue(0)) })),
});
export type NodeGroup = v.InferOutput<typeof nodeGroupSchema>;

export const clusterSpecSchema = v.object({
  name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,30}$/)),
  provider: v.picklist(["local"]),
  containers: v.picklist(["process"]),
  queue: v.picklist(["stream"]),
  groups: v.pipe(v.array(nodeGroupSchema), v.minLength(1)),
  /** Without a job or a connected client for this long, the cluster ends itself. */
  idleMinutes: v.pipe(v.number(), v.minValue(0.01)),
});
export type ClusterSpec = v.InferOutput<typeof clusterSpecSchema>;
