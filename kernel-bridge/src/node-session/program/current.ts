/** The execution that runs, and how it is ended from outside. */

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
  readonly #abort = new AbortController();
  readonly #interrupted: Promise<never>;
  /** A job is being cancelled: the end waits for it. */
  #cleanUp: Promise<unknown> = Promise.resolve();
  #reject: (error: Error) => void = () => undefined;

  constructor(cellId: string | null, allowInput: boolean) {
    this.cellId = cellId;
    this.allowInput = allowInput;
    this.#interrupted = new Promise((_resolve, reject) => (this.#reject = reject));
    this.#interrupted.catch(() => undefined);
  }

  /** Aborts when the execution is interrupted. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The code's promise, or a rejection when it is interrupted, whatever the code still does. */
  race<Value>(work: Promise<Value>): Promise<Value> {
    work.catch(() => undefined);
    return Promise.race([work, this.#interrupted]);
  }

  /** The execution does not end before this has settled. */
  holdFor(cleanUp: Promise<unknown>): void {
    this.#cleanUp = Promise.allSettled([this.#cleanUp, cleanUp]);
  }

  interrupt(): void {
    this.#abort.abort(new Interrupted());
    void this.#cleanUp.then(
      () => this.#reject(new Interrupted()),
      () => this.#reject(new Interrupted()),
    );
  }
}
