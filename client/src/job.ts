/** One job of this process: inputs out under credit, results in, taken up again when the connection was lost. */
import {
  BurlaError, decodeEnvelopes, fromEnvelope, isErrorCode, logEntriesSchema, MAX_FUNCTION_BYTES, messageOf, NO_INPUT, originOf, toldError, unpack, type JobId, type JobSpec, type MainToClient, type Of, type QueuePlace,
} from "@burla/protocol";
import * as v from "valibot";
import { stepTo, type FeedQueue } from "@burla/queue";
import { bytesText } from "./bytes-text.ts";
import type { ClusterConnection, JobChannel } from "./cluster-connection.ts";
import { ElsewhereFeed } from "./elsewhere-feed.ts";
import { InputPump, type ChunkToSend, type InContext } from "./inputs.ts";
import { ResultBuffer } from "./results.ts";
import { StreamFeed } from "./stream-feed.ts";
import type { Inputs, LogLine, Progress, Settled } from "./types.ts";

/** A captured function on its way. */
export interface PreparedFunction {
  readonly spec: JobSpec;
  readonly code: Uint8Array;
  readonly values: Uint8Array;
  /** Of values that are too many to be sent. */
  readonly largest?: { readonly name: string; readonly bytes: number } | null | undefined;
}

/** How the job begins: with a function and inputs, or as one that runs already. */
export type JobStart =
  | {
      readonly kind: "submit";
      readonly prepared: Promise<PreparedFunction>;
      readonly inputs: Inputs<unknown>;
      /** Inputs that may have been pulled and not been given back as results; Infinity for no limit of the user's. */
      readonly lookahead: number;
    }
  | { readonly kind: "attach" };

export interface JobOptions {
  readonly jobId: JobId;
  readonly start: JobStart;
  readonly order: "completion" | "input";
  readonly detach: boolean;
  /** Both may also return a promise. */
  readonly onLine: (line: LogLine) => unknown;
  readonly onProgress: (progress: Progress) => unknown;
  /** Runs what is the caller's in the async context of its call, and not in that of the connection. */
  readonly inContext: InContext;
}

/** In order of the inputs, pulling stays this far ahead of the consumer at least. */
const MIN_AHEAD_INPUTS = 64;

type Outcome = { readonly kind: "done" } | { readonly kind: "error"; readonly error: unknown };

export class Job<Result> implements JobChannel {
  readonly jobId: JobId;
  readonly #options: JobOptions;
  readonly #connection: ClusterConnection;
  readonly #results: ResultBuffer<Result>;
  readonly #pump: InputPump | undefined;
  /** Chunks that main has not said it has on disk. */
  readonly #unstored = new Map<number, ChunkToSend>();
  #prepared: PreparedFunction | undefined;
  /** Submitted or attached on the connection that stands, or the last one. */
  #submitted = false;
  #accepted = false;
  #pumping = false;
  #inputsEnded: number | null = null;
  /** The length of inputs that have one. */
  readonly #expectedInputs: number | null;
  #inputsEndStored = false;
  #credit = { inputs: 0, bytes: 0, chunkInputs: 1 };
  /** In order of the inputs: how far pulling may go for the consumer's sake. */
  #allowedInputs = 0;
  readonly #lookahead: number = Infinity;
  /** With a lookahead: results that the consumer has got. */
  #delivered = 0;
  #counting: NodeJS.Immediate | undefined;
  #outcome: Outcome | undefined;
  #wake: (() => void) | undefined;
  /** The connection was lost since the last chunk was sent. */
  #resuming = false;
  /** Where inputs go and results come from: main, unless it says that they do elsewhere. */
  #feed: FeedQueue;
  readonly #stream: StreamFeed;
  #elsewhere: ElsewhereFeed | undefined;
  /** Inputs that cannot be copied, until their results come. */
  readonly #refusals = new Map<number, BurlaError>();
  readonly #uploaded = deferred();
  readonly #ended = deferred();
  /** All results and the end are here. */
  #heardEnd = false;
  /** Where the lines go on after those that were heard; null for a reader that has heard none. */
  #linesAfter: number | null;
  #cancelReason: string | undefined;
  #left = false;

