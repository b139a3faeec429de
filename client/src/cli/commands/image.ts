/** `burla image`: makes the image that workers run in. */
import { Option, type Command } from "commander";
import { makeWorkerImage, type WorkerImage } from "../../worker-image.ts";
import { EXIT, type EndWith } from "../exit-codes.ts";
import { definedOnly, jsonOption, type CommonOptions } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { bytesText } from "../texts.ts";

interface ImageFlags extends CommonOptions {
  readonly runtime: "node" | "python";
  readonly name?: string;
  readonly from?: string;
}

const HELP = `
Without --from it holds the Node.js of this machine with its libraries, with --runtime python also the Python
(BURLA_PYTHON names another one than python3), and nothing is fetched from anywhere. An image that is up to date is left
as it is. Any other image with Node.js 20.19 or later, or Python 3.9 or later with cloudpickle, will do for workers as
well: name it in the cluster spec.

Examples:
  $ burla image
  $ burla image --runtime python
  $ burla image --from node:22-slim
  $ burla image --from my-tools:1 --name my-workers:1`;

export function addImage(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("image")
    .summary("make the image of workers")
    .description("Make the image that workers in containers run in, on the Docker Engine of this machine.")
    .addOption(new Option("--runtime <runtime>", "what the workers in it run").choices(["node", "python"]).default("node"))
    .option("--name <name>", "what it is called (default: what a cluster spec without an image means)")
    .option("--from <image>", "build upon this image, which has Node.js, or Python")
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async ({ runtime, name, from, json }: ImageFlags) => {
      const image = await makeWorkerImage(definedOnly({ runtime, name, from }), (step) => terminal.say(`burla: ${step}`));
      await terminal.line(json === true ? JSON.stringify(image) : imageText(image));
      endWith(EXIT.ok);
    });
}

function imageText({ name, sizeBytes, made }: WorkerImage): string {
  return `${name} ${made ? "is made" : "is up to date"} (${bytesText(sizeBytes)}).`;
}
