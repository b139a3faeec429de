/** `burla up`: starts the local cluster, or one on Compute Engine. */
import { InvalidArgumentError, Option, type Command } from "commander";
import type { ClusterSpec } from "@burla/protocol";
import { LOCAL } from "../../cluster.ts";
import { findCluster } from "../../control/find.ts";
import { startCluster } from "../../control/start.ts";
import type { ClusterStatus, Started } from "../../control/types.ts";
import { asCloudSpec, cloudRegions, cloudSpecOf } from "../../gce/cloud-spec.ts";
import { makesWay } from "../../hand-over.ts";
import { clusterDirectory, currentSpec, readConnectionFile } from "../../local-cluster.ts";
import { isSameSpec, readSpecFile, readStoredSpec, storeSpec } from "../../spec-file.ts";
import { makeWorkerImage } from "../../worker-image.ts";
import { EXIT, type ExitCode, type EndWith } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import { definedOnly, jsonOption, parseCount, parseName, type CommonOptions } from "../options.ts";
import type { Terminal } from "../terminal.ts";
import { countText, durationText } from "../texts.ts";
import { idleText } from "./status.ts";
import { upGce } from "./up-gce.ts";

const BUSY_STATES = ["BOOTING", "REBOOTING"];

interface UpFlags extends CommonOptions {
  readonly spec?: string;
  readonly provider?: "local" | "gce";
  readonly nodes?: number;
  readonly region?: string;
  readonly project?: string;
  readonly yes?: boolean;
  readonly plan?: boolean;
}

const HELP = `
The cluster runs until it has not been used for ten minutes (BURLA_IDLE_MINUTES changes that for a new one) or \`burla down\`.
Nobody has to call this first: a job starts the cluster by itself.
With --spec the cluster is what the document says (docs/containers.md), also when it is started again, until \`burla down\`.
A cluster on Compute Engine (docs/gcp.md) costs money from then on: its price is shown and agreed to before anything is
made, and Ctrl-C removes what was made so far.

Examples:
  $ burla up
  $ burla up --spec cluster.json
  $ burla up --spec cloud.json
  $ burla up trial --provider gce --nodes 8 --region europe-west4
  $ burla up trial --yes
  $ burla up --spec cloud.json --plan | jq .vms
  $ burla up --json | jq -r .url`;

export function addUp(program: Command, terminal: Terminal, endWith: EndWith): void {
  program
    .command("up")
    .summary("start a cluster")
    .description("Start the local cluster, if it does not run, and wait until its nodes are ready.")
    .argument("[cluster]", "name of the cluster (default: that of the spec)", parseName)
    .option("--spec <file>", "the cluster spec, a JSON document: nodes, containers, images")
    .addOption(new Option("--provider <provider>", "where its machines are, without a spec").choices(["local", "gce"]))
    .option("--nodes <count>", "nodes of a cluster on Google Cloud, without a spec (default: 2)", parseNodes)
    .option("--region <region>", `where they are, without a spec (default: ${cloudRegions()[0]})`)
    .option("--project <id>", "the Google Cloud project that pays (default: that of the spec, or of your credentials)")
    .option("-y, --yes", "agree to the price without being asked")
    .option("--plan", "of a cluster on Google Cloud print all that would be made as JSON, and make nothing")
    .addOption(jsonOption())
    .addHelpText("after", HELP)
    .action(async (name: string | undefined, flags: UpFlags) => {
      const spec = flags.spec === undefined ? undefined : readSpecFile(flags.spec);
      const cloud = cloudSpec(name, flags, spec);
      if (cloud !== null) return endWith(await upGce(cloud, flags, terminal));
      if (name !== undefined && name !== LOCAL) throw new UsageError(`there is no cluster "${name}"`, `"${LOCAL}" is the one on this machine; --provider gce or a spec makes others.`);
      refuseFlags(flags, ["nodes", "region", "project", "plan"], "is for a cluster on Google Cloud", "Add --provider gce, or leave it out.");
      if (spec !== undefined) await adoptSpec(spec, terminal);
      endWith(await up(terminal, flags.json === true));
    });
}

function parseNodes(text: string): number {
  const count = parseCount(text);
  if (count === 0) throw new InvalidArgumentError("It must be at least 1.");
  return count;
}

