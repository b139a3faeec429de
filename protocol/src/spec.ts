/**
 * The cluster spec: a document that says which nodes run and which containers are kept warm on each. Written as JSON by
 * people, so what is absent has a default; `docs/cluster-spec.schema.json` is made from this file for editors.
 */
import * as v from "valibot";
import { BurlaError } from "./errors.ts";
import { machineSize } from "./prices.ts";

const name = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,30}$/, "must be small letters, digits and dashes, at most 31"));
const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
const MAX_MIB = 16 * 1024 * 1024;
/** Memory of a VM that its system and our services use. */
const SYSTEM_MIB = 512;

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

/** Names of Google's: zones, machine types, projects, networks. */
const googleName = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,62}$/, "must be small letters, digits and dashes"));
const dollars = v.pipe(v.number(), v.minValue(0), v.maxValue(1e6));

export const nodeGroupSchema = v.strictObject({
  name,
  /** How many nodes run and wait for jobs. */
  count: whole(0, 1000),
  /** Processors of one node; a worker takes one unless a job asks otherwise. 0: those of the machine type. */
  cpu: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(4096)), 0),
  /** 0: the memory of the machine type, less what the system of the VM needs. */
  ramMiB: v.optional(whole(0, MAX_MIB), 0),
  /** Of Compute Engine, such as `e2-standard-4`. */
  machineType: v.optional(v.nullable(googleName), null),
  /** In order of preference: the next one is taken where the first has no room, or the project no quota. */
  zones: v.optional(v.pipe(v.array(googleName), v.maxLength(32)), []),
  /** VMs that Google may take back, for a third of the price: never, where there are some, or none else. */
  spot: v.optional(v.picklist(["never", "preferred", "only"]), "never"),
  /** Accelerators of each VM. The image must have their drivers. */
  gpu: v.optional(v.nullable(v.strictObject({ type: googleName, count: whole(1, 16) })), null),
  diskGiB: v.optional(whole(10, 65_536), 20),
  diskType: v.optional(googleName, "pd-balanced"),
  /** Image of the boot disk, which must have Docker; Container-Optimized OS unless another is named. */
  bootImage: v.optional(v.pipe(v.string(), v.regex(/^projects\/[\w.:-]+\/global\/images\/(family\/)?[a-z0-9-]+$/, "must be projects/PROJECT/global/images/family/FAMILY, or such an image")), "projects/cos-cloud/global/images/family/cos-stable"),
  /** Of one VM, in US dollars, where the list of prices does not know the machine type or is out of date. */
  pricePerHour: v.optional(v.nullable(dollars), null),
});
export type NodeGroup = v.InferOutput<typeof nodeGroupSchema>;

export const firestoreSchema = v.strictObject({
  /** The Google Cloud project; null: the one of the credentials, or of GOOGLE_CLOUD_PROJECT. */
  project: v.optional(v.nullable(v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{4,29}$/, "must be the id of a project"))), null),
  database: v.optional(v.pipe(v.string(), v.regex(/^(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9])$/, "must be (default), or the id of a database")), "(default)"),
  /** A bucket of Cloud Storage for values above 900 KiB; null: main keeps them. */
  bucket: v.optional(v.nullable(v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, "must be the name of a bucket"))), null),
  /** Nodes that work go on without main for this long. */
  aloneMinutes: v.optional(v.pipe(v.number(), v.minValue(0.01)), 60),
});
export type FirestoreSpec = v.InferOutput<typeof firestoreSchema>;

/** What a cluster on Compute Engine needs beside its groups. */
export const gceSchema = v.strictObject({
  /** The project, unless the credentials name one. */
  project: v.optional(v.nullable(v.pipe(v.string(), v.regex(/^[a-z][a-z0-9.:-]{2,62}$/))), null),
  network: v.optional(googleName, "default"),
  /** By name in each region of the cluster, where the network is in custom mode. Null: the one that Google made for the region. */
  subnetwork: v.optional(v.nullable(googleName), null),
  /** False: VMs are reached from inside alone, clients too, and need Cloud NAT or Private Google Access for images and APIs. */
  externalAddresses: v.optional(v.boolean(), true),
  /** Where clients may come from, as CIDR. They need the token and the certificate in any case. */
  clientRanges: v.optional(v.pipe(v.array(v.pipe(v.string(), v.regex(/^[0-9a-f.:]+\/\d{1,3}$/))), v.minLength(1), v.maxLength(256)), ["0.0.0.0/0"]),
  port: v.optional(whole(1024, 65_535), 7443),
  /** The VM of the main service. Its zone is the first of the first group unless one is named. */
  main: v.optional(v.strictObject({ machineType: v.optional(googleName, "e2-medium"), zone: v.optional(v.nullable(googleName), null), diskGiB: v.optional(whole(10, 65_536), 20) }), {}),
  /** Service accounts, by their name in the project: docs/gcp.md says which roles each has. */
  serviceAccounts: v.optional(v.strictObject({ main: v.optional(googleName, "burla-main"), node: v.optional(googleName, "burla-node") }), {}),
  /** Without main for this long a node's VM removes itself. */
  orphanMinutes: v.optional(v.pipe(v.number(), v.minValue(0.01)), 5),
  /** Image with Node.js that services run in. */
  serviceImage: v.optional(imageNameSchema, "node:22-slim"),
});
export type GceSpec = v.InferOutput<typeof gceSchema>;

