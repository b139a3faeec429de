/** One execution of a session: what was asked, and the events that answer. It begins once at most, and ends once. */
import { EventQueue } from "../event-queue.ts";
import type { ArmedRun, ExecuteOptions, ExecutionOutcome, KernelEvent } from "../kernel.ts";

export class Execution {
  readonly code: string;
  readonly options: ExecuteOptions;
  readonly armed: ArmedRun | null;
  readonly events = new EventQueue();
  /** Null for a silent one. */
  executionCount: number | null = null;
  /** Resolves with the end. */
  readonly over: Promise<void>;
  #isOver = false;
  #settle: () => void = () => undefined;

  constructor(code: string, options: ExecuteOptions, armed: ArmedRun | null) {
    this.code = code;
    this.options = options;
    this.armed = armed;
    this.over = new Promise((resolve) => (this.#settle = resolve));
  }

  get isSilent(): boolean {
    return this.options.silent === true;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  begin(executionCount: number): void {
    if (this.isSilent) return;
    this.executionCount = executionCount;
    this.say({ type: "started", executionCount });
  }

  /** A silent execution shows nothing but its end, and questions, which it would wait for. */
  say(event: KernelEvent): void {
    if (!this.isSilent || event.type === "input") this.events.push(event);
  }

  end(outcome: ExecutionOutcome): void {
    this.#isOver = true;
    this.events.push({ type: "ended", outcome });
    this.#settle();
  }
}
