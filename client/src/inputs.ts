/** Pulls any iterable and cuts chunks, as far as the cluster gives credit. */
import { types } from "node:util";
import { BurlaError, encodeValues, findUncloneable, kept, MAX_FRAME_BYTES, TARGET_CHUNK_BYTES, withRefusals } from "@burla/protocol";
import type { Inputs } from "./types.ts";

/** Other work of this process gets a turn this often. */
const YIELD_MS = 10;
/** Inputs that turn out to be larger together are sent in parts: a chunk is kept, sent and loaded as a whole on each hop. */
const MAX_SHARED_BYTES = 16 * TARGET_CHUNK_BYTES;
/** The clock is looked at after so many inputs at most: a look costs as much as pulling an input from an array. */
const MAX_UNTIMED_INPUTS = 32;

/** Totals since the job began, and the size that the next chunk should have. */
export interface Credit {
  readonly inputs: number;
  readonly bytes: number;
  readonly chunkInputs: number;
}

export interface ChunkToSend {
  readonly chunkId: number;
  readonly first: number;
  readonly count: number;
  readonly body: Uint8Array;
}

export interface InputPumpOptions {
  /** Takes a chunk. */
  readonly push: (chunk: ChunkToSend) => void;
  /** Told of each input that cannot be copied, and which is sent as such. */
  readonly refused: (index: number, error: BurlaError) => void;
  /** The end: so many inputs were there. */
  readonly end: (total: number) => void;
  /** Runs what is the iterable's own where its owner's code belongs: in the async context of the call. */
  readonly inContext: InContext;
}

export type InContext = <Value>(run: () => Value) => Value;

/**
 * Promises among the inputs of an array run already, and may fail before their turn comes, which Node would take for a
 * failure that nobody handles. It is thrown where the results are read.
 */
export function expectFailures(inputs: Inputs<unknown>): void {
  if (!Array.isArray(inputs)) return;
  for (const input of inputs as unknown[]) if (types.isPromise(input)) input.catch(() => undefined);
}

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

export class InputPump {
  readonly #options: InputPumpOptions;
  readonly #iterator: AnyIterator;
  readonly #isAsync: boolean;
  /** A generator runs on before its inputs are sent. What is in an array is there as it is. */
  readonly #mayReuse: boolean;
  #credit: Credit = { inputs: 0, bytes: 0, chunkInputs: 1 };
  #wake: (() => void) | undefined;
  #values: unknown[] = [];
  #pulled = 0;
  #sent = 0;
  #sentBytes = 0;
  #chunks = 0;
  #meanBytes = 0;
  /** Of the values that wait: the part of their size that is known without a look inside. */
  #visibleBytes = 0;
  #stopped = false;
  /** It has ended by itself, or was told that no more is wanted. */
  #isClosed = false;
  /** The iterable's own code is running just now, and may have stopped this pump. */
  #isInside = false;

  constructor(inputs: Inputs<unknown>, options: InputPumpOptions) {
    this.#options = options;
    this.#mayReuse = !Array.isArray(inputs);
    this.#isAsync = typeof (inputs as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function";
    this.#iterator = options.inContext(() => this.#open(inputs));
  }

