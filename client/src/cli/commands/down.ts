/** `burla down`: ends the local cluster and waits until nothing of it is left. */
import type { Command } from "commander";
import { LOCAL } from "../../cluster.ts";
import { findAnswering, stopCluster } from "../../control/stop.ts";
import type { JobSummary } from "../../control/types.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { jsonOption, type CommonOptions } from "../options.ts";
import type { EndWith } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { countText } from "../texts.ts";
import { jobsTable } from "./jobs.ts";

interface DownFlags extends CommonOptions {
  readonly force?: boolean;
}

interface Outcome {
  readonly wasRunning: boolean;
  readonly jobs: readonly JobSummary[];
  readonly processes: number;
}

const HELP = `
The spec of \`burla up --spec\` is forgotten. Jobs under way stop. Those with --detach go on when the cluster starts again; the others can be attached to then.

Examples:
  $ burla down
  $ burla down --force`;

export function addDown(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("down")
    .summary("end the local cluster")
    .description("End the local cluster and wait until all of its processes are gone. Nothing to do when it does not run.")
    .option("-f, --force", "although jobs are running")
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (flags: DownFlags) => endWith(await down(flags, terminal)));
}

async function down({ force, json }: DownFlags, terminal: Terminal): Promise<ExitCode> {
  const found = await findAnswering(LOCAL);
  const running = found?.status.jobs.filter(({ phase }) => phase === "running" || phase === "waiting") ?? [];
  if (running.length > 0 && force !== true) {
    if (json === true) await terminal.line(JSON.stringify({ down: false, jobs: running }));
    else terminal.say(`burla: ${countText(running.length, "job")} under way\n${jobsTable(running)}\n  Wait for them, or end the cluster all the same with --force.`);
    return EXIT.busy;
  }
  const { processes } = await stopCluster(LOCAL);
  const outcome = { wasRunning: processes > 0, jobs: running, processes };
  await terminal.line(json === true ? JSON.stringify({ down: true, ...outcome }) : outcomeText(outcome));
  return EXIT.ok;
}

function outcomeText({ wasRunning, jobs, processes }: Outcome): string {
  if (!wasRunning) return "The local cluster was not running.";
  const stopped = jobs.length === 0 ? "" : ` ${countText(jobs.length, "job")} stopped.`;
  return `The local cluster has ended: ${countText(processes, "process", "processes")}.${stopped}`;
}
