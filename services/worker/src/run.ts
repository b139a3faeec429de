/** The heart of the worker: call, settle, flush output, answer. */
import { AsyncResource } from "node:async_hooks";
import { format, types } from "node:util";
import {
  kept, MAX_WAITING_ANSWER_BYTES, openInputs, toEnvelope, type Connection, type InputFailure, type NodeToWorker, type Of, type WorkerToNode,
} from "@burla/protocol";
import { Batch } from "./batch.ts";
import type { CallContext, UserFunction } from "./load.ts";
import { asOwnWork, endWith } from "./originals.ts";
import type { Call, Output } from "./output.ts";
import { FLUSH_SHARE, GIVE_BACK_MS, LEAD_MS, MAX_FLUSH_MS, MIN_FLUSH_MS } from "./pace.ts";
import { userStack } from "./stack.ts";

// Taken now: the user's code may replace them.
const [OwnPromise, promiseThen, soon, later] = [Promise, Promise.prototype.then, queueMicrotask, setImmediate];
const { apply } = Reflect;
const [add, remove] = [Set.prototype.add, Set.prototype.delete];

/** Messages are listened to this often, however short the calls are. */
const YIELD_MS = 25;

interface Grant {
  readonly message: Of<NodeToWorker, "run">;
  readonly inputs: unknown[];
  /** By position: inputs that are not there, and why. */
  readonly failures: ReadonlyMap<number, InputFailure>;
  readonly batch: { current: Batch };
  /** Position in the chunk of the next input to begin. */
  next: number;
  /** Calls begun that could not settle at once, and have not. */
  running: number;
  /** Infinite before its first call. */
  beganMs: number;
  /** The node was told that it is nearly done. */
  saidNearEnd: boolean;
}

interface RunningCall extends Call {
  readonly grant: Grant;
  readonly beganMs: number;
  /** Settles the call from outside, when its own callback threw. */
  fail: ((error: unknown) => void) | null;
}

/** How a job wants its function to be called. */
export interface HowToCall {
  readonly concurrency: number;
  /** Each call is announced, so that its time can be watched. */
  readonly timed: boolean;
  readonly takesContext: boolean;
  /** What the function `setup` has given. */
  readonly worker: unknown;
}

/** Where a default of the user's stands in for the second argument. */
const NO_CONTEXT = undefined as unknown as CallContext;

/** What the runner needs of a connection. */
export type AnswerLine = Pick<Connection<NodeToWorker, WorkerToNode>, "send" | "flush" | "unsentBytes" | "drained">;

export class Runner {
  readonly #connection: AnswerLine;
  readonly #output: Output;
  readonly #cancelled = new AbortController();
  readonly #grants: Grant[] = [];
  /** Calls that could not settle at once. */
  readonly #running = new Set<RunningCall>();
  /** Calls begin in one scope, whatever brought their inputs: optimised code expects one kind of scope. */
  readonly #scope = new AsyncResource("BurlaCalls");
  #fn: UserFunction | undefined;
  #takesContext = true;
  /** What the function `setup` has given. */
  #worker: unknown;
  #concurrency = 1;
  #timed = false;
  #pumping = false;
  #beganMs = performance.now();
  #lastFlushMs = this.#beganMs;
  #flushTimer: NodeJS.Timeout | undefined;

  constructor(connection: AnswerLine, output: Output) {
    this.#connection = connection;
    this.#output = output;
  }

  begin(fn: UserFunction, { concurrency, timed, takesContext, worker }: HowToCall): void {
    this.#output.begin();
    this.#fn = fn;
    this.#takesContext = takesContext;
    this.#worker = worker;
    this.#concurrency = concurrency;
    this.#timed = timed;
    this.#beganMs = performance.now();
    void this.#pump();
  }

