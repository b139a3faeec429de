/** What a job's document says, in words. */
import type { CellView } from "@burla/kernel-bridge/cell-view";
import { numberText } from "../dom.ts";

export const PHASES: Readonly<Record<CellView["phase"], string>> = {
  preparing: "Preparing", waiting: "Waiting", running: "Running", done: "Done", failed: "Failed", cancelled: "Cancelled", interrupted: "Interrupted",
};

export function isLive({ phase }: Pick<CellView, "phase">): boolean {
  return phase === "preparing" || phase === "waiting" || phase === "running";
}

export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
}

export function rateText(perSecond: number): string {
  return perSecond >= 10 ? `${numberText(Math.round(perSecond))}/s` : `${perSecond.toFixed(1)}/s`;
}

/** Such as `417 of 1,000 inputs`. */
export function countText({ how, total, done, failed }: CellView): string {
  if (how === "call") return "one call";
  const count = numberText(done + failed);
  return total === null ? `${count} inputs so far` : done + failed === total ? `${count} ${total === 1 ? "input" : "inputs"}` : `${count} of ${numberText(total)} inputs`;
}

export function placesText({ nodes, workers }: CellView): string {
  return `${numberText(workers)} ${workers === 1 ? "worker" : "workers"} on ${numberText(nodes)} ${nodes === 1 ? "node" : "nodes"}`;
}

/** Where a statement ran: `here`, or how far its jobs on the cluster are. */
export function stepText({ where, jobs, done, failed, elapsedMs }: CellView["steps"][number], { cluster }: Pick<CellView, "cluster">): string {
  if (where === "here") return "here";
  if (jobs === 0) return `on ${cluster}`;
  const times = jobs === 1 ? "" : `${numberText(jobs)} times, `;
  return `${times}${numberText(done)} ${done === 1 ? "input" : "inputs"}${failed === 0 ? "" : `, ${numberText(failed)} failed`}, ${durationText(elapsedMs)}`;
}

/** Null while there is nothing to measure. */
export function shareDone({ total, done, failed, phase }: CellView): number | null {
  if (total === null) return phase === "done" ? 1 : null;
  return total === 0 ? 1 : (done + failed) / total;
}

/** One sentence for whoever listens instead of looking. */
export function spokenText(view: CellView): string {
  const share = shareDone(view);
  const fails = view.failed === 0 ? "" : `, ${numberText(view.failed)} failed`;
  if (!isLive(view)) return `${view.name}: ${PHASES[view.phase].toLowerCase()}, ${countText(view)} in ${durationText(view.elapsedMs)}${fails}`;
  return `${view.name}: ${PHASES[view.phase].toLowerCase()}${share === null || view.how === "call" ? "" : `, ${Math.floor(share * 100)} %`}${fails}`;
}
