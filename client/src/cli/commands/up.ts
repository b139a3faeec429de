/** `burla up`: starts the local cluster. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { ClusterStatus } from "@burla/protocol";
import { LOCAL } from "../../cluster.ts";
import { mayBeUsed } from "../../hand-over.ts";
import { localSpec, readConnectionFile, startLocalCluster } from "../../local-cluster.ts";
import { findCluster, type RunningCluster } from "../cluster-state.ts";
import { controlOf } from "../control.ts";
import { EXIT } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { jsonOption, type CommonOptions } from "../options.ts";
import type { EndWith } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { countText, durationText } from "../texts.ts";
import { idleText } from "./status.ts";

const READY_TIMEOUT_MS = 20_000;
const POLL_MS = 25;
const BUSY_STATES = ["BOOTING", "REBOOTING"];

const HELP = `
The cluster runs until it has not been used for ten minutes (BURLA_IDLE_MINUTES changes that for a new one) or \`burla down\`.
Nobody has to call this first: a job starts the cluster by itself.

Examples:
  $ burla up
  $ burla up --json | jq -r .url`;

export function addUp(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("up")
    .summary("start the local cluster")
    .description("Start the local cluster, if it does not run, and wait until its nodes are ready.")
    .argument("[cluster]", "name of the cluster", LOCAL)
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (name: string, { json }: CommonOptions) => {
      if (name !== LOCAL) throw new UsageError(`there is no cluster "${name}"`, `This version starts the cluster "${LOCAL}" only, which is on this machine.`);
      const { cluster, started } = await start();
      const { status, control } = cluster;
      await terminal.line(json === true ? JSON.stringify({ running: true, started, url: control.url, ...status }) : upText(cluster, started));
      endWith(EXIT.ok);
    });
}

async function start(): Promise<{ cluster: RunningCluster; started: boolean }> {
  const file = readConnectionFile(LOCAL);
  // One of another build makes way if it can.
  const found = file !== null && (await mayBeUsed(file)) ? await findCluster(LOCAL) : null;
  if (found === null) await startLocalCluster();
  const control = found?.control ?? controlOf(LOCAL);
  const nodes = found === null ? localSpec().groups.reduce((sum, { count }) => sum + count, 0) : 1;
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const status = await control.status();
    if (isReady(status, nodes) || performance.now() > deadlineMs) return { cluster: { control, status }, started: found === null };
    await sleep(POLL_MS);
  }
}

function isReady({ nodes }: ClusterStatus, count: number): boolean {
  return nodes.length >= count && nodes.every(({ state }) => !BUSY_STATES.includes(state));
}

function upText({ control, status }: RunningCluster, started: boolean): string {
  const workers = status.nodes.reduce((sum, node) => sum + node.workers.length, 0);
  const ready = status.nodes.filter(({ state }) => !BUSY_STATES.includes(state)).length;
  return [
    started ? `The local cluster has started at ${control.url}.` : `The local cluster runs already at ${control.url}, for ${durationText(status.uptimeMs)}.`,
    `${ready} of ${countText(status.nodes.length, "node")} ready, with ${countText(workers, "worker")}. ${idleText(status)}`,
  ].join("\n");
}