  enqueue(message: Of<NodeToWorker, "run">, body: Uint8Array): void {
    const { values, failures } = openInputs(body, message.to, message.first);
    this.#grants.push({ message, inputs: [...values], failures, batch: { current: new Batch(message.grantId) }, next: message.from, running: 0, beganMs: Infinity, saidNearEnd: false });
    // Not at once: that would be within work of our own, and it runs the user's code.
    soon(() => void this.#pump());
  }

  /** What calls have as `context.signal`. */
  get signal(): AbortSignal {
    return this.#cancelled.signal;
  }

  /** `context.signal` aborts; for the moment between SIGTERM and SIGKILL. */
  cancel(): void {
    this.#cancelled.abort();
  }

  /**
   * An error that no promise of ours carries: thrown in a callback of the user's, or a rejection that nobody handles.
   * @returns false when no running call can be named.
   */
  failRunningCall(error: unknown): boolean {
    const current = this.#output.current() as RunningCall | undefined;
    // Of a call that has ended: the one that runs now has nothing to do with it.
    if (current !== undefined && !this.#running.has(current)) return false;
    const [only] = this.#running.size === 1 ? this.#running : [];
    const call = current ?? only;
    if (call?.fail == null) return false;
    call.fail(error);
    return true;
  }

  /** Sends all results and lines at once: the process is about to run the user's code for long, or to end. */
  flush(): void {
    asOwnWork(() => {
      clearTimeout(this.#flushTimer);
      this.#flushTimer = undefined;
      this.#lastFlushMs = performance.now();
      this.#output.flush();
      for (const grant of this.#grants) this.#sendBatch(grant);
      this.#connection.flush();
    });
  }

  /** The process ends: what a call has printed and answered so far still leaves it. */
  end(): void {
    this.#output.end();
    this.flush();
  }

  /** Begins calls as long as there is room. */
  async #pump(): Promise<void> {
    if (this.#pumping || this.#fn === undefined) return;
    this.#pumping = true;
    try {
      for (;;) {
        const waiting = this.#scope.runInAsyncScope(this.#callReady, this, this.#fn);
        if (waiting === null) break;
        await waiting;
      }
      this.#pumping = false;
      if (this.#running.size === 0) this.flush();
      else this.#flushSoon();
    } catch (error) {
      endWith(error);
    }
  }

  /** Calls that settle at once do not leave this loop. @returns what must be waited for before it goes on; null at its end. */
  #callReady(fn: UserFunction): Promise<unknown> | null {
    let nowMs = performance.now();
    const yieldMs = nowMs + YIELD_MS;
    for (let grant = this.#nextGrant(nowMs); grant !== undefined; grant = this.#nextGrant(nowMs)) {
      if (this.#isTimeToFlush(grant, nowMs) || this.#comesNearEnd(grant, nowMs)) {
        this.flush();
        // The node does not take them as fast as they come: they would fill this process.
        if (this.#connection.unsentBytes > MAX_WAITING_ANSWER_BYTES) return this.#connection.drained();
      }
      if (nowMs >= yieldMs) return new OwnPromise((resolve) => later(resolve));
      const waiting = this.#call(fn, grant, nowMs);
      nowMs = performance.now();
      if (waiting === null || this.#concurrency > 1) continue;
      this.#flushSoon();
      return waiting;
    }
    return null;
  }

  /** The grant that the next call belongs to; what a grant has not begun in its time is given back on the way. */
  #nextGrant(nowMs: number): Grant | undefined {
    if (this.#running.size >= this.#concurrency) return undefined;
    for (let at = 0; at < this.#grants.length; at++) {
      const grant = this.#grants[at] as Grant;
      if (grant.next >= grant.message.to) continue;
      if (nowMs - grant.beganMs <= GIVE_BACK_MS) return grant;
      this.#giveBack(grant);
      return this.#nextGrant(nowMs);
    }
    return undefined;
  }

  #flushMs(nowMs: number): number {
    return Math.min(MAX_FLUSH_MS, Math.max(MIN_FLUSH_MS, (nowMs - this.#beganMs) * FLUSH_SHARE));
  }

  /** Between two grants a little earlier: results of each are a message of their own. */
  #isTimeToFlush(next: Grant, nowMs: number): boolean {
    const flushMs = this.#flushMs(nowMs);
    const isBetween = next.next === next.message.from;
    return nowMs - this.#lastFlushMs >= (isBetween ? flushMs / 2 : flushMs);
  }

  /** True once, before the last calls of the last grant, if there have been some whose results wait. */
  #comesNearEnd(grant: Grant, nowMs: number): boolean {
    const done = grant.next - grant.message.from;
    if (grant.saidNearEnd || this.#grants.length > 1 || done === 0) return false;
    const left = grant.message.to - grant.next;
    const ranMs = nowMs - grant.beganMs;
    if (ranMs < LEAD_MS || (left > this.#concurrency && (left * ranMs) / done > LEAD_MS)) return false;
    grant.saidNearEnd = true;
    return true;
  }

  #giveBack(grant: Grant): void {
    const from = grant.next;
    grant.next = grant.message.to;
    asOwnWork(() => {
      this.#sendBatch(grant);
      this.#connection.send({ type: "givenBack", grantId: grant.message.grantId, from });
    });
    this.#forgetIfDone(grant);
  }

  /** @returns null when the call settled at once. */
  #call(fn: UserFunction, grant: Grant, nowMs: number): Promise<void> | null {
    if (grant.beganMs === Infinity) grant.beganMs = nowMs;
    const index = grant.message.first + grant.next;
    const input = grant.inputs[grant.next];
    grant.inputs[grant.next] = undefined;
    grant.next++;
    const call: RunningCall = { index, grant, beganMs: nowMs, fail: null };
    if (this.#timed) this.#announce(call);
    const failure = grant.failures.get(grant.next - 1);
    if (failure !== undefined) {
      this.#output.ended(call);
      asOwnWork(() => grant.batch.current.refuse(index, failure));
      this.#forgetIfDone(grant);
      return null;
    }
    let result: unknown;
    try {
      const context = this.#takesContext ? new Context(call, this.#output, this.#cancelled.signal, this.#worker) : NO_CONTEXT;
      result = this.#output.run(call, fn, input, context);
      // Looks at `result.then`, which may be a getter of the user's that throws.
      if (isThenable(result)) return this.#follow(call, result);
    } catch (error) {
      this.#settle(call, undefined, { error });
      return null;
    }
    this.#settle(call, result, null);
    return null;
  }

  #follow(call: RunningCall, result: PromiseLike<unknown>): Promise<void> {
    apply(add, this.#running, [call]);
    call.grant.running++;
    const settled = new OwnPromise<unknown>((resolve, reject) => {
      call.fail = reject;
      this.#output.run(call, () => thenOf(result, resolve, reject), undefined, undefined);
    });
    return apply(promiseThen, settled, [
      (value: unknown) => this.#settleLater(call, value, null),
      (error: unknown) => this.#settleLater(call, undefined, { error }),
    ]) as Promise<void>;
  }

  #announce(call: RunningCall): void {
    asOwnWork(() => {
      this.#sendBatch(call.grant);
      this.#connection.send({ type: "started", grantId: call.grant.message.grantId, index: call.index });
      this.#connection.flush();
    });
  }

  #settleLater(call: RunningCall, value: unknown, failure: { error: unknown } | null): void {
    apply(remove, this.#running, [call]);
    call.grant.running--;
    this.#settle(call, value, failure);
    if (this.#pumping) return;
    void this.#pump();
  }

  #settle(call: RunningCall, value: unknown, failure: { error: unknown } | null): void {
    const ms = performance.now() - call.beganMs;
    const { grant } = call;
    this.#output.ended(call);
    if (failure === null) grant.batch.current.addValue(call.index, isDone(grant) ? value : kept(value), ms);
    else asOwnWork(() => grant.batch.current.addFailure(call.index, toEnvelope(failure.error, userStack), ms));
    this.#forgetIfDone(grant);
  }

  /** The answer leaves with those of the grants that follow at once, or when there are none. */
  #forgetIfDone(grant: Grant): void {
    if (!isDone(grant)) return;
    asOwnWork(() => {
      this.#grants.splice(this.#grants.indexOf(grant), 1);
      this.#output.flush();
      this.#sendBatch(grant);
      if (this.#grants.length === 0) this.flush();
    });
  }

  #sendBatch(grant: Grant): void {
    const batch = grant.batch.current;
    if (batch.size === 0) return;
    grant.batch.current = new Batch(grant.message.grantId);
    this.#output.announce();
    for (const { message, body } of batch.encode()) this.#connection.send(message, ...body);
  }

  #flushSoon(): void {
    this.#flushTimer ??= setTimeout(() => this.flush(), this.#flushMs(performance.now()));
  }
}

/** Whether its last result is there: then they are sent before another call begins. */
function isDone(grant: Grant): boolean {
  return grant.running === 0 && grant.next >= grant.message.to;
}

/** What a call is told of itself. `log` may be passed around on its own. */
class Context implements CallContext {
  readonly index: number;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly worker: unknown;
  readonly #call: RunningCall;
  readonly #output: Output;

  constructor(call: RunningCall, output: Output, signal: AbortSignal, worker: unknown) {
    this.index = call.index;
    this.attempt = call.grant.message.attempt;
    this.signal = signal;
    this.worker = worker;
    this.#call = call;
    this.#output = output;
  }

  get log(): (...parts: unknown[]) => void {
    return (...parts) => this.#output.log(this.#call, format(...parts));
  }
}

/** A promise of the language is followed by the language's own `then`, unless it has one of its own. */
function thenOf(result: PromiseLike<unknown>, resolve: (value: unknown) => void, reject: (error: unknown) => void): unknown {
  const { then } = result;
  return apply(types.isPromise(result) && then === Promise.prototype.then ? promiseThen : then, result, [resolve, reject]);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
