/** `burla up`: starts the local cluster. */
import type { Command } from "commander";
import { LOCAL } from "../../cluster.ts";
import { startCluster } from "../../control/start.ts";
import type { Started } from "../../control/types.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { jsonOption, type CommonOptions } from "../options.ts";
import type { EndWith } from "../program.ts";
import type { Terminal } from "../terminal.ts";
import { countText, durationText } from "../texts.ts";
import { idleText } from "./status.ts";

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
      endWith(await up(terminal, json === true));
    });
}

async function up(terminal: Terminal, json: boolean): Promise<ExitCode> {
  const abort = new AbortController();
  const stop = terminal.onInterrupt((exitCode) => abort.abort(exitCode));
  try {
    const started = await startCluster(LOCAL, { signal: abort.signal });
    await terminal.line(json ? JSON.stringify({ running: true, started: started.started, url: started.url, ...started.status }) : upText(started));
    return EXIT.ok;
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    return abort.signal.reason as ExitCode;
  } finally {
    stop();
  }
}

function upText({ started, url, status }: Started): string {
  const workers = status.nodes.reduce((sum, node) => sum + node.workers.length, 0);
  const ready = status.nodes.filter(({ state }) => !BUSY_STATES.includes(state)).length;
  return [
    started ? `The local cluster has started at ${url}.` : `The local cluster runs already at ${url}, for ${durationText(Date.now() - status.startedAt)}.`,
    `${ready} of ${countText(status.nodes.length, "node")} ready, with ${countText(workers, "worker")}. ${idleText(status)}`,
  ].join("\n");
}
