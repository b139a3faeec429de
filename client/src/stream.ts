/** A job's entries as async generators: what a user iterates. */
import { BurlaError } from "@burla/protocol";
import { whenAborted } from "./abort-watch.ts";
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

function readTwice(reader: "somebody" | "toArray"): TypeError {
  const how = reader === "toArray" ? "toArray() collects them" : "some have been read already";
  return new TypeError(`the results of this job are each given once, and ${how}: read them in one place`);
}

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
  /** The consumer has given the stream up: what it still waits for ends like a generator, without an error. */
  #givenUp = false;
  #skip: number;
  /** A reader of values has begun it, for whom its first failure is its end. */
  #endsAtFailure = false;
  /** Who reads: results that one reader has taken are not there for `toArray`, and it leaves none for others. */
  #reader: "nobody" | "somebody" | "toArray" = "nobody";
  #unwatch: () => void = () => undefined;

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
    const abort = () => void this.#cancel("aborted by its signal", signal?.reason);
    if (signal?.aborted === true) abort();
    else if (signal !== undefined) this.#unwatch = whenAborted(signal, abort);
    return this.#job;
  }

  get uploaded(): Promise<void> {
    try {
      return this.#beginOrEnd(this.#options.onError).uploaded;
    } catch (error) {
      const failed = Promise.reject(error as Error);
      // As with the job's own: whoever reads the results learns of the failure there.
      failed.catch(() => undefined);
      return failed;
    }
  }

  next(): Promise<IteratorResult<Result, void>> {
    const entry = this.#reader === "somebody" ? this.#takeReady() : undefined;
    if (entry?.status === "fulfilled") return Promise.resolve({ done: false, value: entry.value });
    return this.#request(() => this.#nextValue());
  }

  async return(value?: void | PromiseLike<void>): Promise<IteratorResult<Result, void>> {
    await this.#giveUp();
    return { done: true, value: await value };
  }

  async throw(error: unknown): Promise<IteratorResult<Result, void>> {
    await this.#giveUp();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#giveUp();
  }

  /** @throws TypeError when somebody reads the results already. */
  async toArray(): Promise<Result[]> {
    if (this.#reader !== "nobody") throw readTwice(this.#reader);
    this.#reader = "toArray";
    const isPartial = this.#skip > 0;
    const values: Result[] = [];
    const indices: number[] = [];
    for (;;) {
      const entry = this.#takeReady() ?? (await this.#serve(() => this.#nextEntry())).value;
      if (entry === undefined && this.#givenUp) throw new BurlaError("BURLA_CANCELLED", "the job was cancelled while its results were collected");
      if (entry === undefined) return isPartial ? indices.sort((a, b) => a - b).map((index) => values[index] as Result) : values;
      if (isPartial) indices.push(entry.index);
      // An array with gaps would become a hash table, which takes ten times as long to fill.
      while (values.length < entry.index) values.push(undefined as Result);
      values[entry.index] = entry.value;
    }
  }

  entries(): AsyncGenerator<Entry<Result>, void, undefined> {
    return new View(this, async () => (await this.#nextEntry()).value ?? undefined);
  }

  settled(): AsyncGenerator<Settled<Result>, void, undefined> {
    return new View(this, () => this.#nextOutcome());
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

  async giveUp(): Promise<void> {
    await this.#giveUp();
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
    if (this.#reader === "toArray" && !this.#over) return Promise.reject(readTwice(this.#reader));
    if (this.#reader === "nobody") this.#reader = "somebody";
    return this.#serve(serve);
  }

  #serve<Value>(serve: () => Promise<IteratorResult<Value, void>>): Promise<IteratorResult<Value, void>> {
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

  /** Of a job whose first failure ends it the outcomes would end early as well. */
  async #nextOutcome(): Promise<Settled<Result> | undefined> {
    if (this.#endsAtFailure) throw new TypeError('settled: the job was begun by another reader, so that its first failure ends it; read settled() alone, or pass { onError: "continue" }');
    return this.#nextSettled("continue");
  }

  async #nextSettled(onError = this.#options.onError): Promise<Settled<Result> | undefined> {
    const job = this.#beginOrEnd(onError);
    try {
      for (;;) {
        const entry = this.#ahead ?? job.takeReady() ?? (await job.next());
        this.#ahead = undefined;
        if (entry === undefined) this.#end(job);
        if (this.#skip === 0 || entry === undefined) return entry;
        this.#skip--;
      }
    } catch (error) {
      const isWanted = !this.#givenUp;
      this.#end(job);
      if (isWanted) throw error;
      return undefined;
    }
  }

  /** Inputs that cannot be begun to be read are not tried again. */
  #beginOrEnd(onError: "throw" | "continue"): Job<Result> {
    if (this.#job === undefined) this.#endsAtFailure = onError === "throw" && !this.#options.detach;
    try {
      return this.begin(onError);
    } catch (error) {
      this.#over = true;
      this.#options.onOver();
      throw error;
    }
  }

  /** The consumer wants no more. */
  async #giveUp(): Promise<void> {
    this.#givenUp = true;
    if (this.#reader === "nobody") this.#reader = "somebody";
    await this.#finishEarly();
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
    this.#unwatch();
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

  async return(value?: void | PromiseLike<void>): Promise<IteratorResult<Value, void>> {
    await this.#stream.giveUp();
    return { done: true, value: await value };
  }

  async throw(error: unknown): Promise<IteratorResult<Value, void>> {
    await this.#stream.giveUp();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream.giveUp();
  }
}
