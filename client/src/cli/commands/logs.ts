/** `burla logs`: what the calls of a job printed. */
import type { Command } from "commander";
import { tagOf } from "../../output.ts";
import { jobLogs } from "../../control/jobs.ts";
import type { JobLogLine } from "../../control/types.ts";
import { EXIT, type ExitCode, type EndWith } from "../exit-codes.ts";
import { clusterOption, definedOnly, jsonOption, parseCount, type ClusterOptions } from "../options.ts";
import type { Terminal } from "../terminal.ts";

interface LogsFlags extends ClusterOptions {
  readonly follow?: boolean;
  readonly input?: number;
  readonly time?: boolean;
}

const HELP = `
Each line begins with the index of its input: [12] text. What was printed outside of any call has none.

Examples:
  $ burla logs job-01j9x3k5v7abcdefghj
  $ burla logs job-01j9x3k5v7abcdefghj --input 12 --time
  $ burla logs job-01j9x3k5v7abcdefghj --follow --json | jq -r 'select(.stream == "stderr").text'`;

export function addLogs(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("logs")
    .summary("what the calls of a job printed")
    .description("Print the lines that a job's calls printed, in the order in which they arrived.")
    .argument("<job>", "the job's id")
    .option("-f, --follow", "go on with new lines until the job has ended")
    .option("--input <n>", "only those of the input with this index", parseCount)
    .option("--time", "begin each line with its time")
    .addOption(clusterOption())
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (jobId: string, flags: LogsFlags) => endWith(await logs(jobId, flags, terminal)));
}

async function logs(jobId: string, flags: LogsFlags, terminal: Terminal): Promise<ExitCode> {
  const abort = new AbortController();
  const stop = terminal.onInterrupt((exitCode) => abort.abort(exitCode));
  terminal.readerGone.addEventListener("abort", () => abort.abort(EXIT.ok));
  try {
    for await (const line of jobLogs(jobId, { ...definedOnly({ cluster: flags.cluster }), follow: flags.follow === true, signal: abort.signal })) {
      if (flags.input === undefined || line.index === flags.input) await terminal.line(lineText(line, flags));
    }
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  } finally {
    stop();
  }
  return abort.signal.aborted ? (abort.signal.reason as ExitCode) : EXIT.ok;
}

function lineText(line: JobLogLine, { json, time }: LogsFlags): string {
  if (json === true) return JSON.stringify(line);
  const stamp = time === true ? `${new Date(line.timeMs).toISOString()} ` : "";
  return `${stamp}${tagOf(line)}${line.text}`;
}
