/** Batches of results -> one settled entry after the other, opened only when the consumer comes to them. */
import {
  BurlaError, decodeEnvelopes, fromEnvelope, indexAt, openValues, type ErrorEnvelope, type MainToClient, type Of, type OpenedValues,
} from "@burla/protocol";
import { IndexSet } from "./index-set.ts";
import type { Settled } from "./types.ts";

/** With this byte begins what Python has pickled; V8 begins with another. */
const PICKLE = 0x80;

type ResultsMessage = Of<MainToClient, "results">;

export interface ResultBufferOptions {
  readonly order: "completion" | "input";
  /** Inputs that were not sent, by their index: why is known here as it is. */
  readonly refusals?: Map<number, BurlaError>;
  /** The consumer has taken this batch, and all before it. */
  readonly taken: (batch: TakenBatch) => void;
}

export interface TakenBatch {
  readonly seq: number;
  /** Inputs that it answers. */
  readonly count: number;
  readonly bytes: number;
}

interface Batch {
  readonly message: ResultsMessage;
  readonly body: Uint8Array;
}

/**
 * In order of completion, batches are acknowledged when the consumer has taken them, which is what stops the cluster.
 * In order of the inputs they are acknowledged when they come: the one that the consumer waits for may be behind any
 * number of others.
 */
export class ResultBuffer<Result> {
  readonly #options: ResultBufferOptions;
  readonly #seen = new IndexSet();
  readonly #batches: Batch[] = [];
  #open: Settled<Result>[] = [];
  #openAt = 0;
  #openBatch: TakenBatch | null = null;
  readonly #early = new Map<number, Settled<Result>>();
  /** What a job that stopped early has left behind inputs without an answer; null as long as more may come. */
  #behindGap: Settled<Result>[] | null = null;
  #hasEnded = false;
  #nextIndex = 0;
  #lastSeq = 0;

  constructor(options: ResultBufferOptions) {
    this.#options = options;
  }

  /** Sequence number up to which results have arrived. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Results handed to the consumer. */
  taken = 0;

  /** Ignores what has arrived before, as after a lost connection. */
  add(message: ResultsMessage, body: Uint8Array): void {
    if (message.seq <= this.#lastSeq) return;
    this.#lastSeq = message.seq;
    this.#batches.push({ message, body });
    if (this.#options.order === "input") this.#options.taken({ seq: message.seq, count: message.count, bytes: body.byteLength });
  }

  /** No more will come. In order of the inputs, what waits for an input that was never answered is handed out now. */
  end(): void {
    this.#hasEnded = true;
  }

  /** The next entry, or undefined when none is there yet. */
  next(): Settled<Result> | undefined {
    const entry = this.#options.order === "input" ? this.#nextByIndex() : this.#nextByTime();
    if (entry !== undefined) this.taken++;
    return entry;
  }

  #nextByTime(): Settled<Result> | undefined {
    while (this.#openAt >= this.#open.length) {
      if (this.#openBatch !== null) this.#options.taken(this.#openBatch);
      this.#openBatch = null;
      if (!this.#openNext()) return undefined;
    }
    return this.#open[this.#openAt++];
  }

  #nextByIndex(): Settled<Result> | undefined {
    for (;;) {
      const ready = this.#early.get(this.#nextIndex);
      if (ready !== undefined) {
        this.#early.delete(this.#nextIndex++);
        return ready;
      }
      if (!this.#openNext()) return this.#hasEnded ? this.#nextBehindGap() : undefined;
      for (const entry of this.#open) this.#early.set(entry.index, entry);
    }
  }

  /** Failures first: one of them has stopped the job. */
  #nextBehindGap(): Settled<Result> | undefined {
    this.#behindGap ??= [...this.#early.values()].sort((a, b) => Number(a.status === "fulfilled") - Number(b.status === "fulfilled") || a.index - b.index);
    return this.#behindGap.shift();
  }

  #openNext(): boolean {
    const batch = this.#batches.shift();
    if (batch === undefined) return false;
    this.#open = this.#decode(batch);
    this.#openAt = 0;
    this.#openBatch = { seq: batch.message.seq, count: batch.message.count, bytes: batch.body.byteLength };
    return true;
  }

  #decode({ message, body }: Batch): Settled<Result>[] {
    const { values, unreadable } = open(body.subarray(0, message.valuesBytes), message.count - message.failed.length);
    const errors = message.failed.length === 0 ? [] : openErrors(body.subarray(message.valuesBytes));
    const failed = new Set(message.failed);
    const dropped = new Set(message.dropped);
    const entries: Settled<Result>[] = [];
    let [valueAt, errorAt] = [0, 0];
    for (let position = 0; position < message.count; position++) {
      const index = indexAt(message, position);
      const isFailed = failed.has(position);
      const at = isFailed ? errorAt++ : valueAt++;
      if (dropped.has(position) || !this.#seen.add(index)) continue;
      const problem = isFailed ? undefined : unreadable.get(at);
      if (isFailed) entries.push({ index, status: "rejected", reason: this.#refusal(index) ?? restore(errors[at], index) });
      else if (problem !== undefined) entries.push({ index, status: "rejected", reason: unreadableResult(problem, index) });
      else entries.push({ index, status: "fulfilled", value: values[at] as Result });
    }
    return entries;
  }

  #refusal(index: number): BurlaError | undefined {
    const refusal = this.#options.refusals?.get(index);
    this.#options.refusals?.delete(index);
    return refusal;
  }
}

/** @throws BurlaError BURLA_PYTHON for the results of a job of another language. */
function open(bytes: Uint8Array, count: number): OpenedValues {
  if (count === 0) return { values: [], unreadable: new Map() };
  if (bytes[0] !== PICKLE) return openValues(bytes, count);
  throw new BurlaError("BURLA_PYTHON", "the results of this job are values of Python", { cure: "Read them there: `burla.attach(job_id)`." });
}

/** Of bytes that are no errors each is lost by itself. */
function openErrors(bytes: Uint8Array): ErrorEnvelope[] {
  try {
    return decodeEnvelopes(bytes);
  } catch {
    return [];
  }
}

function unreadableResult(problem: string, index: number): BurlaError {
  return withIndex(new BurlaError("BURLA_RESULT", `the result of input ${index} cannot be read here: ${problem}`), index);
}

function restore(envelope: ErrorEnvelope | undefined, index: number): unknown {
  const reason = envelope === undefined ? new BurlaError("BURLA_PROTOCOL", "the error of this input was lost on the way") : fromEnvelope(envelope);
  return reason instanceof Error ? withIndex(reason, index) : reason;
}

function withIndex<Reason extends Error>(reason: Reason, index: number): Reason {
  return Object.defineProperty(reason, "inputIndex", { value: index, enumerable: true, configurable: true, writable: true });
}