export const clusterSpecSchema = v.pipe(
  v.strictObject({
    /** For editors. */
    $schema: v.optional(v.string()),
    name: v.optional(name, "local"),
    /** Where nodes run: programs on this machine, or VMs of Google's Compute Engine. */
    provider: v.optional(v.picklist(["local", "gce"]), "local"),
    gce: v.optional(gceSchema, {}),
    containers: v.optional(containersSchema, {}),
    /** How inputs and results travel: through main, or through Cloud Firestore, where they go on while main is away. */
    queue: v.optional(v.picklist(["stream", "firestore"]), "stream"),
    /** For the queue `firestore`. */
    firestore: v.optional(firestoreSchema, {}),
    groups: v.pipe(v.array(nodeGroupSchema), v.minLength(1), v.maxLength(100)),
    /** Without a job or a connected client for this long, the cluster ends itself. */
    idleMinutes: v.optional(v.pipe(v.number(), v.minValue(0.01)), 10),
    /** Nodes that jobs may add with the option `grow`, all together, and after how long without a job these go again. */
    grow: v.optional(v.strictObject({ nodes: v.optional(whole(0, 1000), 0), idleMinutes: v.optional(v.pipe(v.number(), v.minValue(0.01)), 2) }), {}),
    /** No VM is made that would make the cluster cost more than this, in US dollars. */
    budgetPerHour: v.optional(v.nullable(dollars), null),
    /** When the cluster ends itself, whatever it is doing: a time with its zone, such as `2030-01-31T18:00:00Z`. */
    endsAt: v.optional(v.nullable(v.pipe(v.string(), v.isoTimestamp("must be a time with its zone, such as 2030-01-31T18:00:00Z"))), null),
  }),
  v.forward(v.check(({ provider, groups }) => provider === "gce" || groups.every(({ cpu, ramMiB }) => cpu >= 0.01 && ramMiB >= 1), "a node of the local cluster needs cpu and ramMiB"), ["groups"]),
  v.forward(v.check(({ provider, groups }) => provider === "local" || groups.every(({ machineType, zones }) => machineType !== null && zones.length > 0), "a group of a cluster on Compute Engine needs machineType and zones"), ["groups"]),
  v.forward(v.check(({ provider, name: cluster }) => provider === "local" || cluster !== "local", 'a cluster on Compute Engine needs a name of its own, and "local" is the one on this machine'), ["name"]),
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
  if (parsed.success) return parsed.output.provider === "gce" ? withMachineSizes(parsed.output) : parsed.output;
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  throw new BurlaError("BURLA_SPEC", `the cluster spec is not right${path === null ? "" : ` at ${path}`}: ${issue.message}`);
}

/** Nodes are as large as their machines, unless the document says otherwise. */
function withMachineSizes(spec: ClusterSpec): ClusterSpec {
  const groups = spec.groups.map((group) => {
    const size = group.machineType === null ? null : machineSize(group.machineType);
    const cpu = group.cpu || (size?.cpu ?? 0);
    const ramMiB = group.ramMiB || (size === null ? 0 : Math.max(256, size.ramMiB - SYSTEM_MIB));
    if (cpu > 0 && ramMiB > 0) return { ...group, cpu, ramMiB };
    const cure = "Give the group `cpu` and `ramMiB`.";
    throw new BurlaError("BURLA_SPEC", `the cluster spec is not right at groups: the machine type ${group.machineType} is not known`, { cure });
  });
  return { ...spec, groups };
}

/** The image that `burla image` makes, for each runtime and version. */
export function workerImageName(runtime: ContainerKind["runtime"], version: string): string {
  return `burla/worker-${runtime}:${version}`;
}

/** Kinds with the images that a node has to have; without containers there are none. */
export function namedKinds({ runtime, kinds }: ContainersSpec, version: string): ContainerKind[] {
  return kinds.map((kind) => ({ ...kind, image: runtime === "process" ? null : (kind.image ?? workerImageName(kind.runtime, version)) }));
}