  #open(inputs: Inputs<unknown>): AnyIterator {
    const iterable = inputs as { [Symbol.asyncIterator]?: () => AsyncIterator<unknown>; [Symbol.iterator]?: () => Iterator<unknown> };
    const iterator: unknown = this.#isAsync ? iterable[Symbol.asyncIterator]?.() : iterable[Symbol.iterator]?.();
    if (typeof (iterator as Partial<AnyIterator> | undefined)?.next === "function") return iterator as AnyIterator;
    throw new TypeError(`the inputs gave ${String(iterator)} where an iterable must give an iterator`);
  }

  /** Inputs that were pushed. */
  get sent(): number {
    return this.#sent;
  }

  allow(credit: Credit): void {
    this.#credit = credit;
    this.#wake?.();
  }

  /** Pulls no more, and lets the iterable clean up. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#wake?.();
    if (!this.#isInside) void this.#close();
  }

  /**
   * Runs until the inputs end or `stop` is called.
   * @throws what the iterable throws.
   */
  run(): Promise<void> {
    return this.#options.inContext(() => this.#pull());
  }

  async #pull(): Promise<void> {
    let yieldedMs = performance.now();
    let untimed = 0;
    while (!this.#stopped) {
      if (!this.#hasRoom()) {
        this.#cut();
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
        continue;
      }
      const next = this.#next();
      const result = isPromise(next) ? await this.#patiently(next, true) : (next as IteratorResult<unknown>);
      if (result?.done === true) this.#isClosed = true;
      if (this.#stopped) return this.#close();
      if (typeof result !== "object" || result === null) throw this.#ended(new TypeError(`the inputs gave ${String(result)} where an iterator must give an object`));
      if (result.done === true) return this.#finish();
      const { value } = result;
      this.#add(!this.#isAsync && isPromise(value) ? await this.#patiently(value, false) : value);
      if (--untimed > 0) continue;
      const busyMs = performance.now() - yieldedMs;
      untimed = busyMs < YIELD_MS / 2 ? MAX_UNTIMED_INPUTS : 0;
      if (busyMs > YIELD_MS) {
        await new Promise((resolve) => setImmediate(resolve));
        yieldedMs = performance.now();
      }
    }
  }

  /** @throws what the iterable throws, which is its end. */
  #next(): Promise<IteratorResult<unknown>> | IteratorResult<unknown> {
    this.#isInside = true;
    try {
      return this.#iterator.next();
    } catch (error) {
      throw this.#ended(error);
    } finally {
      this.#isInside = false;
    }
  }

  /** An iterator that has thrown is over: it is not asked to clean up. */
  #ended<Reason>(error: Reason): Reason {
    this.#isClosed = true;
    return error;
  }

  /** Once. Whatever the iterable throws while it cleans up concerns nobody any more. */
  async #close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      await this.#options.inContext(() => this.#iterator.return?.());
    } catch {
      // The job has ended for another reason, which is the one to tell.
    }
  }

  #hasRoom(): boolean {
    return this.#pulled < this.#credit.inputs && this.#sentBytes + this.#values.length * this.#meanBytes < this.#credit.bytes;
  }

  /**
   * Waits for a slow iterable, after sending what it has given so far.
   * @param isStep whether it is a step of the iterator that is waited for, or a value that it has given.
   */
  async #patiently<Value>(next: PromiseLike<Value>, isStep: boolean): Promise<Value> {
    const given = isStep ? next.then(undefined, (error: unknown) => Promise.reject(this.#ended(error) as Error)) : next;
    if (this.#values.length === 0) return given;
    const timer = setImmediate(() => this.#cut());
    try {
      return await given;
    } finally {
      clearImmediate(timer);
    }
  }

  #add(value: unknown): void {
    this.#values.push(value);
    this.#pulled++;
    this.#visibleBytes += visibleBytes(value);
    const wanted = Math.min(this.#credit.chunkInputs, Math.max(1, TARGET_CHUNK_BYTES / Math.max(1, this.#meanBytes)));
    if (this.#values.length >= wanted || this.#visibleBytes >= TARGET_CHUNK_BYTES) this.#cut();
    else if (this.#mayReuse) this.#values[this.#values.length - 1] = kept(value);
  }

  /** Sends what has been pulled, as one chunk unless it turns out to be large. */
  #cut(): void {
    const values = this.#values;
    if (values.length === 0 || this.#stopped) return;
    this.#values = [];
    this.#visibleBytes = 0;
    this.#send(values);
  }

  #send(values: unknown[]): void {
    const body = this.#encode(values);
    if (body === null || (body.byteLength > MAX_SHARED_BYTES && values.length > 1)) {
      const half = values.length >> 1;
      this.#send(values.slice(0, half));
      return this.#send(values.slice(half));
    }
    this.#meanBytes = body.byteLength / values.length;
    const chunk = { chunkId: this.#chunks++, first: this.#sent, count: values.length, body };
    this.#sent += values.length;
    this.#sentBytes += body.byteLength;
    this.#options.push(chunk);
  }

  /** @returns null when they cannot be written together. */
  #encode(values: unknown[]): Uint8Array | null {
    let body: Uint8Array;
    try {
      body = encodeValues(values);
    } catch {
      return this.#encodeRest(values);
    }
    if (values.length > 1 || body.byteLength < MAX_FRAME_BYTES - 1024) return body;
    return this.#refuseAlone(new BurlaError("BURLA_TOO_LARGE", `inputs[${this.#sent}] has ${body.byteLength} bytes, over the limit of ${MAX_FRAME_BYTES}`));
  }

  /**
   * With the refusals of those that cannot be copied.
   * @returns null when the others cannot be written, although each can by itself: V8 cannot write so much, or a getter throws now and then.
   */
  #encodeRest(values: unknown[]): Uint8Array | null {
    const refusals = new Map<number, BurlaError>();
    for (const [offset, value] of values.entries()) {
      try {
        encodeValues([value]);
      } catch (cause) {
        refusals.set(offset, uncloneable(`inputs[${this.#sent + offset}]`, value, cause));
      }
    }
    try {
      return this.#withRefusals(encodeValues(values.map((value, offset) => (refusals.has(offset) ? undefined : value))), refusals);
    } catch (again) {
      if (values.length > 1) return null;
      return this.#refuseAlone(uncloneable(`inputs[${this.#sent}]`, values[0], again));
    }
  }

  #refuseAlone(error: BurlaError): Uint8Array {
    return this.#withRefusals(encodeValues([undefined]), new Map([[0, error]]));
  }

  #withRefusals(body: Uint8Array, refusals: ReadonlyMap<number, BurlaError>): Uint8Array {
    for (const [offset, error] of refusals) this.#options.refused(this.#sent + offset, Object.assign(error, { inputIndex: this.#sent + offset }));
    return withRefusals(body, refusals);
  }

  #finish(): void {
    this.#cut();
    this.#stopped = true;
    this.#options.end(this.#sent);
  }
}

function uncloneable(name: string, value: unknown, cause: unknown): BurlaError {
  const found = findUncloneable(value);
  const what = found === null ? `${name} cannot` : `${name}${found.path} is ${found.what}, which cannot`;
  return new BurlaError("BURLA_INPUT", `${what} be sent to the cluster`, { cause });
}

function visibleBytes(value: unknown): number {
  if (typeof value === "string") return value.length;
  return ArrayBuffer.isView(value) || types.isArrayBuffer(value) ? value.byteLength : 0;
}

/** An object that does not let itself be asked is none: it is refused, by its index, when it is sent. */
function isPromise(value: unknown): value is PromiseLike<IteratorResult<unknown>> {
  try {
    return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
  } catch {
    return false;
  }
}
