/** A job's entries as async generators: what a user iterates. */
import { BurlaError } from "@burla/protocol";
import type { Job } from "./job.ts";
import type { Entry, RemoteResults, Settled } from "./types.ts";

export interface StreamOptions {
  readonly onError: "throw" | "continue";
  readonly detach: boolean;
  readonly signal: AbortSignal | undefined;
  /** Results of so many inputs are passed over. */
  readonly skip: number;
  /** Called once, when nothing more will come. */
  readonly onOver: () => void;
}

/**
 * Starts the job at the first use, so that a call that nobody reads costs nothing, and so that the first use can say
 * whether failures shall end it.
 */
export type StartJob<Result> = (onError: "throw" | "continue") => Job<Result>;

type Fulfilled<Result> = Extract<Settled<Result>, { status: "fulfilled" }>;

const DONE = { done: true, value: undefined } as const;

export class ResultStream<Result> implements RemoteResults<Result> {
  readonly jobId: string;
  readonly #start: StartJob<Result>;
  readonly #options: StreamOptions;
  readonly #failures: unknown[] = [];
  #job: Job<Result> | undefined;
  /** Requests are served one after the other, as a generator does. */
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** A failure that was taken from the job and not yet given to anybody. */
  #ahead: Settled<Result> | undefined;
  #over = false;
  #skip: number;
  readonly #onAbort = () => void this.#cancel("aborted by its signal", this.#options.signal?.reason);

  constructor(jobId: string, start: StartJob<Result>, options: StreamOptions) {
    this.jobId = jobId;
    this.#start = start;
    this.#options = options;
    this.#skip = options.skip;
  }

  /** Starts the job now instead of at the first use. */
  begin(onError = this.#options.onError): Job<Result> {
    if (this.#job !== undefined) return this.#job;
    this.#job = this.#start(onError);
    const { signal } = this.#options;
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
    return this.#job;
  }

  get uploaded(): Promise<void> {
    return this.begin().uploaded;
  }

  next(): Promise<IteratorResult<Result, void>> {
    const entry = this.#takeReady();
    if (entry?.status === "fulfilled") return Promise.resolve({ done: false, value: entry.value });
    return this.#request(() => this.#nextValue());
  }

  async return(): Promise<IteratorResult<Result, void>> {
    await this.#finishEarly();
    return DONE;
  }

  async throw(error: unknown): Promise<IteratorResult<Result, void>> {
    await this.#finishEarly();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#finishEarly();
  }

  async toArray(): Promise<Result[]> {
    const values: Result[] = [];
    for (;;) {
      const entry = this.#takeReady() ?? (await this.#request(() => this.#nextEntry())).value;
      if (entry === undefined) return values;
      // An array with gaps would become a hash table, which takes ten times as long to fill.
      while (values.length < entry.index) values.push(undefined as Result);
      values[entry.index] = entry.value;
    }
  }

  entries(): AsyncGenerator<Entry<Result>, void, undefined> {
    return new View(this, async () => (await this.#nextEntry()).value ?? undefined);
  }

  settled(): AsyncGenerator<Settled<Result>, void, undefined> {
    return new View(this, () => this.#nextSettled("continue"));
  }

  async cancel(): Promise<void> {
    this.begin();
    await this.#cancel("cancelled by its client", new BurlaError("BURLA_CANCELLED", "the job was cancelled"));
  }

  /** Serves one request after those before it. */
  request<Value extends object>(serve: () => Promise<Value | undefined>): Promise<IteratorResult<Value, void>> {
    return this.#request<Value>(async () => {
      const value = await serve();
      return value === undefined ? DONE : { done: false, value };
    });
  }

  async finishEarly(): Promise<void> {
    await this.#finishEarly();
  }

  /**
   * A result that is here already, when nobody is waiting: without the promises of a request, a consumer takes ten
   * times as many in a second. A failure is left for a request.
   */
  #takeReady(): Fulfilled<Result> | undefined {
    if (this.#waiting > 0 || this.#over || this.#skip > 0) return undefined;
    const entry = this.#ahead ?? this.#job?.takeReady();
    this.#ahead = entry?.status === "rejected" ? entry : undefined;
    return entry?.status === "fulfilled" ? entry : undefined;
  }

  #request<Value>(serve: () => Promise<IteratorResult<Value, void>>): Promise<IteratorResult<Value, void>> {
    if (this.#over) return Promise.resolve(DONE);
    const run = this.#waiting === 0 ? serve() : this.#tail.then(() => (this.#over ? DONE : serve()));
    this.#waiting++;
    const settle = () => void this.#waiting--;
    this.#tail = run.then(settle, settle);
    return run;
  }

  async #nextEntry(): Promise<IteratorResult<Entry<Result>, void>> {
    const entry = await this.#nextFulfilled();
    return entry === undefined ? DONE : { done: false, value: { index: entry.index, value: entry.value } };
  }

  async #nextValue(): Promise<IteratorResult<Result, void>> {
    const entry = await this.#nextFulfilled();
    return entry === undefined ? DONE : { done: false, value: entry.value };
  }

  async #nextFulfilled(): Promise<Fulfilled<Result> | undefined> {
    for (;;) {
      const entry = await this.#nextSettled();
      if (entry === undefined) return this.#throwFailures();
      if (entry.status === "fulfilled") return entry;
      if (this.#options.onError === "throw") {
        await this.#finishEarly();
        throw entry.reason;
      }
      this.#failures.push(entry.reason);
    }
  }

  #throwFailures(): undefined {
    if (this.#failures.length === 0) return undefined;
    const count = this.#failures.length;
    throw new AggregateError(this.#failures.splice(0), `${count} input${count === 1 ? "" : "s"} failed`);
  }

  async #nextSettled(onError = this.#options.onError): Promise<Settled<Result> | undefined> {
    const job = this.begin(onError);
    try {
      for (;;) {
        const entry = this.#ahead ?? job.takeReady() ?? (await job.next());
        this.#ahead = undefined;
        if (entry === undefined) this.#end(job);
        if (this.#skip === 0 || entry === undefined) return entry;
        this.#skip--;
      }
    } catch (error) {
      this.#end(job);
      throw error;
    }
  }

  async #finishEarly(): Promise<void> {
    const job = this.#job;
    if (this.#over) return;
    this.#over = true;
    if (job === undefined) return this.#options.onOver();
    if (this.#options.detach) job.abandon();
    else if (!job.isOver) await job.cancel("its results are not wanted any more", new BurlaError("BURLA_CANCELLED", "the job was cancelled"));
    this.#end(job);
  }

  async #cancel(reason: string, error: unknown): Promise<void> {
    await this.#job?.cancel(reason, error);
  }

  #end(job: Job<Result>): void {
    this.#over = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    job.leave();
    this.#options.onOver();
  }
}

/** Another way to look at the same stream. */
class View<Result, Value extends object> implements AsyncGenerator<Value, void, undefined> {
  readonly #stream: ResultStream<Result>;
  readonly #serve: () => Promise<Value | undefined>;

  constructor(stream: ResultStream<Result>, serve: () => Promise<Value | undefined>) {
    this.#stream = stream;
    this.#serve = serve;
  }

  next(): Promise<IteratorResult<Value, void>> {
    return this.#stream.request(this.#serve);
  }

  async return(): Promise<IteratorResult<Value, void>> {
    await this.#stream.finishEarly();
    return DONE;
  }

  async throw(error: unknown): Promise<IteratorResult<Value, void>> {
    await this.#stream.finishEarly();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream.finishEarly();
  }
}
