/** `--watch`: shows what the cluster tells of itself, until Ctrl-C. On a terminal a picture that is drawn again, else lines. */
import { watchCluster } from "../control/watch.ts";
import type { ClusterState } from "../control/types.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { withoutCure } from "./failure.ts";
import { Screen } from "./screen.ts";
import type { Terminal } from "./terminal.ts";
import { durationText } from "./texts.ts";

/** Times on the screen go on when nothing happens. */
const CLOCK_MS = 1_000;

/** How a command shows the states of a cluster. */
export interface WatchView {
  /** The whole picture. */
  screen(state: ClusterState): string;
  /** What is new since the state before, which is null for the first one; a line each. */
  lines(state: ClusterState, before: ClusterState | null): readonly string[];
}

export interface WatchFlags {
  readonly cluster?: string;
  readonly json?: boolean;
}

export function watch(terminal: Terminal, { cluster, json }: WatchFlags, view: WatchView): Promise<ExitCode> {
  const isScreen = terminal.stdout.isTTY && json !== true;
  return untilInterrupted(terminal, (signal) => (isScreen ? drawStates : printStates)(watchCluster(cluster, { signal }), terminal, view));
}

async function untilInterrupted(terminal: Terminal, work: (signal: AbortSignal) => Promise<void>): Promise<ExitCode> {
  const abort = new AbortController();
  const stop = terminal.onInterrupt((exitCode) => abort.abort(exitCode));
  terminal.readerGone.addEventListener("abort", () => abort.abort(EXIT.ok));
  try {
    await work(abort.signal);
    return abort.signal.reason as ExitCode;
  } finally {
    stop();
  }
}

async function drawStates(states: AsyncIterable<ClusterState>, terminal: Terminal, view: WatchView): Promise<void> {
  const screen = new Screen(terminal.stdout);
  let last: ClusterState | null = null;
  const draw = () => void (last !== null && screen.draw(view.screen(last)));
  const clock = setInterval(draw, CLOCK_MS);
  try {
    for await (last of states) draw();
  } finally {
    clearInterval(clock);
  }
}

async function printStates(states: AsyncIterable<ClusterState>, terminal: Terminal, view: WatchView): Promise<void> {
  let before: ClusterState | null = null;
  for await (const state of states) {
    for (const line of view.lines(state, before)) await terminal.line(line);
    before = state;
  }
}

/** A cluster that there is nothing more to show of, in a sentence; null for one that answers. */
export function absenceText(state: ClusterState, nowMs = Date.now()): string | null {
  switch (state.phase) {
    case "off":
      return `The cluster is not running${state.reason === "" ? "" : `: it was ended (${state.reason})`}. \`burla up\` starts it; so does the first job.`;
    case "unreachable":
      return `The cluster at ${state.url} has been out of reach for ${durationText(nowMs - state.since)}: ${state.reason}.`;
    case "refused":
      return `${withoutCure(state.error)} ${state.error.cure}`;
    case "starting":
    case "running":
      return null;
  }
}
