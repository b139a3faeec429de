/** The execution that runs, and how it is ended from outside. */

import { setTimeout as pause } from "node:timers/promises";

/** Confirming that a job is cancelled may take as long; a cluster that does not answer is not waited for. */
const CLEAN_UP_TIMEOUT_MS = 5_000;

/** What an interrupted cell ends with. */
export class Interrupted extends Error {
  override name = "Interrupted";
  constructor() {
    super("the cell was interrupted");
    this.stack = "Interrupted: the cell was interrupted";
  }
}

export class CurrentExecution {
  readonly cellId: string | null;
  readonly allowInput: boolean;
  readonly #cleanUpTimeoutMs: number;
  readonly #abort = new AbortController();
  readonly #interrupted: Promise<never>;
  readonly #listeners: (() => void)[] = [];
  #cleanUp: Promise<unknown> = Promise.resolve();
  #reject: (error: Error) => void = () => undefined;

  constructor(cellId: string | null, allowInput: boolean, cleanUpTimeoutMs = CLEAN_UP_TIMEOUT_MS) {
    this.cellId = cellId;
    this.allowInput = allowInput;
    this.#cleanUpTimeoutMs = cleanUpTimeoutMs;
    this.#interrupted = new Promise((_resolve, reject) => (this.#reject = reject));
    this.#interrupted.catch(() => undefined);
  }

  /** Aborts when the execution is interrupted. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The code's promise, or a rejection when it is interrupted, whatever the code still does, or fails with for that. */
  race<Value>(work: Promise<Value>): Promise<Value> {
    const unlessInterrupted = work.catch((error: unknown) => (this.signal.aborted ? this.#interrupted : Promise.reject(error as Error)));
    return Promise.race([unlessInterrupted, this.#interrupted]);
  }

  /** When it is interrupted, the execution does not end before this has settled, or taken too long. */
  holdFor(cleanUp: Promise<unknown>): void {
    this.#cleanUp = Promise.allSettled([this.#cleanUp, cleanUp]);
  }

  /** Called when an interrupt ends it, after the clean-up, and before anybody hears of the end. */
  onInterrupted(listener: () => void): void {
    this.#listeners.push(listener);
  }

  interrupt(): void {
    this.#abort.abort(new Interrupted());
    void this.#cleanedUp().then(() => {
      for (const listener of this.#listeners.splice(0)) listener();
      this.#reject(new Interrupted());
    });
  }

  async #cleanedUp(): Promise<void> {
    const timer = new AbortController();
    await Promise.race([this.#cleanUp, pause(this.#cleanUpTimeoutMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
  }
}
