/** `burla up` on Compute Engine: says what is missing and what it costs, asks, and shows how far it is. */
import { createInterface } from "node:readline/promises";
import type { ClusterSpec } from "@burla/protocol";
import type { CloudPhase, CloudPlan, CloudProblem, ClusterStatus, Started } from "../../control/types.ts";
import { dryRun } from "../../gce/dry-run.ts";
import { priceText } from "../../gce/plan.ts";
import { planGce, runningGce } from "../../gce/up.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { UsageError } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { countText } from "../texts.ts";

export interface UpGceFlags {
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly plan?: boolean;
}

const MAKES = {
  network: "firewall rules",
  machine: "a VM for the main service",
  programs: "sends the programs to it",
  main: "waits for the main service",
} as const;

export async function upGce(spec: ClusterSpec, { json, yes, plan: isDry }: UpGceFlags, terminal: Terminal): Promise<ExitCode> {
  if (isDry === true) return tellPlan(spec, terminal);
  const running = await runningGce(spec.name);
  if (running !== null) return told(running, terminal, json === true);
  const plan = await planGce(spec);
  terminal.say(problemsText(plan.problems));
  terminal.say(`The cluster ${spec.name} in the project ${plan.project}:\n${priceText(plan)}`);
  if (plan.problems.some(({ isWarning }) => !isWarning)) return EXIT.unreachable;
  if (yes !== true && !(await agrees(terminal))) return EXIT.failed;
  return create(plan, terminal, json === true);
}

/** What would be made, as JSON; nothing is, whether it could be or not. */
async function tellPlan(spec: ClusterSpec, terminal: Terminal): Promise<ExitCode> {
  const plan = await planGce(spec);
  await terminal.line(JSON.stringify(dryRun(spec, plan), null, 2));
  return plan.problems.some(({ isWarning }) => !isWarning) ? EXIT.unreachable : EXIT.ok;
}

async function create(plan: CloudPlan, terminal: Terminal, json: boolean): Promise<ExitCode> {
  const abort = new AbortController();
  const stop = terminal.onInterrupt((exitCode) => abort.abort(exitCode));
  let last = "";
  const onPhase = (phase: CloudPhase) => {
    const text = phaseText(phase);
    if (text !== last) terminal.say(`burla: ${text}`);
    last = text;
  };
  try {
    return await told(await plan.start({ signal: abort.signal, onPhase }), terminal, json);
  } catch (error) {
    if (!abort.signal.aborted || error !== abort.signal.reason) throw error;
    return abort.signal.reason as ExitCode;
  } finally {
    stop();
  }
}

function phaseText(phase: CloudPhase): string {
  switch (phase.phase) {
    case "nodes":
      return `${phase.ready} of ${countText(phase.wanted, "node")} ready`;
    case "removing":
      return "removes what was made";
    case "removed":
      return `removed ${phase.removed.length === 0 ? "nothing, for nothing was there" : phase.removed.join(", ")}`;
    default:
      return MAKES[phase.phase];
  }
}

async function told({ url, status, started }: Started, terminal: Terminal, json: boolean): Promise<ExitCode> {
  await terminal.line(json ? JSON.stringify({ running: true, started, url, ...status }) : readyText(url, status, started));
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

function problemsText(problems: readonly CloudProblem[]): string {
  if (problems.length === 0) return "Credentials, API, permissions, service accounts and quota are in order.";
  return problems.map(({ message, cure, isWarning }) => `${isWarning ? "note" : "missing"}: ${message}\n  ${cure}`).join("\n");
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
