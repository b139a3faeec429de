/** `burla image`: makes the image that workers run in. */
import type { Command } from "commander";
import { makeWorkerImage, type WorkerImage } from "../../worker-image.ts";
import { EXIT } from "../exit-codes.ts";
import { definedOnly, jsonOption, type CommonOptions } from "../options.ts";
import type { EndWith } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { bytesText } from "../texts.ts";

interface ImageFlags extends CommonOptions {
  readonly name?: string;
  readonly from?: string;
}

const HELP = `
Without --from it holds the Node.js of this machine with its libraries, and nothing is fetched from anywhere. An image
that is up to date is left as it is. Any other image with Node.js 20.19 or later will do for workers as well: name it in
the cluster spec.

Examples:
  $ burla image
  $ burla image --from node:22-slim
  $ burla image --from my-tools:1 --name my-workers:1`;

export function addImage(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("image")
    .summary("make the image of workers")
    .description("Make the image that workers in containers run in, on the Docker Engine of this machine.")
    .option("--name <name>", "what it is called (default: what a cluster spec without an image means)")
    .option("--from <image>", "build upon this image, which has Node.js")
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async ({ name, from, json }: ImageFlags) => {
      const image = await makeWorkerImage(definedOnly({ name, from }), (step) => terminal.say(`burla: ${step}`));
      await terminal.line(json === true ? JSON.stringify(image) : imageText(image));
      endWith(EXIT.ok);
    });
}

function imageText({ name, sizeBytes, made }: WorkerImage): string {
  return `${name} ${made ? "is made" : "is up to date"} (${bytesText(sizeBytes)}).`;
}
