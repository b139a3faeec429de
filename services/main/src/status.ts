/** Every wait has a reason that a person can read. */
import { workersOn } from "./core/nodes.ts";
import { consumerIsBehind } from "./core/sizing.ts";
import { mayTakeTurn, TURN_MS } from "./core/release.ts";
import type { CoreState, Job } from "./core/state.ts";
import type { Machines } from "./providers/provider.ts";

/**
 * Empty when it runs.
 * @param failed why nodes that are of no use now are not, as they said.
 * @param machines how many are on their way, and what keeps others from being made.
 */
export function waitReason(state: CoreState, job: Job, failed: readonly string[] = [], machines: Pick<Machines, "booting" | "troubles"> = NONE): string {
  if (job.phase === "interrupted") return "its client went away; attach to it to go on";
  const nodes = [...state.nodes.values()];
  if (nodes.some((node) => node.jobs.has(job.id))) return idleReason(job);
  const fitting = nodes.filter((node) => workersOn(node, job) > 0);
  if (nodes.length === 0 && failed[0] !== undefined) return `waits for a node: ${failed.length} failed and start over (${failed[0]})`;
  const coming = machinesText(machines);
  if (nodes.length === 0) return `waits for the first node to start${coming}`;
  if (fitting.length === 0) return `waits for a node with ${job.spec.cpu} processors and ${job.spec.ramMiB ?? 0} MiB${coming}`;
  const booting = fitting.filter((node) => node.rootId === null && !node.ready).length;
  const others = new Set(fitting.flatMap((node) => (node.rootId === null ? [] : [node.rootId]))).size;
  const parts = [
    booting > 0 ? `${booting} of ${fitting.length} nodes starting` : "",
    others > 0 ? `${fitting.length - booting} busy with ${others} other job${others === 1 ? "" : "s"}${turnText(state, job)}` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? "waits for inputs" : `waits for a node: ${parts.join(", ")}${coming.replace(":", ",")}`;
}

const NONE = { booting: 0, troubles: [] };

/** Such as `: 2 machines booting, the quota of 8 CPUS in us-central1 is reached`. */
function machinesText({ booting, troubles }: Pick<Machines, "booting" | "troubles">): string {
  const parts = [...(booting > 0 ? [`${booting} machine${booting === 1 ? "" : "s"} booting`] : []), ...troubles];
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`;
}

/** When the first of the busy nodes may change hands. */
function turnText(state: CoreState, job: Job): string {
  const ends = [...state.nodes.values()].filter((node) => mayTakeTurn(node, job)).map((node) => node.tenantSinceMs + TURN_MS);
  if (ends.length === 0) return "";
  const waitMs = Math.min(...ends) - state.nowMs;
  return waitMs > 0 ? ` for ${Math.ceil(waitMs / 1000)} s more at least` : ", which end the calls that they have begun";
}

/** Why the nodes of a job have nothing to do. */
function idleReason(job: Job): string {
  if (job.grantedInputs > 0) return "";
  if (consumerIsBehind(job)) return "waits for its program to take results";
  if (job.readyInputs > 0) return "";
  if (job.delayed.size > 0) return `waits before it tries ${job.delayed.size === 1 ? "a failed input" : `${job.delayed.size} failed inputs`} again`;
  return job.totalInputs === null && job.client === "feeds" ? "waits for inputs from its program" : "";
}
