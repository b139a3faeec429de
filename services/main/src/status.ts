/** Every wait has a reason that a person can read. */
import { workersOn } from "./core/nodes.ts";
import type { CoreState, Job } from "./core/state.ts";

/**
 * Why a job does not run; empty when it does.
 * @param failure what a node that has failed says; those count for nothing in the state.
 */
export function waitReason(state: CoreState, job: Job, failure: string | null = null): string {
  if (job.phase === "interrupted") return "its client went away; attach to it to go on";
  const nodes = [...state.nodes.values()];
  if (nodes.some((node) => node.jobs.has(job.id))) return "";
  const fitting = nodes.filter((node) => workersOn(node, job) > 0);
  if (nodes.length === 0) return failure === null ? "waits for the first node to start" : `waits for a node that works: ${failure}`;
  if (fitting.length === 0) return `waits for a node with ${job.spec.cpu} processors and ${job.spec.ramMiB ?? 0} MiB`;
  const booting = fitting.filter((node) => node.rootId === null && !node.ready).length;
  const others = new Set(fitting.flatMap((node) => (node.rootId === null ? [] : [node.rootId]))).size;
  const parts = [
    booting > 0 ? `${booting} of ${fitting.length} nodes starting` : "",
    others > 0 ? `${fitting.length - booting} busy with ${others} other job${others === 1 ? "" : "s"}` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? "waits for inputs" : `waits for a node: ${parts.join(", ")}`;
}
