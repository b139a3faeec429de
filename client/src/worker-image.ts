/** Makes the image of workers, by a program of its own: the client of the Docker Engine is no part of this package's code. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { BurlaError, burlaError, childEnvironment, isErrorCode, workerImageName } from "@burla/protocol";
import { VERSION } from "./version.ts";
import { ownFile } from "./own-files.ts";

const imageSchema = v.object({ name: v.string(), id: v.string(), sizeBytes: v.number(), made: v.boolean() });
export type WorkerImage = v.InferOutput<typeof imageSchema>;

const lineSchema = v.union([
  v.object({ step: v.string() }),
  v.object({ image: imageSchema }),
  v.object({ error: v.object({ code: v.string(), message: v.string(), cure: v.nullable(v.string()) }) }),
]);

export interface WorkerImageOptions {
  /** What the workers in it run; default `node`. The image for Python has both. */
  readonly runtime?: "node" | "python";
  /** Default: the name that a cluster spec without a name means. */
  readonly name?: string;
  /** An image with Node, or Python, to build upon. */
  readonly from?: string;
}

/** @throws BurlaError BURLA_CONTAINERS */
export async function makeWorkerImage({ runtime = "node", name, from }: WorkerImageOptions, onStep: (text: string) => void): Promise<WorkerImage> {
  const program = (file: string) => ownFile(`services/${file}.mjs`);
  const config = {
    name: name ?? workerImageName(runtime, VERSION), from: from ?? null, runtime, workerProgram: program("worker"),
    pythonWorkerProgram: ownFile("python"), python: process.env["BURLA_PYTHON"] || "python3",
  };
  const child = spawn(process.execPath, [program("image")], { stdio: ["ignore", "pipe", "pipe"], env: { ...childEnvironment(), BURLA_IMAGE: JSON.stringify(config) } });
  const ended = once(child, "close");
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  let image: WorkerImage | undefined;
  for await (const text of createInterface({ input: child.stdout })) {
    const line = v.parse(lineSchema, JSON.parse(text));
    if ("step" in line) onStep(line.step);
    else if ("image" in line) image = line.image;
    else throw errorOf(line.error);
  }
  await ended;
  if (image === undefined) throw new BurlaError("BURLA_CONTAINERS", `the image was not made: ${stderr.trim().slice(-500)}`);
  return image;
}

function errorOf({ code, message, cure }: { code: string; message: string; cure: string | null }): BurlaError {
  return burlaError(isErrorCode(code) ? code : "BURLA_CONTAINERS", message, cure === null ? {} : { cure });
}
