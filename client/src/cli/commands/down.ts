/** `burla down`: ends a cluster and waits until nothing of it is left. */
import type { Command } from "commander";
import { LOCAL } from "../../cluster.ts";
import { findAnswering, stopCluster } from "../../control/stop.ts";
import type { JobSummary } from "../../control/types.ts";
import { EXIT, type ExitCode, type EndWith } from "../exit-codes.ts";
import { clusterDirectory } from "../../local-cluster.ts";
import { stopGceCluster } from "../../gce/stop.ts";
import { readStoredSpec } from "../../spec-file.ts";
import { jsonOption, parseName, type CommonOptions } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { countText } from "../texts.ts";
import { jobsTable } from "./jobs.ts";

interface DownFlags extends CommonOptions {
  readonly force?: boolean;
  readonly project?: string;
}

interface Outcome {
  readonly wasRunning: boolean;
  readonly jobs: readonly JobSummary[];
  readonly processes: number;
}

const HELP = `
Of a cluster on Compute Engine all VMs and firewall rules are removed, by the cluster's label, and looked for once more;
that works too when it does not answer, and from another computer. Call it again if it was interrupted.
The spec of \`burla up --spec\` is forgotten. Jobs under way stop. Those with --detach go on when the cluster starts again; the others can be attached to then.

Examples:
  $ burla down
  $ burla down --force
  $ burla down trial`;

export function addDown(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("down")
    .summary("end a cluster")
    .description("End a cluster, the local one or one on Compute Engine, and wait until nothing of it is left. Nothing to do when it does not run.")
    .argument("[cluster]", "name of the cluster", parseName, LOCAL)
    .option("-f, --force", "although jobs are running")
    .option("--project <id>", "the Google Cloud project, where this computer does not know it")
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (name: string, flags: DownFlags) => endWith(await down(name, flags, terminal)));
}

async function down(name: string, { force, json, project }: DownFlags, terminal: Terminal): Promise<ExitCode> {
  const found = await findAnswering(name);
  const running = found?.status.jobs.filter(({ phase }) => phase === "running" || phase === "waiting") ?? [];
  if (running.length > 0 && force !== true) {
    if (json === true) await terminal.line(JSON.stringify({ down: false, jobs: running }));
    else terminal.say(`burla: ${countText(running.length, "job")} under way\n${jobsTable(running)}\n  Wait for them, or end the cluster all the same with --force.`);
    return EXIT.busy;
  }
  if (name !== LOCAL) return downGce(name, project, { jobs: running, json: json === true }, terminal);
  const { processes } = await stopCluster(LOCAL);
  const outcome = { wasRunning: processes > 0, jobs: running, processes };
  await terminal.line(json === true ? JSON.stringify({ down: true, ...outcome }) : outcomeText(outcome));
  return EXIT.ok;
}

async function downGce(name: string, project: string | undefined, { jobs, json }: { jobs: readonly JobSummary[]; json: boolean }, terminal: Terminal): Promise<ExitCode> {
  const stored = readStoredSpec(clusterDirectory(name));
  const { project: id, removed } = await stopGceCluster(name, project ?? stored?.gce.project ?? null);
  const text = removed.length === 0 ? `There is nothing of the cluster ${name} in the project ${id}.` : `Removed from the project ${id}: ${removed.join(", ")}. Nothing of the cluster ${name} is left.`;
  await terminal.line(json ? JSON.stringify({ down: true, wasRunning: removed.length > 0, jobs, removed, left: [] }) : text);
  return EXIT.ok;
}

function outcomeText({ wasRunning, jobs, processes }: Outcome): string {
  if (!wasRunning) return "The local cluster was not running.";
  const stopped = jobs.length === 0 ? "" : ` ${countText(jobs.length, "job")} stopped.`;
  return `The local cluster has ended: ${countText(processes, "process", "processes")}.${stopped}`;
}
