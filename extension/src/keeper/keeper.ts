/**
 * Keeps one kernel: outlives the window for as long as a reload takes, runs what the window asks for, and keeps
 * the outputs of what runs, so that a window that comes back shows them and goes on.
 */
import type { KernelEvent, LiveKernel } from "@burla/kernel-bridge";
import type { KernelProblemText, Question, Snapshot, ToKeeper, ToWindow } from "./messages.ts";
import { CellOutputs, Displays } from "./outputs.ts";

/** Outputs are told in batches, so that the editor is not busy with each line. */
const FLUSH_MS = 80;

/** Whoever shows the kernel at the moment. */
export type Tell = (message: ToWindow) => void;

interface Execution {
  readonly executionId: string;
  readonly mark: string;
  readonly startedAtMs: number;
  readonly outputs: CellOutputs;
  executionCount: number | null;
  question: (Question & { readonly answer: (text: string) => void }) | null;
  outcome: Snapshot["outcome"];
}

export class Keeper {
  readonly #kernel: LiveKernel;
  readonly #spool: (text: string) => string;
  readonly #displays = new Displays();
  readonly #executions = new Map<string, Execution>();
  #tell: Tell | null = null;
  #timer: NodeJS.Timeout | undefined;
  #lastInputId = 0;

  constructor(kernel: LiveKernel, spool: (text: string) => string) {
    this.#kernel = kernel;
    this.#spool = spool;
    kernel.onStatus((status) => this.#tell?.({ type: "status", status }));
  }

  /** A window has come. It is told all that goes on, and what ended while there was none. */
  attach(tell: Tell): void {
    this.#flush();
    this.#tell = tell;
    tell({ type: "welcome", status: this.#kernel.status, executions: [...this.#executions.values()].map(snapshot) });
    for (const { executionId, outcome } of this.#executions.values()) if (outcome !== null) this.#executions.delete(executionId);
  }

  detach(tell: Tell): void {
    if (this.#tell === tell) this.#tell = null;
  }

  hear(message: Exclude<ToKeeper, { type: "hello" | "end" }>): void {
    switch (message.type) {
      case "execute":
        return void this.#execute(message);
      case "arm":
        return void this.#reply(message.requestId, () => this.#kernel.arm(message.run));
      case "interrupt":
        return void this.#reply(message.requestId, () => this.#kernel.interrupt());
      case "restart":
        return void this.#reply(message.requestId, () => this.#kernel.restart());
      case "answer":
        return this.#answer(message);
    }
  }

  async #execute({ executionId, code, cellId, mark }: Extract<ToKeeper, { type: "execute" }>): Promise<void> {
    const outputs = new CellOutputs(this.#displays, this.#spool);
    const execution: Execution = { executionId, mark, startedAtMs: Date.now(), outputs, executionCount: null, question: null, outcome: null };
    this.#executions.set(executionId, execution);
    try {
      for await (const event of this.#kernel.execute(code, { cellId, allowInput: true })) this.#on(execution, event);
    } catch (error) {
      outputs.apply({ type: "error", name: "Error", message: problemOf(error).message, traceback: [] });
    }
    // The kernel ends what it begins; this holds when it does not.
    if (execution.outcome === null) this.#end(execution, "lost");
  }

  #on(execution: Execution, event: KernelEvent): void {
    if (execution.outcome !== null) return;
    if (event.type === "started") {
      execution.executionCount = event.executionCount;
      return this.#tell?.({ type: "started", executionId: execution.executionId, executionCount: event.executionCount });
    }
    if (event.type === "ended") return this.#end(execution, event.outcome);
    if (event.type === "input") return this.#ask(execution, event);
    execution.outputs.apply(event);
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  #ask(execution: Execution, { prompt, isPassword, answer }: Extract<KernelEvent, { type: "input" }>): void {
    this.#flush();
    const inputId = ++this.#lastInputId;
    execution.question = { inputId, prompt, isPassword, answer };
    this.#tell?.({ type: "question", executionId: execution.executionId, question: { inputId, prompt, isPassword } });
  }

  #answer({ executionId, inputId, text }: Extract<ToKeeper, { type: "answer" }>): void {
    const execution = this.#executions.get(executionId);
    if (execution?.question?.inputId !== inputId) return;
    execution.question.answer(text);
    execution.question = null;
  }

  #end(execution: Execution, outcome: NonNullable<Snapshot["outcome"]>): void {
    this.#flush();
    execution.question = null;
    execution.outcome = outcome;
    if (this.#tell === null) return;
    this.#tell({ type: "ended", executionId: execution.executionId, outcome });
    this.#executions.delete(execution.executionId);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { executionId, outputs } of this.#executions.values()) {
      const changes = outputs.take();
      if (changes.length > 0) this.#tell?.({ type: "outputs", executionId, changes });
    }
  }

  async #reply(requestId: number, act: () => Promise<void>): Promise<void> {
    let problem: KernelProblemText | null = null;
    try {
      await act();
    } catch (error) {
      problem = problemOf(error);
    }
    this.#tell?.({ type: "reply", requestId, problem });
  }
}

export function problemOf(error: unknown): KernelProblemText {
  const { code, cure } = (typeof error === "object" && error !== null ? error : {}) as { code?: unknown; cure?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  return typeof code === "string" && typeof cure === "string" ? { message, code, cure } : { message, code: "", cure: "" };
}

function snapshot({ executionId, mark, executionCount, startedAtMs, outputs, question, outcome }: Execution): Snapshot {
  const asked = question === null ? null : { inputId: question.inputId, prompt: question.prompt, isPassword: question.isPassword };
  return { executionId, mark, executionCount, startedAtMs, outputs: outputs.all, question: asked, outcome };
}
