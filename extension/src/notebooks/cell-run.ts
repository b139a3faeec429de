/** One execution of a cell in the editor: what the kernel tells of it becomes outputs, a number and an end. */
import * as vscode from "vscode";
import type { ExecutionOutcome } from "@burla/kernel-bridge";
import type { Change, Snapshot } from "../keeper/messages.ts";
import { CELL_VIEW_MIME, type CellView } from "@burla/kernel-bridge/cell-view";
import type { Question } from "../clusters/questions.ts";
import { cellItems, cellOutput, errorItem, questionOutput, streamItem } from "./cell-outputs.ts";
import { readView } from "./cell-view.ts";

/** Outputs that the cells of a notebook show, by the ids that its kernel's keeper gave them. */
export type ShownOutputs = Map<number, vscode.NotebookCellOutput>;

export class CellRun {
  readonly #execution: vscode.NotebookCellExecution;
  readonly #shown: ShownOutputs;
  /** What shows the job that is taken up again: it stays when that goes wrong before the job is shown anew. */
  readonly #left: vscode.NotebookCellOutput | null;
  readonly #ids = new Set<number>();
  #isStarted = false;
  #isOver = false;
  #job: unknown;
  #asked: vscode.NotebookCellOutput | null = null;
  #settle: (outcome: ExecutionOutcome) => void = () => undefined;
  /** Resolves at the end, however it comes. */
  readonly ended: Promise<ExecutionOutcome>;

  constructor(execution: vscode.NotebookCellExecution, shown: ShownOutputs, left: vscode.NotebookCellOutput | null = null) {
    this.#execution = execution;
    this.#shown = shown;
    this.#left = left;
    this.ended = new Promise((resolve) => (this.#settle = resolve));
  }

  get cell(): vscode.NotebookCell {
    return this.#execution.cell;
  }

  /** What it shows of its job, as told by the kernel: the editor's own outputs follow later. */
  get job(): CellView | null {
    return readView(this.#job);
  }

  /** Cancelled when the cell is removed. */
  get token(): vscode.CancellationToken {
    return this.#execution.token;
  }

  start(startedAtMs = Date.now()): void {
    this.#isStarted = true;
    this.#act(() => {
      this.#execution.executionOrder = undefined;
      this.#execution.start(startedAtMs);
      void this.#execution.clearOutput();
    });
  }

  /** Goes on where an earlier window has left it. */
  restore({ startedAtMs, executionCount, outputs }: Snapshot): void {
    this.start(startedAtMs);
    if (executionCount !== null) this.numbered(executionCount);
    this.apply(outputs.map(({ id, output }) => ({ op: "append", id, output })));
  }

  numbered(executionCount: number): void {
    this.#act(() => (this.#execution.executionOrder = executionCount));
  }

  apply(changes: readonly Change[]): void {
    for (const change of changes) this.#act(() => this.#applyOne(change));
  }

  /** Shows what the cell waits for the user to say, with the answers as buttons; null takes it away. */
  ask(question: Question | null): void {
    const shown = this.#asked;
    this.#asked = null;
    if (question !== null) {
      const output = questionOutput(question);
      this.#asked = output;
      this.#act(() => this.#execution.appendOutput(output));
    } else if (shown !== null) {
      this.#act(() => this.#execution.clearOutput());
    }
  }

  /** Shows why nothing more comes, and ends. */
  fail(name: string, message: string): void {
    if (!this.#isStarted) this.start();
    this.#act(() => this.#execution.appendOutput(new vscode.NotebookCellOutput([errorItem(name, message)], { outputType: "error", originalError: { output_type: "error", ename: name, evalue: message, traceback: [] } })));
    this.end("error");
  }

  end(outcome: ExecutionOutcome): void {
    if (this.#isOver) return;
    const left = this.#left;
    if (outcome !== "ok" && this.#isStarted && left !== null && this.job === null) this.#act(() => this.#execution.appendOutput(new vscode.NotebookCellOutput(left.items, left.metadata)));
    this.#isOver = true;
    try {
      this.#execution.end(outcome === "aborted" ? undefined : outcome === "ok", Date.now());
    } catch {
      // The notebook is closed.
    }
    this.#settle(outcome);
  }

  #applyOne(change: Change): unknown {
    this.#note(change);
    switch (change.op) {
      case "append": {
        const output = cellOutput(change.output);
        this.#shown.set(change.id, output);
        this.#ids.add(change.id);
        return this.#execution.appendOutput(output);
      }
      case "text": {
        const output = this.#shown.get(change.id);
        const isStderr = output?.items[0]?.mime === vscode.NotebookCellOutputItem.stderr("").mime;
        return output && this.#execution.appendOutputItems(streamItem(isStderr ? "stderr" : "stdout", change.text), output);
      }
      case "replace": {
        const output = this.#shown.get(change.id);
        return output && this.#execution.replaceOutputItems(cellItems(change.output), output);
      }
      case "clear":
        for (const id of this.#ids) this.#shown.delete(id);
        this.#ids.clear();
        return this.#execution.clearOutput();
    }
  }

  #note(change: Change): void {
    if (change.op === "clear") this.#job = undefined;
    if ((change.op === "append" || change.op === "replace") && change.output.kind === "display") this.#job = change.output.data[CELL_VIEW_MIME] ?? this.#job;
  }

  /** A notebook that was closed takes nothing more: that is no error. */
  #act(act: () => unknown): void {
    if (this.#isOver) return;
    try {
      void Promise.resolve(act()).catch(() => undefined);
    } catch {
      // As above.
    }
  }
}
