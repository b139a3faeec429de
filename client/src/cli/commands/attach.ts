/** `burla attach`: results of a job that runs already, or has ended. */
import { Option, type Command } from "commander";
import { attach } from "../../attach.ts";
import type { AttachOptions } from "../../types.ts";
import type { ExitCode, EndWith } from "../exit-codes.ts";
import { createJobView } from "../job-view.ts";
import { clusterOption, definedOnly, jsonOption, parseCount, viewOptions, type ClusterOptions } from "../options.ts";
import { readJob } from "../read-job.ts";
import { ResultLines, type ResultFlags } from "../results.ts";
import type { Terminal } from "../terminal.ts";

interface AttachFlags extends ClusterOptions, ResultFlags {
  readonly from?: number;
  readonly order?: "completion" | "input";
}

const HELP = `
Examples:
  $ id=$(burla run train.ts#fold --inputs folds.json --detach)
  $ burla attach $id > results.ndjson
  $ burla attach $id --from "$(wc -l < results.ndjson)" >> results.ndjson

Ctrl-C only stops reading: the job goes on. Results of a job with --detach wait to be collected for seven days.`;

export function addAttach(program: Command, terminal: Terminal, endWith: EndWith): void {
  const command = program
    .command("attach")
    .summary("results of a job that runs already or has ended")
    .description("Print the results of a detached or interrupted job, from its first one, until it ends.")
    .argument("<job>", "the job's id")
    .option("--from <n>", "pass over n results: where an earlier reader stopped", parseCount)
    .addOption(new Option("--order <order>", "results in order of completion, or of the inputs").choices(["completion", "input"]).default("completion"))
    .option("--values", "print only the values");
  for (const option of [...viewOptions(), clusterOption(), jsonOption()]) command.addOption(option);
  command.addHelpText("after", HELP).action(async (jobId: string, flags: AttachFlags) => endWith(await run(jobId, flags, terminal)));
}

async function run(jobId: string, flags: AttachFlags, terminal: Terminal): Promise<ExitCode> {
  const view = createJobView(terminal, jobId, flags);
  const { from, order, cluster } = flags;
  const options: AttachOptions = definedOnly({ from, order, cluster });
  const stream = attach(jobId, { ...options, onLog: (line) => view.line(line), progress: (progress) => view.progress(progress) });
  const results = new ResultLines({ terminal, view, flags, name: jobId });
  const leave = async () => void (await stream.return());
  return readJob(stream, { terminal, view, results, leave, farewell: `burla: the job goes on; \`burla cancel ${jobId}\` ends it` });
}
