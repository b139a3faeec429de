/** `burla bundle`: what would be sent with a function. */
import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { messageOf } from "@burla/protocol";
import { bundleCapture, explainJson, explainText } from "../../capture/index.ts";
import { EXIT, type EndWith } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { captureNamed, parseFunctionName } from "../function-file.ts";
import { jsonOption, type CommonOptions } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { bytesText } from "../texts.ts";

interface BundleFlags extends CommonOptions {
  readonly explain?: boolean;
  readonly out?: string;
}

const HELP = `
Examples:
  $ burla bundle score.ts#score --explain
  $ burla bundle score.ts#score --out score.bundle.mjs`;

export function addBundle(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("bundle")
    .summary("show what would be sent with a function")
    .description("Bundle a function as `burla run` would. Nothing is sent, and nothing of the file is run.")
    .argument("<function>", "file.ts#function; file.ts alone is its default export")
    .option("--explain", "what is in it: imports and their sizes, packages left outside")
    .option("--out <file>", "write the bundle, an ES module, to a file")
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (text: string, { explain, out, json }: BundleFlags) => {
      const capture = await captureNamed(parseFunctionName(text));
      const bundle = await bundleCapture(capture);
      if (out !== undefined) await write(out, bundle.code);
      if (json === true) await terminal.line(JSON.stringify(explainJson(capture, bundle)));
      else if (explain === true) await terminal.line(explainText(capture, bundle).trimEnd());
      else await terminal.line(`${capture.name}  ${bytesText(bundle.code.byteLength)}  bundle ${bundle.id}`);
      endWith(EXIT.ok);
    });
}

async function write(file: string, code: Uint8Array): Promise<void> {
  await writeFile(file, code).catch((cause: unknown) => {
    throw new UsageError(`${file} cannot be written: ${messageOf(cause)}`);
  });
}
