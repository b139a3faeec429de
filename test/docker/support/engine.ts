/** The Docker Engine for tests, with the image of workers on it. */
import Docker from "dockerode";
import { fileURLToPath } from "node:url";
import { realpathSync } from "node:fs";
import { buildImage } from "../../../services/node/src/image/build.ts";
import { workerImageName } from "@burla/protocol";
import { VERSION } from "./version.ts";

const WORKER_PROGRAM = fileURLToPath(new URL("../../../client/dist/services/worker.mjs", import.meta.url));

export const PYTHON_WORKER_PROGRAM = fileURLToPath(new URL("../../../client/dist/python", import.meta.url));

/** The name that a cluster spec without an image means. */
export const WORKER_IMAGE = workerImageName("node", VERSION);

/** Makes what `burla image` makes, unless it is up to date. */
export async function ensureWorkerImage(docker = new Docker(), runtime: "node" | "python" = "node"): Promise<string> {
  const name = workerImageName(runtime, VERSION);
  const options = { name, from: null, runtime, python: "python3", pythonWorkerProgram: PYTHON_WORKER_PROGRAM, workerProgram: WORKER_PROGRAM, nodeBinary: realpathSync(process.execPath), platform: process.platform };
  await buildImage(docker, options, () => undefined);
  return name;
}

/** Another name for the image of workers, so that it is another image to the cluster. */
export async function tagImage(name: string, docker = new Docker()): Promise<void> {
  const [repo = "", tag = ""] = name.split(":");
  await docker.getImage(WORKER_IMAGE).tag({ repo, tag });
}
