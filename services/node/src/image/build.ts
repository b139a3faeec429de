/** Makes the image of workers, and leaves one that is up to date as it is. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { arch } from "node:os";
import { basename, join } from "node:path";
import type Docker from "dockerode";
import { BurlaError } from "@burla/protocol";
import { isLost, reach, refusal, statusOf } from "../containers/docker/engine.ts";
import { findPython, nativeParts, PACKAGES_FOLDER, PROGRAM_FOLDER, pythonFiles, treeOf } from "./python-files.ts";
import { contentOf, file, rootFiles, type RootEntry } from "./root-files.ts";
import { tarOf } from "./tar.ts";

const PYTHON_ENVIRONMENT = `ENV PYTHONPATH=/${PACKAGES_FOLDER}`;
const NOT_FOUND = 404;
/** The hash of everything that went in: with the same one there is nothing to do. */
const INPUTS_LABEL = "burla.inputs";
/** A step of a build takes less by far. */
const STALE_STEP_MS = 10 * 60_000;

export interface ImageOptions {
  readonly name: string;
  /** The worker service, a single file. */
  readonly workerProgram: string;
  readonly runtime: "node" | "python";
  /** The worker service for Python, a folder, and the interpreter of this machine. */
  readonly pythonWorkerProgram: string;
  readonly python: string;
  /** An image with Node to build upon; null takes the Node of this machine. */
  readonly from: string | null;
  readonly nodeBinary: string;
  readonly platform: NodeJS.Platform;
}

export interface ImageOutcome {
  readonly name: string;
  readonly id: string;
  readonly sizeBytes: number;
  /** False when it was up to date. */
  readonly made: boolean;
}

/** @throws BurlaError BURLA_CONTAINERS */
export async function buildImage(docker: Docker, options: ImageOptions, onStep: (text: string) => void): Promise<ImageOutcome> {
  await reach(docker);
  try {
    const recipe = options.from === null ? await localRecipe(docker, options) : await derivedRecipe(docker, options, options.from);
    const before = await inspect(docker, options.name);
    const isThere = before?.Config.Labels?.[INPUTS_LABEL] === recipe.inputs;
    if (!isThere) {
      onStep(recipe.description);
      await recipe.make({ [INPUTS_LABEL]: recipe.inputs });
    }
    const image = isThere ? before : await inspect(docker, options.name);
    if (before !== undefined && before.Id !== image?.Id) await removeUnnamed(docker, before.Id);
    if (image === undefined) throw new BurlaError("BURLA_CONTAINERS", `the engine has made no image ${options.name}`);
    return { name: options.name, id: image.Id, sizeBytes: image.Size, made: !isThere };
  } catch (error) {
    throw failureOf(error);
  }
}

function failureOf(error: unknown): BurlaError {
  if (!isLost(error)) return refusal(error);
  return new BurlaError("BURLA_CONTAINERS", "the Docker Engine went away while the image was made", { cause: error, cure: "Start it, and make the image again." });
}

/** How an image comes about. */
interface Recipe {
  readonly inputs: string;
  readonly description: string;
  make(labels: Record<string, string>): Promise<void>;
}

/** Node of this machine with its libraries, imported as an image of one layer. */
function localRecipe(docker: Docker, options: ImageOptions): Promise<Recipe> {
  const { name, workerProgram, nodeBinary, platform, runtime } = options;
  if (platform !== "linux") {
    throw new BurlaError("BURLA_CONTAINERS", `the programs of this machine (${platform}) do not run in a Linux container`, { cure: runtime === "node" ? "Build upon an image that has Node: `burla image --from node:22-slim`." : "Build upon an image that has Python: `burla image --runtime python --from python:3.12-slim`." });
  }
  const python = runtime === "python" ? pythonPart(options) : undefined;
  const entries = rootFiles(nodeBinary, readFileSync(workerProgram), python);
  return Promise.resolve({
    inputs: hashOf(entries),
    description: `making ${name} from the Node${python === undefined ? "" : " and the Python"} of this machine (${process.version}${python === undefined ? "" : `, ${python.version}`})`,
    make: async (labels) => {
      const [repo = "", tag = ""] = splitName(name);
      // The type says less than the library takes and gives: a stream, and the promise of one.
      const importTar = docker.importImage.bind(docker) as unknown as (tar: NodeJS.ReadableStream, options: object) => Promise<NodeJS.ReadableStream>;
      const changes = ["ENV PATH=/usr/bin NODE_ENV=production", "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt", ...(python === undefined ? [] : [PYTHON_ENVIRONMENT]), 'ENTRYPOINT ["node"]', ...labelLines(labels)];
      await finish(docker, await importTar(tarOf(entries), { repo, tag, changes }));
    },
  });
}

