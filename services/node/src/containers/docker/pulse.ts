/**
 * Whether an engine that has taken requests still lives. How long it takes to answer says nothing: the end of a
 * container is waited for as long as that runs. One that stands still takes requests and answers none.
 */

/** Misses in a row, so that a busy machine is not taken for an engine that stands still. */
const MAX_MISSES = 2;

type Fail = (error: Error) => void;

export class Pulse {
  readonly #isAlive: () => Promise<boolean>;
  readonly #beatMs: number;
  readonly #waiting = new Set<Fail>();
  #timer: NodeJS.Timeout | undefined;
  #misses = 0;

  /** @param isAlive asks it something that it answers at once; must resolve. */
  constructor(isAlive: () => Promise<boolean>, beatMs: number) {
    this.#isAlive = isAlive;
    this.#beatMs = beatMs;
  }

  /** As the request; it is not waited for any longer when the engine stands still. @throws Error with the code ETIMEDOUT then. */
  async watch<Result>(request: Promise<Result>): Promise<Result> {
    let fail: Fail = () => undefined;
    const still = new Promise<never>((_, reject) => (fail = reject));
    this.#waiting.add(fail);
    this.#timer ??= this.#next();
    try {
      return await Promise.race([request, still]);
    } finally {
      this.#waiting.delete(fail);
      if (this.#waiting.size === 0) this.#rest();
    }
  }

  #next(): NodeJS.Timeout {
    return setTimeout(() => void this.#beat(), this.#beatMs).unref();
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#misses = 0;
  }

  async #beat(): Promise<void> {
    const timer = this.#timer;
    this.#misses = (await this.#isAlive()) ? 0 : this.#misses + 1;
    // All were answered meanwhile, and others may have come.
    if (this.#timer !== timer) return;
    if (this.#misses < MAX_MISSES) {
      this.#timer = this.#next();
      return;
    }
    this.#rest();
    for (const fail of this.#waiting) fail(Object.assign(new Error("it stands still"), { code: "ETIMEDOUT" }));
  }
}
