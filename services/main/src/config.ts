import * as v from "valibot";
import { clusterSpecSchema } from "@burla/protocol";

/** What whoever starts main tells it, as JSON in BURLA_MAIN. */
export const mainConfigSchema = v.object({
  /** State of this cluster: connection file, jobs, blobs, scratch space of local nodes. */
  directory: v.string(),
  spec: clusterSpecSchema,
  version: v.string(),
  /** Hash of the programs below: nodes that run other ones are replaced. */
  build: v.optional(v.string(), ""),
  /** Single-file programs of the other services, for the local provider. */
  nodeProgram: v.string(),
  workerProgram: v.string(),
  /** A folder, which a Python interpreter runs. */
  pythonWorkerProgram: v.string(),
  /** The interpreter of workers for jobs that name none. */
  python: v.optional(v.string(), "python3"),
  /** The folder of the `burla` package. */
  clientPackage: v.string(),
  /** Where main has a VM of its own; null on the machine of its user. */
  vm: v.optional(
    v.nullable(
      v.object({
        port: v.number(),
        /** SHA-256 of the owner's token, hex: whoever may look at the VM sees this. */
        ownerHash: v.string(),
        /** The archive of the programs, which nodes get, and its hash. */
        programs: v.string(),
        programsHash: v.string(),
        /** Another API than Google's. */
        endpoint: v.nullable(v.string()),
        /** Of this VM. */
        pricePerHour: v.number(),
      }),
    ),
    null,
  ),
});
export type MainConfig = v.InferOutput<typeof mainConfigSchema>;
