/** What a node service is told by whoever starts it, and where it keeps what. */
import { join, resolve } from "node:path";
import * as v from "valibot";
import { containerKindSchema, containersSchema, socketsFolder } from "@burla/protocol";

const positive = v.pipe(v.number(), v.minValue(0.01));

/** What whoever starts a node service tells it, as JSON in BURLA_NODE. */
export const nodeConfigSchema = v.object({
  nodeId: v.pipe(v.string(), v.regex(/^[\w.-]{1,64}$/)),
  /** Scratch space, bundles, sockets. */
  directory: v.string(),
  /** The file that says where main is and with which token; read again at each attempt, since main may move. */
  connectionFile: v.string(),
  workerProgram: v.string(),
  /** The worker service for Python, a folder, and the interpreter for jobs that name none. */
  pythonWorkerProgram: v.string(),
  python: v.string(),
  /** The folder of the `burla` package, for functions that start jobs of their own. */
  clientPackage: v.string(),
  cpu: positive,
  ramMiB: positive,
  maxCpu: positive,
  maxRamMiB: positive,
  containers: v.pick(containersSchema, ["runtime", "network", "scratchMiB", "maxProcesses"]),
  /** Kinds of containers with their images, and how many of each are kept warm. */
  warm: v.array(v.object({ ...v.pick(containerKindSchema, ["runtime", "image"]).entries, count: v.number() })),
  /** On a VM of its own: where main is and what it shows; the node's token is asked for with the VM's signed identity. */
  vm: v.optional(v.nullable(v.object({ url: v.pipe(v.string(), v.url()), certificate: v.string(), audience: v.string() })), null),
  /** Without main for this long, the node ends itself. */
  orphanMs: positive,
  /** Unless it works for a job whose queue is elsewhere: then after this long. */
  aloneMs: positive,
});
export type NodeConfig = v.InferOutput<typeof nodeConfigSchema>;

/** Workers run in folders of their own. */
export function withFullPaths(config: NodeConfig): NodeConfig {
  const { directory, workerProgram, pythonWorkerProgram, clientPackage } = config;
  return { ...config, directory: resolve(directory), workerProgram: resolve(workerProgram), pythonWorkerProgram: resolve(pythonWorkerProgram), clientPackage: resolve(clientPackage) };
}

/** Where a node service keeps what. */
export interface NodeFolders {
  readonly bundles: string;
  /** Scratch folders of workers that are processes. */
  readonly workers: string;
  /** Holds nothing but the socket that workers dial: containers see this folder. */
  readonly sockets: string;
  /** What containers see of the job of the moment; null where workers see the disk of the node. */
  readonly job: string | null;
  /** Packages that jobs have needed, by content hash. */
  readonly packages: string;
}

/** The folders of a node service, all below its own but that of the sockets, where its path would be too long. */
export function foldersOf({ directory, containers }: Pick<NodeConfig, "directory" | "containers">): NodeFolders {
  const folder = (name: string) => join(directory, name);
  return {
    bundles: folder("bundles"), workers: folder("workers"), sockets: socketsFolder(directory), packages: folder("packages"),
    job: containers.runtime === "docker" ? folder("job") : null,
  };
}