function pythonPart({ python, pythonWorkerProgram }: ImageOptions) {
  const host = findPython(python);
  const files = pythonFiles(host);
  return { version: host.version, entries: [...files, ...treeOf(pythonWorkerProgram, PROGRAM_FOLDER)], linked: nativeParts(files) };
}

/** The worker put into an image that has Node, or Python. */
async function derivedRecipe(docker: Docker, { name, workerProgram, runtime, python, pythonWorkerProgram }: ImageOptions, from: string): Promise<Recipe> {
  const base = await inspect(docker, from);
  if (base === undefined) {
    throw new BurlaError("BURLA_CONTAINERS", `the image ${from} is not on this machine`, { cure: `Fetch it with \`docker pull ${from}\`, or leave out --from: then the Node of this machine is taken.` });
  }
  const added = runtime === "node"
    ? [file("burla/worker.mjs", readFileSync(workerProgram))]
    : [...treeOf(pythonWorkerProgram, PROGRAM_FOLDER), ...findPython(python).packages.flatMap((folder) => treeOf(folder, join(PACKAGES_FOLDER, basename(folder))))];
  return {
    inputs: createHash("sha256").update(base.Id).update(hashOf(added)).digest("hex"),
    description: `making ${name} from ${from}`,
    make: async (labels) => {
      await removeSteps(docker);
      // The labels first: each step has those before it, and is known by them.
      const dockerfile = [`FROM ${from}`, ...labelLines(labels), "COPY burla /burla", ...(runtime === "python" ? [PYTHON_ENVIRONMENT] : [])].join("\n");
      const context = tarOf([file("Dockerfile", Buffer.from(`${dockerfile}\n`)), ...added]);
      await finish(docker, await docker.buildImage(context, { t: name }));
    },
  };
}

/** Reads an answer of the engine to its end. @throws Error with what it says went wrong, or with the code ECONNRESET when it is cut. */
async function finish(docker: Docker, stream: NodeJS.ReadableStream): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.once("close", () => reject(Object.assign(new Error("the engine hung up in the middle of an answer"), { code: "ECONNRESET" })));
    docker.modem.followProgress(stream, (error: Error | null, steps: { error?: string }[]) => {
      const failed = steps.find((step) => step.error !== undefined);
      if (failed !== undefined) reject(new Error(failed.error));
      else if (error !== null) reject(error);
      else resolve();
    });
  });
}

/** An engine that dies in the middle of a build leaves the container of a step behind, which never ran. */
export async function removeSteps(docker: Docker, olderThanMs = STALE_STEP_MS): Promise<void> {
  const made = await docker.listContainers({ all: true, filters: { status: ["created"], label: [INPUTS_LABEL] } });
  const stale = made.filter(({ Command, Created }) => Command.includes("#(nop)") && Created * 1000 <= Date.now() - olderThanMs);
  await Promise.all(stale.map(({ Id }) => docker.getContainer(Id).remove().catch(() => undefined)));
}

/** The one that had the name before takes room and is of no use, unless it has another name or a container. */
async function removeUnnamed(docker: Docker, id: string): Promise<void> {
  const left = await inspect(docker, id);
  if (left?.RepoTags.length === 0) await docker.getImage(id).remove().catch(() => undefined);
}

async function inspect(docker: Docker, name: string): Promise<Docker.ImageInspectInfo | undefined> {
  try {
    return await docker.getImage(name).inspect();
  } catch (error) {
    if (statusOf(error) === NOT_FOUND) return undefined;
    throw error;
  }
}

function hashOf(entries: readonly RootEntry[]): string {
  const hash = createHash("sha256").update(arch());
  for (const entry of entries) {
    hash.update(JSON.stringify({ ...entry, source: null }));
    if (entry.kind === "file") hash.update(contentOf(entry.source));
  }
  return hash.digest("hex");
}

function labelLines(labels: Record<string, string>): string[] {
  return Object.entries(labels).map(([name, value]) => `LABEL ${name}=${JSON.stringify(value)}`);
}

/** `registry:5000/a/b:tag` into `registry:5000/a/b` and `tag`. */
function splitName(name: string): [string, string] {
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? [name.slice(0, colon), name.slice(colon + 1)] : [name, "latest"];
}
