/**
 * The cluster spec: a document that says which nodes run and which containers are kept warm on each. Written as JSON by
 * people, so what is absent has a default; `docs/cluster-spec.schema.json` is made from this file for editors.
 */
import * as v from "valibot";
import { BurlaError } from "./errors.ts";

const name = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,30}$/, "must be small letters, digits and dashes, at most 31"));
const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
const MAX_MIB = 16 * 1024 * 1024;

/** An image as Docker names it: `[registry[:port]/]path[:tag][@digest]`. */
export const imageNameSchema = v.pipe(
  v.string(),
  v.maxLength(256),
  v.regex(/^[a-z0-9][a-z0-9._-]*(:\d+)?(\/[a-z0-9][a-z0-9._-]*)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/, "must be the name of an image, such as node:22-slim"),
);

const runtimeName = v.picklist(["node", "python"]);

export const containerKindSchema = v.strictObject({
  /** What the worker in it runs. */
  runtime: v.optional(runtimeName, "node"),
  /** Null: the image that `burla image` makes. Containers of the runtime `process` have none. */
  image: v.optional(v.nullable(imageNameSchema), null),
  /** Containers kept warm per processor of a node; those of the last kinds are started when a job asks for them. */
  warmPerCpu: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(64)), 1),
});
export type ContainerKind = v.InferOutput<typeof containerKindSchema>;

export const containersSchema = v.strictObject({
  /** What holds a worker: a child process of the node, or a container of the Docker Engine on its machine. */
  runtime: v.optional(v.picklist(["process", "docker"]), "process"),
  /** A job takes the first kind of its runtime, unless it asks for an image by name. */
  kinds: v.optional(v.pipe(v.array(containerKindSchema), v.minLength(1), v.maxLength(32)), [{}]),
  /** What containers reach: nothing but their node, or the network as the engine's bridge gives it. */
  network: v.optional(v.picklist(["none", "bridge"]), "none"),
  /** Size of the scratch folder of a container, which lies in its memory; at most half of that is given. */
  scratchMiB: v.optional(whole(1, MAX_MIB), 512),
  /** Processes and threads in one container. */
  maxProcesses: v.optional(whole(16, 32_768), 256),
});
export type ContainersSpec = v.InferOutput<typeof containersSchema>;

export const nodeGroupSchema = v.strictObject({
  name,
  /** How many nodes run and wait for jobs. */
  count: whole(0, 1000),
  /** Processors of one node; a worker takes one unless a job asks otherwise. */
  cpu: v.pipe(v.number(), v.minValue(0.01), v.maxValue(4096)),
  ramMiB: whole(1, MAX_MIB),
});
export type NodeGroup = v.InferOutput<typeof nodeGroupSchema>;

export const firestoreSchema = v.strictObject({
  /** The Google Cloud project; null: the one of the credentials, or of GOOGLE_CLOUD_PROJECT. */
  project: v.optional(v.nullable(v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{4,29}$/, "must be the id of a project"))), null),
  database: v.optional(v.pipe(v.string(), v.regex(/^(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$/, "must be (default), or the id of a database")), "(default)"),
  /** A bucket of Cloud Storage for values above 900 KiB; null: main keeps them. */
  bucket: v.optional(v.nullable(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, "must be the name of a bucket"))), null),
});
export type FirestoreSpec = v.InferOutput<typeof firestoreSchema>;

export const clusterSpecSchema = v.pipe(
  v.strictObject({
    /** For editors. */
    $schema: v.optional(v.string()),
    name: v.optional(name, "local"),
    provider: v.optional(v.picklist(["local"]), "local"),
    containers: v.optional(containersSchema, {}),
    /** How inputs and results travel: through main, or through Cloud Firestore, where they go on while main is away. */
    queue: v.optional(v.picklist(["stream", "firestore"]), "stream"),
    /** For the queue `firestore`. */
    firestore: v.optional(firestoreSchema, {}),
    groups: v.pipe(v.array(nodeGroupSchema), v.minLength(1), v.maxLength(100)),
    /** Without a job or a connected client for this long, the cluster ends itself. */
    idleMinutes: v.optional(v.pipe(v.number(), v.minValue(0.01)), 10),
  }),
  v.forward(
    v.check(({ containers }) => containers.runtime === "docker" || containers.kinds.every(({ image }) => image === null), 'only the runtime "docker" has images'),
    ["containers"],
  ),
  v.forward(v.check(({ groups }) => new Set(groups.map((group) => group.name)).size === groups.length, "two groups have the same name"), ["groups"]),
);
export type ClusterSpec = v.InferOutput<typeof clusterSpecSchema>;

/**
 * A complete spec from what people write.
 * @throws BurlaError BURLA_SPEC that names the part and what it may be.
 */
export function parseClusterSpec(json: unknown): ClusterSpec {
  const parsed = v.safeParse(clusterSpecSchema, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  throw new BurlaError("BURLA_SPEC", `the cluster spec is not right${path === null ? "" : ` at ${path}`}: ${issue.message}`);
}

/** The image that `burla image` makes, for each runtime and version. */
export function workerImageName(runtime: ContainerKind["runtime"], version: string): string {
  return `burla/worker-${runtime}:${version}`;
}

/** Kinds with the images that a node has to have; without containers there are none. */
export function namedKinds({ runtime, kinds }: ContainersSpec, version: string): ContainerKind[] {
  return kinds.map((kind) => ({ ...kind, image: runtime === "process" ? null : (kind.image ?? workerImageName(kind.runtime, version)) }));
}
