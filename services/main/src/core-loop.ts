/**
 * Owner of the core's state and of its clock: one event in, commands out, nodes shared out once per turn, deadlines met
 * when they are due. Decides nothing, and carries out nothing.
 */
import type { NodeToMain, Of } from "@burla/protocol";
import { AwakeClock } from "./awake-clock.ts";
import type { Command, Event } from "./core/events.ts";
import type { CoreState } from "./core/state.ts";
import { createState, settle, step } from "./core/step.ts";

/** The batch of results that an event carries, for the command that keeps it. */
export type Carried = { message: Of<NodeToMain, "nodeResults">; body: Uint8Array } | null;

export interface CoreLoopOptions {
  /** Carries out a command; `carried` is what came with the event that led to it. */
  readonly execute: (command: Command, carried: Carried) => void;
  /** The commands of an event have been carried out. */
  readonly onEvent: (event: Event) => void;
  /** All that a turn has led to has been carried out. */
  readonly onSettled: () => void;
}

export class CoreLoop {
  readonly #clock = new AwakeClock();
  /** Only read elsewhere. */
  readonly state: CoreState = createState();
  readonly #options: CoreLoopOptions;
  #isSettling = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;

  constructor(options: CoreLoopOptions) {
    this.#options = options;
  }

  /** Feeds one event to the core, and has done what it says. */
  handle(event: Event, carried: Carried = null): void {
    this.apply(event, carried);
    this.#options.onEvent(event);
    this.settleSoon();
  }

  /** The same, for who sees to the rest. */
  apply(event: Event, carried: Carried = null): void {
    for (const command of step(this.state, event, this.#clock.nowMs())) this.#options.execute(command, carried);
  }

  /** Nodes are shared out once per turn: a job's first inputs arrive together with the job. */
  settleSoon(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    queueMicrotask(() => {
      this.#isSettling = false;
      for (const command of settle(this.state)) this.#options.execute(command, null);
      this.#options.onSettled();
      this.#armTimer();
    });
  }

  /** By the core's clock. */
  get nowMs(): number {
    return this.#clock.nowMs();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#clock.close();
  }

  #armTimer(): void {
    const nextMs = this.state.deadlines.nextMs() ?? Infinity;
    if (nextMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = nextMs;
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Infinity;
      this.handle({ type: "tick" });
      this.#armTimer();
    }, Math.max(0, nextMs - this.#clock.nowMs()) + 1);
  }
}

