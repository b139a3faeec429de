/** Starts clusters on Google Cloud: looks, tells the price, asks once, makes, and undoes what was made when it is cancelled. */
import * as vscode from "vscode";
import type { CloudOptions, CloudPhase, CloudPlan } from "burla/control";
import { Declined, troubleOf } from "../failure.ts";
import { progress, type Report } from "../progress.ts";
import { requireTrust } from "../trust.ts";
import { unlessAborted } from "../unless-aborted.ts";
import { checkText, cloudPhaseText, cloudShare, problemLines, problemsQuestion, removedText, startFailure, startQuestion } from "../view/cloud.ts";
import { use, type ChooseParts } from "./choose.ts";
import { agree, askToSignIn } from "./cloud-dialogs.ts";
import { refreshCloud } from "./cloud-list.ts";
import { askForCloud, askForKnown, type CloudAskParts } from "./cloud-ask.ts";
import type { Control } from "./control.ts";
import { cloudRef, LOCAL_ID } from "./state.ts";
import { stopCluster } from "./stop.ts";

const START = "Start Cluster";
const CHECK_AGAIN = "Check Again";
const SHOW_ALL = "Show Output";
const TRY_AGAIN = "Try Again";
const REMOVE = "Remove What Was Made";

export interface CloudStartParts extends ChooseParts {
  readonly output: vscode.LogOutputChannel;
  readonly memory: vscode.Memento;
}

export class CloudStarter {
  readonly #parts: CloudStartParts;
  #running: Promise<void> | null = null;

  constructor(parts: CloudStartParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the cluster's nodes are ready, or after a time with those that are; it is the current one then. A call
   * while one starts joins that start.
   * @param name of one that was started before; null asks for a new one.
   * @throws Declined when the user says no, or cancels; BurlaError when it does not start.
   */
  start(name: string | null = null): Promise<void> {
    this.#running ??= this.#start(name).finally(() => (this.#running = null));
    return this.#running;
  }

  async #start(name: string | null): Promise<void> {
    requireTrust("Starting a cluster");
    if (name !== null && this.#parts.hub.state(name).link.kind === "online") return;
    const control = await this.#parts.loadControl();
    const options = await this.#ask(control, name);
    const plan = await this.#plan(control, options);
    await agree(startQuestion(plan), START);
    await this.#make(plan);
  }

  async #ask(control: Control, name: string | null): Promise<CloudOptions> {
    const names = this.#parts.hub.all().map(({ ref }) => ref.id);
    let project: Promise<string | null> | undefined;
    const parts: CloudAskParts = { control, memory: this.#parts.memory, names, project: () => (project ??= this.#project(control)) };
    return name === null ? askForCloud(parts) : askForKnown(parts, name);
  }

  /** Until there are credentials, or the user leaves it at that. */
  async #project(control: Control): Promise<string | null> {
    for (;;) {
      try {
        return await progress("Looking for credentials of Google Cloud", (_, signal) => unlessAborted(control.cloudProject(), signal));
      } catch (error) {
        if (error instanceof Declined) throw error;
        this.#parts.output.warn(troubleOf(error).message);
        await askToSignIn(troubleOf(error));
      }
    }
  }

  /** Until nothing is missing, or the user leaves it at that. */
  async #plan(control: Control, options: CloudOptions): Promise<CloudPlan> {
    for (;;) {
      const plan = await progress("Checking Google Cloud", (report, signal) => control.planCloudCluster({ ...options, signal, onCheck: (check) => report.report({ message: checkText(check) }) }));
      for (const line of problemLines(plan.project, plan.problems)) this.#parts.output.warn(line);
      if (plan.problems.every(({ isWarning }) => isWarning)) return plan;
      const { message, detail } = problemsQuestion(plan.project, plan.problems);
      const choice = await vscode.window.showErrorMessage(message, { modal: true, detail }, CHECK_AGAIN, SHOW_ALL);
      if (choice === SHOW_ALL) this.#parts.output.show();
      if (choice !== CHECK_AGAIN) throw new Declined("the project is not ready");
    }
  }

  async #make(plan: CloudPlan): Promise<void> {
    const { cluster } = plan;
    const { hub, known } = this.#parts;
    const before = hub.current.ref.id;
    await known.setCloud([...known.cloud(), cluster]);
    hub.setRefs(known.refs());
    await hub.choose(cluster);
    for (;;) {
      try {
        return await progress(`Starting ${cluster} on Google Cloud`, (report, signal) => this.#makeOnce(plan, report, signal));
      } catch (error) {
        if (error instanceof Declined) {
          await this.#forget(cluster, before);
          throw error;
        }
        await this.#askAfter(plan, error);
      }
    }
  }

  async #makeOnce(plan: CloudPlan, report: Report, signal: AbortSignal): Promise<void> {
    const { hub, watchers } = this.#parts;
    const { cluster } = plan;
    hub.dispatch(cluster, { type: "startAsked" });
    try {
      const { status } = await plan.start({ signal, onPhase: this.#reporter(cluster, report) });
      for (const trouble of status.troubles) this.#parts.output.warn(`${cluster}: ${trouble}`);
      watchers.again(cluster);
      await hub.until(cluster, (state) => state.status !== null && state.link.kind !== "unreachable", signal);
      hub.dispatch(cluster, { type: "ended" });
    } catch (error) {
      hub.dispatch(cluster, signal.aborted ? { type: "ended" } : { type: "startFailed", trouble: troubleOf(error) });
      throw error;
    }
  }

  #reporter(cluster: string, report: Report): (phase: CloudPhase) => void {
    let told = 0;
    return (phase) => {
      if (phase.phase === "nodes") this.#parts.hub.dispatch(cluster, { type: "startPhase", phase });
      if (phase.phase === "removed") void vscode.window.showInformationMessage(removedText(cluster, phase.removed));
      const share = cloudShare(phase) ?? told;
      const message = cloudPhaseText(phase);
      this.#parts.output.info(`${cluster}: ${message}`);
      report.report({ message, increment: Math.max(0, share - told) });
      told = Math.max(told, share);
    };
  }

  /** Resolves when it is to be tried again. */
  async #askAfter({ cluster }: CloudPlan, error: unknown): Promise<void> {
    const { message, detail } = startFailure(cluster, troubleOf(error));
    this.#parts.output.error(message);
    const choice = await vscode.window.showErrorMessage(message, { modal: true, detail }, TRY_AGAIN, REMOVE);
    if (choice === TRY_AGAIN) return;
    if (choice === REMOVE) await stopCluster(this.#parts, { ref: cloudRef(cluster), alwaysAsk: false });
    throw new Declined("it did not start");
  }

  async #forget(cluster: string, before: string): Promise<void> {
    const { known } = this.#parts;
    await refreshCloud(this.#parts);
    if (!known.refs().some(({ id }) => id === cluster)) await use(this.#parts, before === cluster ? LOCAL_ID : before);
  }
}