  constructor(connection: ClusterConnection, options: JobOptions) {
    this.jobId = options.jobId;
    this.#options = options;
    this.#connection = connection;
    this.#uploaded.promise.catch(() => undefined);
    this.#feed = this.#stream = new StreamFeed(connection, this.jobId);
    this.#results = new ResultBuffer({ order: options.order, refusals: this.#refusals, taken: (batch) => this.#feed.taken(batch) });
    const { start } = options;
    this.#linesAfter = start.kind === "submit" ? 0 : null;
    this.#expectedInputs = start.kind === "submit" ? lengthOf(start.inputs) : null;
    if (start.kind === "attach") {
      connection.add(this);
      this.#uploaded.resolve();
      return;
    }
    this.#pump = new InputPump(start.inputs, {
      push: (chunk) => this.#push(chunk),
      refused: (index, error) => this.#refusals.set(index, error),
      end: (total) => this.#endInputs(total),
      inContext: options.inContext,
    });
    this.#lookahead = start.lookahead;
    start.prepared
      .then((prepared) => {
        checkSize(prepared);
        this.#prepared = prepared;
        if (this.#outcome === undefined) connection.add(this);
      })
      .catch((error: unknown) => this.failed(error));
  }

  /** Resolves when all inputs are on disk in main; the process lives until then. */
  get uploaded(): Promise<void> {
    const uploaded = this.#hold(this.#uploaded.promise);
    // Whoever reads the results learns of the failure there: not awaiting this promise is no mistake.
    uploaded.catch(() => undefined);
    return uploaded;
  }

  get isOver(): boolean {
    return this.#outcome !== undefined;
  }

  /**
   * The next entry; undefined after the last one.
   * @throws what ended the job, once all that arrived before it has been taken.
   */
  async next(): Promise<Settled<Result> | undefined> {
    for (;;) {
      const entry = this.takeReady();
      if (entry !== undefined) return entry;
      if (this.#outcome?.kind === "error") throw this.#outcome.error;
      if (this.#outcome !== undefined) return undefined;
      await this.#changed();
    }
  }

  /** An entry that is here already. */
  takeReady(): Settled<Result> | undefined {
    const entry = this.#results.next();
    if (entry === undefined) return undefined;
    if (this.#lookahead < Infinity) this.#countDelivered();
    if (this.#options.order === "input") this.#allowPump();
    return entry;
  }

  /** Cancels on the cluster. Resolves when the cluster says so, or cannot be reached. */
  async cancel(reason: string, error: unknown): Promise<void> {
    if (this.#outcome !== undefined) return;
    this.#pump?.stop();
    this.#cancelReason = reason;
    this.#connection.send({ type: "cancel", jobId: this.jobId, reason });
    this.#end({ kind: "error", error });
    if (this.#elsewhere !== undefined) await this.#hold(this.#elsewhere.cancel(reason));
    else if (this.#submitted) await this.#hold(this.#ended.promise);
    this.#leave();
  }

  /** Stops listening; a detached job goes on. */
  abandon(): void {
    this.#end({ kind: "done" });
    this.#leave();
  }

  get hasBegun(): boolean {
    return this.#accepted || this.#options.start.kind === "attach";
  }

  get needsConnection(): boolean {
    return !this.#heardEnd && !this.#left;
  }

  get goesOnWithoutMain(): boolean {
    return this.#elsewhere !== undefined;
  }

  connected(connection: ClusterConnection): void {
    if (!this.hasBegun) return this.#submit(connection);
    const push = this.#pump !== undefined && this.#cancelReason === undefined;
    this.#resuming = push;
    this.#submitted = true;
    connection.send({ type: "attach", jobId: this.jobId, afterSeq: this.#results.lastSeq, push, linesAfter: this.#linesAfter });
    if (this.#cancelReason !== undefined) connection.send({ type: "cancel", jobId: this.jobId, reason: this.#cancelReason });
  }

  /** Again, and whole, when the connection was lost before main had accepted it: main takes it for the same job. */
  #submit(connection: ClusterConnection): void {
    if (this.#prepared === undefined) return;
    if (this.#cancelReason !== undefined) return this.#leave();
    const { spec, code, values } = this.#prepared;
    const known = connection.claimBundle(spec.bundle.id);
    connection.send({ type: "submit", jobId: this.jobId, spec, codeBytes: known ? 0 : code.byteLength }, ...(known ? [] : [code]), values);
    this.#resuming = this.#submitted;
    this.#submitted = true;
    this.#startPump();
  }

  /** Main has lost the code that this connection sent before. */
  #sendCode(): void {
    if (this.#prepared === undefined) return;
    const { spec, code } = this.#prepared;
    this.#connection.disclaimBundle(spec.bundle.id);
    if (!this.hasBegun) return this.#submit(this.#connection);
    this.#connection.claimBundle(spec.bundle.id);
    this.#connection.send({ type: "code", jobId: this.jobId }, code);
  }

  message(message: MainToClient, body: Uint8Array): void {
    switch (message.type) {
      case "accepted":
        return this.#takeUp(message);
      case "credit":
        return this.#credited(message);
      case "results":
        this.#results.add(message, body);
        return this.#notify();
      case "logs":
        return this.#lines(message, body);
      case "progress":
        return this.#tell(this.#options.onProgress, [{ ...message, total: this.#inputsEnded ?? this.#expectedInputs }]);
      case "finished":
        // Results of before may still be on their way elsewhere.
        return this.#elsewhere === undefined ? this.#finished(message, body) : this.#elsewhere.finished(message, body);
      case "left":
        return undefined;
      case "codeNeeded":
        return this.#sendCode();
      case "refused":
        return this.failed(isErrorCode(message.code) ? toldError(message.code, message.message) : new BurlaError("BURLA_PROTOCOL", message.message));
    }
  }

  failed(error: unknown): void {
    this.#pump?.stop();
    this.#end({ kind: "error", error });
    this.#leave();
  }

  #startPump(): void {
    if (this.#pumping || this.#pump === undefined) return;
    this.#pumping = true;
    // One chunk may go before main has answered: the first result need not wait for a round trip.
    this.#credit = { inputs: 8, bytes: 1 << 20, chunkInputs: 8 };
    this.#stream.credited(this.#credit.inputs);
    this.#allowPump();
    this.#pump.run().catch((error: unknown) => void this.cancel("the inputs failed", error));
  }

  #push(chunk: ChunkToSend): void {
    this.#unstored.set(chunk.chunkId, chunk);
    this.#feed.push(chunk);
  }

  #endInputs(total: number): void {
    this.#inputsEnded = total;
    this.#feed.end(total);
  }

  #takeUp({ chunksStored, inputsEnded, queue }: Of<MainToClient, "accepted">): void {
    this.#accepted = true;
    if (queue !== null) return this.#moveTo(queue);
    this.#forgetStored(chunksStored);
    this.#inputsEndStored ||= inputsEnded;
    if (this.#inputsEndStored) return this.#uploaded.resolve();
    if (!this.#resuming) return;
    this.#resuming = false;
    this.#pushUnstored();
  }

  #pushUnstored(): void {
    for (const chunk of this.#unstored.values()) this.#feed.push(chunk);
    if (this.#inputsEnded !== null) this.#feed.end(this.#inputsEnded);
  }

  /** The queue is elsewhere: what was said to main goes there. Once; a main that comes back says it again. */
  #moveTo(place: QueuePlace): void {
    if (this.#elsewhere !== undefined || this.#left) return;
    const connection = this.#connection;
    const spec = this.#prepared?.spec;
    this.#feed = this.#elsewhere = new ElsewhereFeed({
      place,
      jobId: this.jobId,
      feeds: spec === undefined ? null : { concurrency: spec.concurrency, detach: spec.detach, endsAtFailure: spec.onError === "throw" },
      address: () => connection.address(),
      counts: (counts) => connection.send({ type: "queueCounts", jobId: this.jobId, ...counts }),
      listener: {
        message: (message, body) => (message.type === "finished" ? this.#finished(message, body) : this.message(message, body)),
        uploaded: () => this.#uploaded.resolve(),
        failed: (error) => this.failed(error),
      },
    });
    this.#pushUnstored();
  }

  #credited(message: Of<MainToClient, "credit">): void {
    this.#forgetStored(message.chunksStored);
    const { inputs, bytes, chunkInputs } = message;
    this.#credit = { inputs: Math.max(inputs, this.#credit.inputs), bytes: Math.max(bytes, this.#credit.bytes), chunkInputs };
    this.#stream.credited(this.#credit.inputs);
    this.#allowPump();
  }

  /** In order of the inputs the consumer's own position limits how far pulling runs ahead, since results are acknowledged at once. */
  #allowPump(): void {
    if (this.#pump === undefined) return;
    const wanted = this.#delivered + this.#lookahead;
    if (this.#options.order !== "input" || this.#options.detach) return this.#allowUpTo(wanted);
    const ahead = Math.max(MIN_AHEAD_INPUTS, 8 * this.#credit.chunkInputs);
    this.#allowedInputs = stepTo(this.#allowedInputs, this.#results.taken + ahead, ahead);
    this.#allowUpTo(Math.min(wanted, this.#allowedInputs));
  }

  /** What is handed out now reaches the consumer in this turn of the event loop: until then it has not been delivered. */
  #countDelivered(): void {
    this.#counting ??= setImmediate(() => {
      this.#counting = undefined;
      this.#delivered = this.#results.taken;
      this.#allowPump();
    });
  }

  #allowUpTo(inputs: number): void {
    this.#pump?.allow(inputs < this.#credit.inputs ? { ...this.#credit, inputs } : this.#credit);
  }

  #forgetStored(chunksStored: number): void {
    for (const chunkId of this.#unstored.keys()) {
      if (chunkId >= chunksStored) return;
      this.#unstored.delete(chunkId);
    }
  }

  #lines({ nodeId, droppedLines, position }: Of<MainToClient, "logs">, body: Uint8Array): void {
    this.#linesAfter = position;
    const lines: LogLine[] = [];
    for (const [by, stream, timeMs, text] of v.parse(logEntriesSchema, unpack(body))) {
      // Field by field: to spread an object costs more than all else here.
      const { index, origin } = originOf(by);
      lines.push({ index, origin, stream: stream === 1 ? "stdout" : "stderr", text, time: new Date(timeMs), node: nodeId });
    }
    if (droppedLines > 0) lines.push({ ...originOf(NO_INPUT), stream: "stderr", text: `… ${droppedLines} lines were dropped`, time: new Date(), node: nodeId });
    this.#tell(this.#options.onLine, lines);
  }

  /**
   * What a callback of the user's throws, or rejects with, ends the iteration: thrown here, it would end the connection.
   * The context is entered once for all of them: for each line by itself it would cost more than the line.
   */
  #tell<Value>(callback: (value: Value) => unknown, values: readonly Value[]): void {
    const refuse = (error: unknown): void => {
      if (this.#options.detach) this.failed(error);
      else void this.cancel("a callback of its client failed", error);
    };
    const tell = (value: Value): void => {
      try {
        const told = callback(value);
        if (told instanceof Promise) told.catch(refuse);
      } catch (error) {
        refuse(error);
      }
    };
    this.#options.inContext(() => values.forEach(tell));
  }

  #finished({ outcome, reason, failed }: Of<MainToClient, "finished">, body: Uint8Array): void {
    this.#pump?.stop();
    const errors = decodeEnvelopes(body).map(fromEnvelope);
    if (errors.length > 0) this.#end({ kind: "error", error: loadError(errors) });
    else if (outcome === "cancelled") this.#end({ kind: "error", error: new BurlaError("BURLA_CANCELLED", `the job was cancelled: ${reason}`) });
    else if (outcome === "failed" && failed === 0) this.#end({ kind: "error", error: new BurlaError("BURLA_INTERRUPTED", reason) });
    else this.#complete();
    this.#heardEnd = true;
    this.#ended.resolve();
  }

  #complete(): void {
    this.#results.end();
    this.#end({ kind: "done" });
  }

  #end(outcome: Outcome): void {
    this.#outcome ??= outcome;
    if (outcome.kind === "error") this.#uploaded.reject(outcome.error);
    else this.#uploaded.resolve();
    this.#notify();
  }

  /** Called when the consumer has everything: main may forget the job. One that is being cancelled is left when main says that it is. */
  leave(): void {
    if (this.#cancelReason === undefined) this.#leave();
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#ended.resolve();
    void this.#feed.close();
    this.#connection.leave(this);
  }

  #notify(): void {
    this.#wake?.();
  }

  #changed(): Promise<void> {
    return this.#hold(new Promise<void>((resolve) => (this.#wake = resolve)));
  }

  /** The process lives as long as somebody waits for this job. */
  async #hold<Value>(promise: Promise<Value>): Promise<Value> {
    this.#connection.hold();
    try {
      return await promise;
    } finally {
      this.#connection.release();
    }
  }
}

