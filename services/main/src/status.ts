/** Every wait has a reason that a person can read. */
import { workersOn } from "./core/nodes.ts";
import { mayTakeTurn, TURN_MS } from "./core/release.ts";
import type { CoreState, Job } from "./core/state.ts";

/** Why a job does not run; empty when it does. */
export function waitReason(state: CoreState, job: Job): string {
  if (job.phase === "interrupted") return "its client went away; attach to it to go on";
  const nodes = [...state.nodes.values()];
  if (nodes.some((node) => node.jobs.has(job.id))) return "";
  const fitting = nodes.filter((node) => workersOn(node, job) > 0);
  if (nodes.length === 0) return "waits for the first node to start";
  if (fitting.length === 0) return `waits for a node with ${job.spec.cpu} processors and ${job.spec.ramMiB ?? 0} MiB`;
  const booting = fitting.filter((node) => node.rootId === null && !node.ready).length;
  const others = new Set(fitting.flatMap((node) => (node.rootId === null ? [] : [node.rootId]))).size;
  const parts = [
    booting > 0 ? `${booting} of ${fitting.length} nodes starting` : "",
    others > 0 ? `${fitting.length - booting} busy with ${others} other job${others === 1 ? "" : "s"}${turnText(state, job)}` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? "waits for inputs" : `waits for a node: ${parts.join(", ")}`;
}

/** When the first of the busy nodes may change hands. */
function turnText(state: CoreState, job: Job): string {
  const ends = [...state.nodes.values()].filter((node) => mayTakeTurn(node, job)).map((node) => node.tenantSinceMs + TURN_MS);
  if (ends.length === 0) return "";
  const waitMs = Math.min(...ends) - state.nowMs;
  return waitMs > 0 ? ` for ${Math.ceil(waitMs / 1000)} s more at least` : ", which end the calls that they have begun";
}
