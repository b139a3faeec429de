/** The executions of one kernel: one runs, the others wait for their turn. */
import { EventQueue } from "../event-queue.ts";
import type { ExecuteOptions, KernelEvent } from "../kernel.ts";
import type { KernelMessage } from "./library.ts";
import { Transcript } from "./transcript.ts";
import type { Watch } from "./watch.ts";

/** One execution, which waits for its turn or runs. */
export interface Execution {
  readonly code: string;
  readonly isSilent: boolean;
  readonly allowsInput: boolean;
  readonly cellId: string | undefined;
  readonly transcript: Transcript;
  readonly events: EventQueue;
}

interface Running {
  /** By which its messages are known. */
  readonly id: string;
  readonly execution: Execution;
  readonly watch: Watch;
}

/** What executions need of their kernel. */
export interface ExecutionsKernel {
  /** Whether one can begin: `closed` until later, `gone` when no message will come any more. */
  readonly line: () => "open" | "closed" | "gone";
  /** @returns the id of its request. @throws when the kernel is dead, or left. */
  readonly send: (execution: Execution) => string;
  /** Watches over one that begins; `lose` is for when it will not end by itself. */
  readonly watch: (lose: () => void) => Watch;
  readonly interrupt: () => Promise<void>;
  readonly answerInput: (request: KernelMessage.IMessage, text: string) => void;
}

export class Executions {
  readonly #kernel: ExecutionsKernel;
  /**
   * What was given while another runs. The kernel has a queue of its own, but aborts also what comes just after an error
   * was told, and gives nothing back.
   */
  #waiting: Execution[] = [];
  #running: Running | undefined;

  constructor(kernel: ExecutionsKernel) {
    this.#kernel = kernel;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  add(code: string, { silent = false, allowInput = false, cellId, signal }: ExecuteOptions): AsyncIterable<KernelEvent> {
    const events = new EventQueue();
    const execution = { code, isSilent: silent, allowsInput: allowInput, cellId, transcript: new Transcript({ isSilent: silent }), events };
    if (signal?.aborted === true) return end(execution, "aborted");
    const onAbort = () => this.#abort(execution);
    signal?.addEventListener("abort", onAbort, { once: true });
    void events.closed.then(() => signal?.removeEventListener("abort", onAbort));
    this.#waiting.push(execution);
    this.next();
    return events;
  }

  /** The next begins, if there is one and it can. */
  next(): void {
    const line = this.#kernel.line();
    if (this.#running !== undefined || line === "closed") return;
    const execution = this.#waiting.shift();
    if (execution === undefined) return;
    try {
      if (line === "gone") throw new Error("the connection is closed");
      const id = this.#kernel.send(execution);
      this.#running = { id, execution, watch: this.#kernel.watch(() => this.#lose(execution)) };
    } catch {
      end(execution, "lost");
      this.next();
    }
  }

  isOfRunning({ parent_header }: KernelMessage.IMessage): boolean {
    return this.#running !== undefined && "msg_id" in parent_header && parent_header.msg_id === this.#running.id;
  }

  /** A message of the one that runs. */
  hear(message: KernelMessage.IMessage): void {
    const running = this.#running;
    if (running === undefined) return;
    running.watch.hear();
    const { transcript, events, isSilent } = running.execution;
    const answer = (text: string) => {
      if (this.#running === running) this.#kernel.answerInput(message, text);
    };
    for (const event of transcript.hear(message)) {
      events.push(event.type === "input" ? { ...event, answer } : event);
      if (event.type === "ended") this.#finish(event.outcome === "error" && !isSilent);
    }
  }

  /** The line to the kernel was away, and is back. */
  hearLine(): void {
    this.#running?.watch.hearLine();
  }

  /** None of them will be heard of again. */
  loseAll(): void {
    const lost = this.#waiting.splice(0);
    if (this.#running !== undefined) lost.unshift(this.#running.execution);
    this.#running?.watch.stop();
    this.#running = undefined;
    for (const execution of lost) end(execution, "lost");
  }

  #lose(execution: Execution): void {
    end(execution, "lost");
    this.#finish(false);
  }

  /** After an error, what was given by then is not run; what the bridge asks for itself is. */
  #finish(hasFailed: boolean): void {
    this.#running?.watch.stop();
    this.#running = undefined;
    if (hasFailed) {
      const given = this.#waiting;
      this.#waiting = given.filter(({ isSilent }) => isSilent);
      for (const execution of given) if (!execution.isSilent) end(execution, "aborted");
    }
    this.next();
  }

  #abort(execution: Execution): void {
    if (this.#running?.execution === execution) return void this.#kernel.interrupt().catch(() => undefined);
    if (!this.#waiting.includes(execution)) return;
    this.#waiting = this.#waiting.filter((other) => other !== execution);
    end(execution, "aborted");
  }
}

function end({ events }: Execution, outcome: "aborted" | "lost"): EventQueue {
  events.push({ type: "ended", outcome });
  return events;
}
