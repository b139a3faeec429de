/** Starts the cluster of this machine: one start at a time, with its phases, and a way out. */
import * as vscode from "vscode";
import type { StartPhase } from "burla/control";
import { Declined, troubleOf } from "../failure.ts";
import { requireTrust } from "../trust.ts";
import { localOptions } from "../settings.ts";
import type { LoadControl } from "./control.ts";
import type { ClusterHub } from "./hub.ts";
import { LOCAL_ID } from "./state.ts";
import type { ClusterWatchers } from "./watchers.ts";

const PERCENT = 100;

export class ClusterStarter {
  readonly #hub: ClusterHub;
  readonly #watchers: ClusterWatchers;
  readonly #loadControl: LoadControl;
  #running: Promise<void> | null = null;

  constructor(hub: ClusterHub, watchers: ClusterWatchers, loadControl: LoadControl) {
    this.#hub = hub;
    this.#watchers = watchers;
    this.#loadControl = loadControl;
  }

  /**
   * Resolves when all nodes are ready; at once when they are. A call while it starts joins that start.
   * @throws Declined when the user cancels; BurlaError when it does not start.
   */
  start(): Promise<void> {
    this.#running ??= this.#start().finally(() => (this.#running = null));
    return this.#running;
  }

  async #start(): Promise<void> {
    requireTrust("Starting a cluster");
    if (this.#hub.state(LOCAL_ID).link.kind === "online") return;
    const options = { location: vscode.ProgressLocation.Notification, title: "Starting the local cluster", cancellable: true };
    await vscode.window.withProgress(options, async (progress, cancellation) => {
      const abort = new AbortController();
      cancellation.onCancellationRequested(() => abort.abort(new Declined("the start was cancelled")));
      await this.#hub.until(LOCAL_ID, ({ intent }) => intent !== "stop", abort.signal);
      this.#hub.dispatch(LOCAL_ID, { type: "startAsked" });
      try {
        await this.#startAndWait(abort.signal, reporter(progress, (phase) => this.#hub.dispatch(LOCAL_ID, { type: "startPhase", phase })));
        this.#hub.dispatch(LOCAL_ID, { type: "ended" });
      } catch (error) {
        this.#hub.dispatch(LOCAL_ID, abort.signal.aborted ? { type: "ended" } : { type: "startFailed", trouble: troubleOf(error) });
        throw error;
      }
    });
  }

  async #startAndWait(signal: AbortSignal, onPhase: (phase: StartPhase) => void): Promise<void> {
    const { startCluster } = await this.#loadControl();
    await startCluster(LOCAL_ID, { ...(await localOptions()), signal, onPhase });
    this.#watchers.watch(LOCAL_ID);
    await this.#hub.until(LOCAL_ID, ({ link }) => link.kind === "online", signal);
  }
}

function reporter(progress: vscode.Progress<{ message?: string; increment?: number }>, onPhase: (phase: StartPhase) => void): (phase: StartPhase) => void {
  let told = 0;
  return (phase) => {
    onPhase(phase);
    const share = shareOf(phase);
    progress.report({ message: phaseText(phase), increment: Math.max(0, share - told) });
    told = Math.max(told, share);
  };
}

/** The main service is taken for a fifth of the work. */
function shareOf(phase: StartPhase): number {
  if (phase.phase === "main") return 0;
  return phase.phase === "ready" ? PERCENT : 20 + (80 * phase.ready) / Math.max(1, phase.wanted);
}

function phaseText(phase: StartPhase): string {
  if (phase.phase === "main") return "starting the main service";
  return phase.phase === "ready" ? "ready" : `${phase.ready} of ${phase.wanted} nodes ready`;
}
