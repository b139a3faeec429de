/**
 * Looks after one execution that was sent, so that it ends whatever is lost. A request that reaches a kernel which is just
 * ending, or an answer that is on a line when it breaks, is gone without a sign; a line may be dead and look open. So when
 * nothing is heard for a while, something is done: less and less often, since code may be quiet for hours.
 */
import { setTimeout as pause } from "node:timers/promises";

/** What the server says of the kernel. */
export type KernelState = "busy" | "free" | "gone" | "unreachable" | "unknown";

export interface Silence {
  readonly isConnected: boolean;
  readonly state: KernelState;
  /** A question on this line waits for its answer since the last look. */
  readonly isAsked: boolean;
  /** How often in succession the server was not reached. */
  readonly misses: number;
}

/** `bury`: the kernel is no more. */
export type Step = "wait" | "ask" | "reconnect" | "bury";

export function stepFor({ isConnected, state, isAsked, misses }: Silence): Step {
  // Who keeps the line mends it, or gives it up.
  if (!isConnected) return "wait";
  if (state === "gone") return "bury";
  // One request may be late on a busy machine.
  if (state === "unreachable") return misses > 1 ? "reconnect" : "wait";
  // What nothing keeps from answering never got the question.
  if (state === "free" && isAsked) return "reconnect";
  return "ask";
}

/** The way to the kernel, as far as it matters here. */
export interface Watched {
  isConnected(): boolean;
  look(): Promise<KernelState>;
  /** Resolves with true when the kernel has answered: it has also answered all that was asked before, heard or not. */
  ask(): Promise<boolean>;
  reconnect(): void;
  bury(): void;
  /** The execution was answered, and the answer is lost. */
  lose(): void;
}

const FIRST_LOOK_MS = 5_000;
const LAST_LOOK_MS = 300_000;
/** Outputs and replies come on two channels: after a reply, the last output has this long to follow. */
const SETTLE_MS = 1_000;

export class Watch {
  readonly #way: Watched;
  #timer: NodeJS.Timeout | undefined;
  #lookMs = FIRST_LOOK_MS;
  #isSilent = true;
  #isAsked = false;
  #misses = 0;
  #isOver = false;

  constructor(way: Watched) {
    this.#way = way;
    this.#wait();
  }

  /** A message of this execution has come. */
  hear(): void {
    this.#isSilent = false;
  }

  /** The line is there again. The server replays what came meanwhile; what was on its way when it broke may be gone. */
  hearLine(): void {
    this.#lookMs = FIRST_LOOK_MS;
    void this.#ask();
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    if (!this.#isOver) this.#timer = setTimeout(() => void this.#look(), this.#lookMs).unref();
  }

  async #look(): Promise<void> {
    const isSilent = this.#isSilent;
    this.#isSilent = true;
    this.#lookMs = isSilent ? Math.min(2 * this.#lookMs, LAST_LOOK_MS) : FIRST_LOOK_MS;
    if (isSilent) this.#take(stepFor(await this.#silence()));
    this.#wait();
  }

  async #silence(): Promise<Silence> {
    if (!this.#way.isConnected()) return { isConnected: false, state: "unknown", isAsked: false, misses: 0 };
    const isAsked = this.#isAsked;
    const state = await this.#way.look();
    this.#misses = state === "unreachable" ? this.#misses + 1 : 0;
    return { isConnected: this.#way.isConnected(), state, isAsked: isAsked && this.#isAsked, misses: this.#misses };
  }

  #take(step: Step): void {
    if (this.#isOver || step === "wait") return;
    if (step === "ask") return void this.#ask();
    this.#misses = 0;
    this.#isAsked = false;
    this.#way[step]();
  }

  async #ask(): Promise<void> {
    this.#isAsked = true;
    if (!(await this.#way.ask())) return;
    await pause(SETTLE_MS);
    if (!this.#isOver) this.#way.lose();
  }
}
