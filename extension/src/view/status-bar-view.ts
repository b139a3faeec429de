/** What the status bar says of the current cluster. */
import type { JobSummary } from "burla/control";
import { liveJobs, type ClusterState, type Link } from "../clusters/state.ts";
import { dollars } from "../../../client/src/dollars.ts";
import { countText, numberText, percentOf, progressWord } from "./texts.ts";

export interface StatusBarView {
  /** With codicons. */
  readonly text: string;
  /** The same for a screen reader, as a sentence. */
  readonly spoken: string;
  readonly background: "warning" | "error" | null;
}

/** Longer names are cut, so that the item leaves room for others. */
const MAX_NAME_CHARACTERS = 24;

export function statusBarView(state: ClusterState): StatusBarView {
  const { link, ref } = state;
  const plain = (icon: string, words: string, background: StatusBarView["background"] = null): StatusBarView => ({
    text: `$(${icon}) Burla: ${words}`,
    spoken: `Burla, ${ref.label}: ${words}`,
    background,
  });
  switch (link.kind) {
    case "off":
      return plain("circle-slash", "off");
    case "connecting":
      return plain("loading~spin", "connecting");
    case "starting":
      return plain("loading~spin", startingWords(link));
    case "stopping":
      return plain("loading~spin", "stopping");
    case "unreachable":
      return plain("warning", "unreachable", "warning");
    case "error":
      return plain("error", "error", "error");
    case "online":
      return onlineView(state, plain);
  }
}

/** Such as `starting (1/2)`. */
export function startingWords({ ready, wanted }: Extract<Link, { kind: "starting" }>): string {
  return wanted === null ? "starting" : `starting (${ready}/${wanted})`;
}

function onlineView({ status, ref }: ClusterState, plain: (icon: string, words: string) => StatusBarView): StatusBarView {
  const running = liveJobs(status);
  const [first] = running;
  const cost = status?.costPerHour ?? null;
  const costs = cost === null ? { text: "", spoken: "" } : { text: ` · ${dollars(cost)}/h`, spoken: `, ${dollars(cost)} per hour` };
  if (first === undefined) {
    const nodes = plain("server-environment", countText(status?.nodes.length ?? 0, "node"));
    return { ...nodes, text: nodes.text + costs.text, spoken: nodes.spoken + costs.spoken };
  }
  const name = running.length === 1 ? shorten(first.name) : countText(running.length, "job");
  const failed = running.reduce((sum, job) => sum + job.failed, 0);
  const words = `${name} ${overallProgress(running)}${failed > 0 ? `, ${numberText(failed)} failed` : ""}`;
  const isWaiting = running.every(({ phase }) => phase === "waiting");
  return { text: `$(${isWaiting ? "watch" : "sync~spin"}) Burla: ${words}${costs.text}`, spoken: `Burla, ${ref.label}: running ${words}${costs.spoken}`, background: null };
}

/** Of several jobs the inputs are taken together. */
function overallProgress(jobs: readonly JobSummary[]): string {
  const [first] = jobs;
  if (first !== undefined && jobs.length === 1) return first.phase === "waiting" ? "waiting" : progressWord(first);
  const sum = jobs.reduce(
    (total, job) => ({ ...total, inputs: total.inputs + job.inputs, done: total.done + job.done, failed: total.failed + job.failed, inputsEnded: total.inputsEnded && job.inputsEnded }),
    { inputs: 0, done: 0, failed: 0, inputsEnded: true },
  );
  const percent = percentOf({ ...(first as JobSummary), ...sum });
  return percent === null ? `${numberText(sum.done + sum.failed)} done` : `${percent}%`;
}

function shorten(name: string): string {
  return name.length <= MAX_NAME_CHARACTERS ? name : `${name.slice(0, MAX_NAME_CHARACTERS - 1)}…`;
}
