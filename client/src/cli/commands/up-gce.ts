/** `burla up` on Compute Engine: says what is missing and what it costs, asks, and shows how far it is. */
import { createInterface } from "node:readline/promises";
import type { ClusterSpec } from "@burla/protocol";
import { checkProject, type Problem } from "../../gce/checks.ts";
import { openProject, type GoogleProject } from "../../gce/library.ts";
import { priceLines, priceText, totalPerHour } from "../../gce/plan.ts";
import { startGceCluster, type GcePhase } from "../../gce/start.ts";
import { stopGceCluster } from "../../gce/stop.ts";
import { untilReady } from "../../control/start.ts";
import type { ClusterStatus } from "../../control/types.ts";
import { findCluster, type RunningCluster } from "../../control/find.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { countText } from "../texts.ts";

export interface UpGceFlags {
  readonly json?: boolean;
  readonly yes?: boolean;
}

const PHASES: Readonly<Record<GcePhase, string>> = {
  network: "firewall rules",
  machine: "a VM for the main service",
  programs: "sends the programs to it",
  main: "waits for the main service",
};
/** Google makes a VM in half a minute; images are pulled then. */
const NODES_TIMEOUT_MS = 10 * 60_000;

export async function upGce(spec: ClusterSpec, { json, yes }: UpGceFlags, terminal: Terminal): Promise<ExitCode> {
  const running = await findCluster(spec.name);
  if (running !== null) return told(running, false, terminal, json === true);
  const project = await openProject(spec.gce.project);
  const problems = await checkProject(project, spec);
  terminal.say(problemsText(problems));
  if (problems.some(({ isWarning }) => !isWarning)) return EXIT.unreachable;
  terminal.say(`The cluster ${spec.name} in the project ${project.id}:\n${priceText(spec)}`);
  checkBudget(spec);
  if (yes !== true && !(await agrees(terminal))) return EXIT.failed;
  return create(project, spec, terminal, json === true);
}

async function create(project: GoogleProject, spec: ClusterSpec, terminal: Terminal, json: boolean): Promise<ExitCode> {
  const abort = new AbortController();
  const stop = terminal.onInterrupt((exitCode) => abort.abort(exitCode));
  try {
    await startGceCluster(project, spec, { signal: abort.signal, onPhase: (phase) => terminal.say(`burla: ${PHASES[phase]}`) });
    await awaitNodes(spec, abort.signal, terminal);
    const running = await findCluster(spec.name);
    return running === null ? EXIT.unreachable : await told(running, true, terminal, json);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    terminal.say("burla: removes what was made");
    const { removed } = await stopGceCluster(spec.name, project.id);
    terminal.say(`burla: removed ${removed.length === 0 ? "nothing, for nothing was there" : removed.join(", ")}`);
    return abort.signal.reason as ExitCode;
  } finally {
    stop();
  }
}

/** Nodes that do not come in time come later: main goes on trying. */
async function awaitNodes(spec: ClusterSpec, signal: AbortSignal, terminal: Terminal): Promise<void> {
  let told = "";
  await untilReady(spec.name, {
    signal,
    onPhase: (phase) => {
      const text = phase.phase === "nodes" ? `burla: ${phase.ready} of ${countText(phase.wanted, "node")} ready` : "";
      if (text !== told && text !== "") terminal.say(text);
      told = text;
    },
  }, NODES_TIMEOUT_MS);
}

async function told({ control, status }: RunningCluster, started: boolean, terminal: Terminal, json: boolean): Promise<ExitCode> {
  await terminal.line(json ? JSON.stringify({ running: true, started, url: control.url, ...status }) : readyText(control.url, status, started));
  return EXIT.ok;
}

function readyText(url: string, status: ClusterStatus, started: boolean): string {
  return [
    `The cluster ${status.cluster} ${started ? "has started" : "runs already"} at ${url}.`,
    `${status.nodes.length} of ${countText(status.wantedNodes, "node")} there.`,
    ...status.troubles.map((trouble) => `  ${trouble}`),
    `Use it with --cluster ${status.cluster}, or BURLA_CLUSTER=${status.cluster}. \`burla down ${status.cluster}\` removes it.`,
  ].join("\n");
}

function problemsText(problems: readonly Problem[]): string {
  if (problems.length === 0) return "Credentials, API, permissions, service accounts and quota are in order.";
  return problems.map(({ message, cure, isWarning }) => `${isWarning ? "note" : "missing"}: ${message}\n  ${cure}`).join("\n");
}

/** Main keeps to the budget; with one that is too small it would make fewer nodes than the spec says. */
function checkBudget(spec: ClusterSpec): void {
  const { budgetPerHour } = spec;
  if (budgetPerHour === null || totalPerHour(priceLines(spec)) <= budgetPerHour) return;
  throw new UsageError(`this is more than the budget of $${budgetPerHour} per hour`, "Raise `budgetPerHour` in the spec, or ask for fewer or smaller machines.");
}

async function agrees(terminal: Terminal): Promise<boolean> {
  if (!terminal.stdin.isTTY) throw new UsageError("nobody can be asked here whether to spend this", "Agree with --yes.");
  const question = createInterface({ input: terminal.stdin, output: terminal.stderr });
  try {
    return /^y(es)?$/i.test((await question.question("Make it? [y/N] ")).trim());
  } finally {
    question.close();
  }
}