/** The spec of a cluster on Compute Engine, given, stored by an earlier start, or a usual one; null for the local cluster. */
function cloudSpec(name: string | undefined, flags: UpFlags, given: ClusterSpec | undefined): ClusterSpec | null {
  const { provider, nodes, region, project } = flags;
  if (given !== undefined) {
    if (name !== undefined && given.name !== name) throw new UsageError(`the spec names the cluster "${given.name}", not "${name}"`, "Leave one of the two out.");
    if (provider !== undefined && provider !== given.provider) throw new UsageError(`the spec says the provider "${given.provider}"`, "Leave --provider out.");
    refuseFlags(flags, ["nodes", "region"], "is what the spec says", "Leave it out, or change the spec.");
    return given.provider === "gce" ? asCloudSpec(given, project) : null;
  }
  const isCloud = provider === "gce" || (provider === undefined && isStoredCloud(name));
  return isCloud ? cloudSpecOf(definedOnly({ name, nodes, region, project })) : null;
}

function isStoredCloud(name: string | undefined): boolean {
  return name !== undefined && name !== LOCAL && readStoredSpec(clusterDirectory(name))?.provider === "gce";
}

/** @throws UsageError when one of them is there. */
function refuseFlags(flags: UpFlags, names: readonly ("nodes" | "region" | "project" | "plan")[], why: string, cure: string): void {
  const found = names.find((name) => flags[name] !== undefined);
  if (found !== undefined) throw new UsageError(`--${found} ${why}`, cure);
}

/** The spec is for the next start: a running cluster does not change, and makes way unless it has work. */
async function adoptSpec(spec: ClusterSpec, terminal: Terminal): Promise<void> {
  if (spec.name !== LOCAL) throw new UsageError(`the spec names the cluster "${spec.name}"`, `The cluster on this machine is "${LOCAL}": leave the name out, or say another provider.`);
  const isOther = !isSameSpec(spec, currentSpec());
  if (!isOther && (await findCluster(LOCAL)) !== null) return;
  const { runtime, kinds } = spec.containers;
  const own = new Set(kinds.flatMap((kind) => (kind.image === null && runtime === "docker" ? [kind.runtime] : [])));
  for (const each of own) await makeWorkerImage({ runtime: each }, (step) => terminal.say(`burla: ${step}`));
  const running = isOther ? readConnectionFile(LOCAL) : null;
  if (running !== null && !(await makesWay(running))) throw new UsageError("the cluster runs with another spec, and is at work", "Wait for its jobs, or end it with `burla down`.");
  if (running !== null) terminal.say("burla: the cluster ran with another spec and had nothing to do: it starts anew");
  storeSpec(clusterDirectory(LOCAL), spec);
}

async function up(terminal: Terminal, json: boolean): Promise<ExitCode> {
  const abort = new AbortController();
  const stop = terminal.onInterrupt((exitCode) => abort.abort(exitCode));
  try {
    const started = await startCluster(LOCAL, { signal: abort.signal });
    await terminal.line(json ? JSON.stringify({ running: true, started: started.started, url: started.url, ...started.status }) : upText(started));
    return started.status.nodes.some(({ state }) => state === "FAILED") ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    return abort.signal.reason as ExitCode;
  } finally {
    stop();
  }
}

function upText({ started, url, status }: Started): string {
  const workers = status.nodes.reduce((sum, node) => sum + node.workers.length, 0);
  const ready = status.nodes.filter(({ state }) => ![...BUSY_STATES, "FAILED"].includes(state)).length;
  return [
    started ? `The local cluster has started at ${url}.` : `The local cluster runs already at ${url}, for ${durationText(Date.now() - status.startedAt)}.`,
    ...failuresText(status),
    `${ready} of ${countText(status.nodes.length, "node")} ready, with ${countText(workers, "worker")}. ${idleText(status)}`,
  ].join("\n");
}

/** Each reason once: nodes of one machine fail for the same. */
function failuresText({ nodes }: ClusterStatus): string[] {
  const failed = nodes.filter(({ state }) => state === "FAILED");
  if (failed.length === 0) return [];
  return [`${countText(failed.length, "node")} failed, and will try again:`, ...new Set(failed.map(({ reason }) => `  ${reason}`))];
}
