/** `burla down`: ends the local cluster and waits until nothing of it is left. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { BurlaError, type ClusterStatus, type JobSummary } from "@burla/protocol";
import { LOCAL } from "../../cluster.ts";
import { clusterDirectory, readConnectionFile } from "../../local-cluster.ts";
import { findCluster, type RunningCluster } from "../cluster-state.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { jsonOption, type CommonOptions } from "../options.ts";
import { findProcesses, isAlive, signalProcess, untilGone } from "../processes.ts";
import type { EndWith } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { countText } from "../texts.ts";
import { jobsTable } from "./jobs.ts";

/** Main gives its nodes three seconds, then kills them. */
const GRACE_MS = 10_000;
const KILL_MS = 2_000;

interface DownFlags extends CommonOptions {
  readonly force?: boolean;
}

interface Outcome {
  readonly wasRunning: boolean;
  readonly jobs: readonly JobSummary[];
  readonly processes: number;
}

const HELP = `
Jobs under way stop. Those with --detach go on when the cluster starts again; the others can be attached to then.

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
  const directory = clusterDirectory(LOCAL);
  const found = await findAnswering();
  const running = found?.status.jobs.filter(({ phase }) => phase === "running" || phase === "waiting") ?? [];
  if (running.length > 0 && force !== true) {
    if (json === true) await terminal.line(JSON.stringify({ down: false, jobs: running }));
    else terminal.say(`burla: ${countText(running.length, "job")} under way\n${jobsTable(running)}\n  Wait for them, or end the cluster all the same with --force.`);
    return EXIT.busy;
  }
  const pids = [...new Set([...pidsOf(found?.status), ...findProcesses(directory).map(({ pid }) => pid)])];
  await end(found, pids);
  removeStaleFile(directory);
  const outcome = { wasRunning: pids.length > 0, jobs: running, processes: pids.length };
  await terminal.line(json === true ? JSON.stringify({ down: true, ...outcome }) : outcomeText(outcome));
  return EXIT.ok;
}

/** A cluster that answers but refuses, or speaks another version, is ended as one that does not answer. */
async function findAnswering(): Promise<RunningCluster | null> {
  try {
    return await findCluster(LOCAL);
  } catch {
    return null;
  }
}

function pidsOf(status: ClusterStatus | undefined): number[] {
  if (status === undefined) return [];
  return [status.pid, ...status.nodes.flatMap(({ pid, workers }) => [pid, ...workers.map((worker) => worker.pid)])].filter((pid) => pid > 0);
}

async function end(found: RunningCluster | null, pids: readonly number[]): Promise<void> {
  if (found === null) for (const pid of pids) signalProcess(pid, "SIGTERM");
  else await found.control.shutdown();
  const stubborn = await untilGone(pids, GRACE_MS);
  for (const pid of stubborn) signalProcess(pid, "SIGKILL");
  const left = await untilGone(stubborn, KILL_MS);
  if (left.length === 0) return;
  throw new BurlaError("BURLA_UNREACHABLE", `processes of the cluster do not end: ${left.join(", ")}`, { cure: "They are not yours, or hang in the operating system: look at them with `ps`." });
}

/** The file of a main that died. One that runs removes its own, and somebody may have started a new one by now. */
function removeStaleFile(directory: string): void {
  const file = readConnectionFile(LOCAL);
  if (file === null || !isAlive(file.pid)) rmSync(join(directory, "cluster.json"), { force: true });
}

function outcomeText({ wasRunning, jobs, processes }: Outcome): string {
  if (!wasRunning) return "The local cluster was not running.";
  const stopped = jobs.length === 0 ? "" : ` ${countText(jobs.length, "job")} stopped.`;
  return `The local cluster has ended: ${countText(processes, "process", "processes")}.${stopped}`;
}
