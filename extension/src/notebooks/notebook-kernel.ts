/** The live kernel of one notebook in this window, and the cells that it runs: one after the other, each with an end. */
import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { ArmedRun, ExecutionOutcome } from "@burla/kernel-bridge";
import type { Snapshot, ToWindow } from "../keeper/messages.ts";
import type { CellRun, ShownOutputs } from "./cell-run.ts";
import { isLeft } from "./cell-view.ts";
import { KeeperLink } from "./keeper-link.ts";
import { markOf } from "./mark.ts";

const DIED = "The kernel has died while this cell ran; what it knew is lost.";

export class NotebookKernel {
  /** Where its keeper listens. */
  readonly address: string;
  readonly #link: KeeperLink;
  readonly #runs = new Map<string, CellRun>();
  readonly #shown: ShownOutputs;
  readonly #onGone: () => void;
  #isRestarting = false;

  private constructor(address: string, link: KeeperLink, shown: ShownOutputs, onGone: () => void) {
    this.address = address;
    this.#link = link;
    this.#shown = shown;
    this.#onGone = onGone;
  }

  /**
   * @returns the kernel, and what an earlier window has left running on it.
   * @throws Error when its keeper is not there.
   */
  static async open(address: string, shown: ShownOutputs, onGone: () => void): Promise<{ readonly kernel: NotebookKernel; readonly left: readonly Snapshot[] }> {
    const early: ((kernel: NotebookKernel) => void)[] = [];
    const opened: { kernel?: NotebookKernel } = {};
    const later = (act: (kernel: NotebookKernel) => void) => void (opened.kernel === undefined ? early.push(act) : act(opened.kernel));
    const { link, executions } = await KeeperLink.open(address, {
      onMessage: (message) => later((kernel) => kernel.#hear(message)),
      onGone: () => later((kernel) => kernel.#gone()),
    });
    const kernel = new NotebookKernel(address, link, shown, onGone);
    opened.kernel = kernel;
    for (const act of early) act(kernel);
    return { kernel, left: executions };
  }

  get isDead(): boolean {
    return this.#link.status === "dead";
  }

  /** Runs the cell; resolves when it has ended. The run is started already. */
  async run(run: CellRun, armed: ArmedRun | null): Promise<ExecutionOutcome> {
    if (armed !== null) await this.#link.arm(armed);
    const executionId = randomUUID();
    this.#runs.set(executionId, run);
    const { document } = run.cell;
    this.#link.execute(executionId, { code: document.getText(), cellId: document.uri.toString(), mark: markOf(run.cell) });
    if (this.isDead) this.#gone();
    return run.ended;
  }

  /** Takes up an execution that an earlier window has begun. */
  resume(run: CellRun, snapshot: Snapshot): void {
    run.restore(snapshot);
    if (snapshot.outcome !== null) return this.#end(run, snapshot.outcome);
    this.#runs.set(snapshot.executionId, run);
    if (snapshot.question !== null) void this.#ask(snapshot.executionId, snapshot.question);
  }

  interrupt(): Promise<void> {
    return this.#link.interrupt();
  }

  async restart(): Promise<void> {
    this.#isRestarting = true;
    try {
      await this.#link.restart();
      this.#shown.clear();
    } finally {
      this.#isRestarting = false;
    }
  }

  end(): void {
    this.#link.end();
  }

  leave(): void {
    this.#link.leave();
  }

  #hear(message: Exclude<ToWindow, { type: "welcome" | "reply" }>): void {
    if (message.type === "status") return;
    const run = this.#runs.get(message.executionId);
    if (run === undefined) return;
    switch (message.type) {
      case "started":
        return run.numbered(message.executionCount);
      case "outputs":
        return run.apply(message.changes);
      case "question":
        return void this.#ask(message.executionId, message.question);
      case "ended":
        this.#runs.delete(message.executionId);
        return this.#end(run, message.outcome);
    }
  }

  #end(run: CellRun, outcome: ExecutionOutcome): void {
    if (outcome !== "lost") return run.end(outcome);
    if (this.#isRestarting) run.fail("Kernel", "The kernel was restarted while this cell ran.");
    else if (isLeft(run.job)) run.fail("Kernel", `${DIED} Its job goes on on the cluster: run the cells again that this one needs, then Go On with the Job.`);
    else run.fail("Kernel", `${DIED} Run the cell again: that starts a new one.`);
  }

  async #ask(executionId: string, { inputId, prompt, isPassword }: Extract<ToWindow, { type: "question" }>["question"]): Promise<void> {
    const text = await vscode.window.showInputBox({ prompt: prompt || "The cell asks for a line of text", password: isPassword, ignoreFocusOut: true });
    if (text !== undefined) return this.#link.answer(executionId, inputId, text);
    await this.interrupt().catch(() => undefined);
  }

  #gone(): void {
    for (const run of this.#runs.values()) this.#end(run, "lost");
    this.#runs.clear();
    this.#onGone();
  }
}
