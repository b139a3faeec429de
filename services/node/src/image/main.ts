/**
 * Makes the image of workers: a program of its own, which `burla image` starts. Configured by JSON in BURLA_IMAGE; says
 * what it does as JSON lines on stdout, the last one being `{ image }` or `{ error }`.
 */
import { realpathSync } from "node:fs";
import * as v from "valibot";
import { BurlaError, imageNameSchema, messageOf } from "@burla/protocol";
import { buildImage } from "./build.ts";

const configSchema = v.object({
  name: imageNameSchema, from: v.nullable(imageNameSchema), runtime: v.picklist(["node", "python"]),
  workerProgram: v.string(), pythonWorkerProgram: v.string(), python: v.string(),
});

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const config = v.parse(configSchema, JSON.parse(process.env["BURLA_IMAGE"] ?? "null"));
  const { default: Client } = await import("../containers/docker/dockerode.ts");
  const image = await buildImage(
    new Client(),
    { ...config, nodeBinary: realpathSync(process.execPath), platform: process.platform },
    (step) => say({ step }),
  );
  say({ image });
} catch (error) {
  const isOurs = error instanceof BurlaError;
  say({ error: { code: isOurs ? error.code : "BURLA_CONTAINERS", message: messageOf(error).split("\n  ")[0], cure: isOurs ? error.cure : null } });
  process.exitCode = 1;
}
