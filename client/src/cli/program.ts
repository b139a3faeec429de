/** The commands of `burla`, and how each way of ending becomes an exit status. */
import { Command, CommanderError } from "commander";
import { VERSION } from "../version.ts";
import { addAttach } from "./commands/attach.ts";
import { addBundle } from "./commands/bundle.ts";
import { addCancel } from "./commands/cancel.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addDown } from "./commands/down.ts";
import { addImage } from "./commands/image.ts";
import { addJobs } from "./commands/jobs.ts";
import { addLogs } from "./commands/logs.ts";
import { addPeople } from "./commands/people.ts";
import { addPython } from "./commands/python.ts";
import { addRun } from "./commands/run.ts";
import { addStatus } from "./commands/status.ts";
import { addUp } from "./commands/up.ts";
import { EXIT, type EndWith, type ExitCode } from "./exit-codes.ts";
import { failureOf, failureText, type Failure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

const HELP = `
Examples:
  $ burla run score.ts#score --inputs documents.ndjson > scores.ndjson
  $ burla status
  $ burla doctor

The local cluster starts with the first job and ends after ten minutes without use.
Exit status: 0 done, 1 a call failed, 2 wrong use, 3 no cluster, 4 function cannot be sent, 5 job ended early,
6 no such job, 7 jobs are running, 130 Ctrl-C. BURLA_DEBUG=1 shows where an error comes from.`;

/** @param errorsAsJson for a command line that asks for JSON: errors of its options are told so, too. */
export function createProgram(terminal: Terminal, endWith: EndWith, errorsAsJson = false): Command {
  const program = new Command("burla")
    .description("Run a plain function over thousands of inputs on a cluster, as if it were local.")
    .version(VERSION, "-V, --version")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(errorsAsJson ? errorLine({ code: null, message: text.trim().replace(/^error: /, ""), cure: "" }) : text) })
    .showSuggestionAfterError()
    .addHelpText("after", HELP);
  for (const add of [addRun, addAttach, addJobs, addLogs, addCancel, addUp, addDown, addStatus, addPeople, addImage, addBundle, addPython, addDoctor]) add(program, terminal, endWith);
  for (const command of program.commands) command.exitOverride();
  return program;
}

/** Runs one command line. Never throws. @param args without `node` and the program's file. */
export async function runCommandLine(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const end: { exitCode: ExitCode } = { exitCode: EXIT.ok };
  const asJson = args.includes("--json");
  const program = createProgram(terminal, (exitCode) => (end.exitCode = exitCode), asJson);
  try {
    await program.parseAsync(args, { from: "user" });
    return end.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const failure = failureOf(error);
    const debug = (process.env["BURLA_DEBUG"] ?? "") !== "";
    terminal.stderr.write(asJson ? errorLine(failure) : failureText(failure, error, debug));
    return failure.exitCode;
  } finally {
    await terminal.end();
  }
}

function errorLine({ code, message, cure }: Pick<Failure, "code" | "message" | "cure">): string {
  return `${JSON.stringify({ error: { code, message, cure } })}\n`;
}
