/** The way to a cluster on Compute Engine, for the terminal and the editor alike: looks first, tells the price, makes, and undoes. */
import { PRICES, type ClusterSpec } from "@burla/protocol";
import { findCluster } from "../control/find.ts";
import { untilReady } from "../control/start.ts";
import { dollars } from "../dollars.ts";
import type { CloudCheck, CloudEstimate, CloudPhase, CloudPlan, CloudStartOptions, Started } from "../control/types.ts";
import { checkProject } from "./checks.ts";
import { openProject, type GoogleProject } from "./library.ts";
import { priceLines, totalPerHour } from "./plan.ts";
import { firewallRules } from "./resources.ts";
import { startGceCluster } from "./start.ts";
import { stopGceCluster } from "./stop.ts";

/** Google makes a VM in half a minute; images are pulled then. */
const NODES_TIMEOUT_MS = 10 * 60_000;

export interface PlanOptions {
  /** The reading ends; its reason is thrown. */
  readonly signal?: AbortSignal;
  readonly onCheck?: (check: CloudCheck) => void;
}

/** What can be said without asking Google. */
export function estimateOf(spec: ClusterSpec): CloudEstimate {
  const prices = priceLines(spec);
  return {
    cluster: spec.name,
    project: spec.gce.project,
    machines: 1 + spec.groups.reduce((sum, { count }) => sum + count, 0),
    firewallRules: firewallRules(spec).length,
    prices,
    pricePerHour: totalPerHour(prices),
    maxPricePerHour: totalPerHour(prices, "maxPerHour"),
    priceList: PRICES,
    budgetPerHour: spec.budgetPerHour,
    idleMinutes: spec.idleMinutes,
    endsAt: spec.endsAt,
  };
}

/** Looks at the project and changes nothing. @throws BurlaError BURLA_CLOUD without credentials, or an answer. */
export async function planGce(spec: ClusterSpec, { signal, onCheck }: PlanOptions = {}): Promise<CloudPlan> {
  onCheck?.("credentials");
  const estimate = estimateOf(spec);
  const project = await unlessAborted(openProject(spec.gce.project), signal);
  const problems = await unlessAborted(checkProject(project, spec, onCheck), signal);
  const budget = budgetProblem(estimate);
  return { ...estimate, project: project.id, problems: [...problems, ...budget], start: (options) => startGce(project, spec, options) };
}

/** Main keeps to the budget; with one that is too small it would make fewer nodes than the spec says. */
function budgetProblem({ budgetPerHour, pricePerHour, maxPricePerHour }: CloudEstimate) {
  if (budgetPerHour === null || maxPricePerHour <= budgetPerHour) return [];
  const cure = "Raise `budgetPerHour` in the spec, or ask for fewer or smaller machines.";
  if (pricePerHour > budgetPerHour) return [{ message: `this is more than the budget of ${dollars(budgetPerHour)} per hour`, cure, isWarning: false }];
  return [{ message: `without spot VMs this is more than the budget of ${dollars(budgetPerHour)} per hour: there would be fewer nodes`, cure, isWarning: true }];
}

/** Resolves when its nodes are ready, or after a time with those that are: main goes on trying. Cancelled, it removes what was made. */
async function startGce(project: GoogleProject, spec: ClusterSpec, { signal, onPhase = () => undefined }: CloudStartOptions = {}): Promise<Started> {
  const end = signal ?? new AbortController().signal;
  try {
    await startGceCluster(project, spec, { signal: end, onPhase: (phase) => onPhase({ phase }) });
    const { url, status } = await untilReady(spec.name, { signal: end, onPhase: tellNodes(onPhase) }, NODES_TIMEOUT_MS);
    return { started: true, url, status };
  } catch (error) {
    if (!end.aborted) throw error;
    onPhase({ phase: "removing", left: null });
    const { removed } = await stopGceCluster(spec.name, project.id, (left) => onPhase({ phase: "removing", left }));
    onPhase({ phase: "removed", removed });
    throw end.reason;
  }
}

function tellNodes(onPhase: (phase: CloudPhase) => void): (phase: { readonly phase: string; readonly ready?: number; readonly wanted?: number }) => void {
  return ({ phase, ready = 0, wanted = 0 }) => {
    if (phase === "nodes") onPhase({ phase, ready, wanted });
  };
}

/** One that runs already, of that name. */
export async function runningGce(name: string): Promise<Started | null> {
  const running = await findCluster(name);
  return running === null ? null : { started: false, url: running.control.url, status: running.status };
}

/** What only reads may go on unheard. */
function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    void work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
