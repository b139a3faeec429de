import * as v from "valibot";

const positive = v.pipe(v.number(), v.minValue(0.01));

/** What whoever starts a node service tells it, as JSON in BURLA_NODE. */
export const nodeConfigSchema = v.object({
  nodeId: v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/)),
  /** Scratch space, bundles, sockets. */
  directory: v.string(),
  /** The file that says where main is and with which token; read again at each attempt, since main may move. */
  connectionFile: v.string(),
  workerProgram: v.string(),
  /** The folder of the `burla` package, for functions that start jobs of their own. */
  clientPackage: v.string(),
  cpu: positive,
  ramMiB: positive,
  maxCpu: positive,
  maxRamMiB: positive,
  warm: v.array(v.object({ runtime: v.picklist(["node", "python"]), count: v.number() })),
  /** Without main for this long, the node ends itself. */
  orphanMs: positive,
});
export type NodeConfig = v.InferOutput<typeof nodeConfigSchema>;
