/** `burla python`: where the client for Python lies. */
import type { Command } from "commander";
import { fileURLToPath } from "node:url";
import { EXIT, type EndWith } from "../exit-codes.ts";
import type { Terminal } from "../terminal.ts";

const HELP = `
Examples:
  $ pip install "$(burla python)"
  $ PYTHONPATH="$(burla python)" python3 score.py`;

export function addPython(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("python")
    .summary("print the folder of the client for Python")
    .description("Print the folder that holds the Python module `burla`: for pip, or for PYTHONPATH.")
    .addHelpText("after", HELP)
    .action(async () => {
      await terminal.line(fileURLToPath(new URL("./python", import.meta.url)));
      endWith(EXIT.ok);
    });
}