/** The errors of a job as a whole that come in envelopes: what the user's modules threw when they were imported, or one of ours and its cause. */
function loadError([cause, ...causes]: unknown[]): unknown {
  if (cause instanceof BurlaError) return causes.length === 0 ? cause : Object.defineProperty(cause, "cause", { value: causes[0], writable: true, configurable: true });
  const cure = cause instanceof SyntaxError && STRICT_ONLY.test(cause.message) ? STRICT_CURE : undefined;
  return new BurlaError("BURLA_LOAD", `the function could not be loaded: ${messageOf(cause)}`, { cause, ...(cure === undefined ? {} : { cure }) });
}

/** What V8 says of code that only sloppy mode allows, such as a CommonJS file without "use strict". */
const STRICT_ONLY = /strict mode|Duplicate parameter name/;
const STRICT_CURE = "Workers run functions in strict mode, as every ES module is run: write it so that it runs with \"use strict\" here.";


interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** `Promise.withResolvers`, which Node 20 does not have. */
function deferred(): Deferred {
  let settle: Omit<Deferred, "promise"> | undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...(settle as Omit<Deferred, "promise">) };
}

function lengthOf(inputs: Inputs<unknown>): number | null {
  if (Array.isArray(inputs) || ArrayBuffer.isView(inputs)) return (inputs as unknown as ArrayLike<unknown>).length;
  return inputs instanceof Set || inputs instanceof Map ? inputs.size : null;
}

/** @throws BurlaError BURLA_TOO_LARGE, before anything is sent. */
function checkSize({ code, values, largest }: PreparedFunction): void {
  const bytes = code.byteLength + values.byteLength;
  if (bytes <= MAX_FUNCTION_BYTES) return;
  const which = largest == null ? "" : `; ${largest.name} alone has ${bytesText(largest.bytes)}`;
  const cure = largest == null ? undefined : `Read ${largest.name} in the function, or in \`setup\`, from a file or a URL; or give each input its own part of it.`;
  throw new BurlaError("BURLA_TOO_LARGE", `the function and what it captured have ${bytesText(bytes)}, over the limit of ${bytesText(MAX_FUNCTION_BYTES)}${which}`, cure === undefined ? {} : { cure });
}
