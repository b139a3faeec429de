/** One worker: its process, its connection, and what it has been given and not answered. */
import {
  afterListening, BurlaError, checkBatch, indexAt, newToken, NO_INPUT, newWorkerId, SETUP_INDEX, type Deadline, type JobId, type NodeToWorker, type Of, type WorkerId,
  type WorkerToNode,
} from "@burla/protocol";
import { describeExit, type Container, type ContainerRuntime, type ExitReport } from "./containers/runtime.ts";
import type { WorkerConnection, WorkerServer } from "./worker-server.ts";

/** Lines that a worker has written and not told of are found by a second look, this long after it told of others. */
const LOOK_AGAIN_MS = 100;
/** While a worker is busy, its native output is looked after so often. */
const FOLLOW_MS = 100;
/** A worker without a connection is of no use; this long it may take to end by itself. */
const DISCONNECTED_MS = 1_000;
/** What a worker has said while it was not heard is read within this time, and then counts. */
const CATCH_UP_MS = 1_000;

/** A grant as it waits at the node and runs in a worker. */
export interface HeldGrant {
  readonly grantId: number;
  readonly first: number;
  readonly from: number;
  readonly to: number;
  readonly attempt: number;
  /** Nothing else may run in its worker. */
  readonly alone: boolean;
  readonly chunk: Uint8Array;
  /** Positions in the chunk without a result, counted and marked. */
  readonly answered: Set<number>;
  /** A part of it went back to main. */
  isCut: boolean;
}

/** Longest times of what a job runs in a worker; null for none. */
export interface CallLimits {
  readonly timeoutMs: number | null;
  readonly setupTimeoutMs: number | null;
}

/** What a slot tells whoever uses it. */
export interface SlotListener {
  /** Its worker runs the function `setup` of the job. */
  settingUp(slot: Slot): void;
  loaded(slot: Slot, ok: boolean, body: Uint8Array): void;
  results(slot: Slot, grant: HeldGrant, message: Of<WorkerToNode, "workerResults">, body: Uint8Array): void;
  givenBack(slot: Slot, grant: HeldGrant, positions: number[]): void;
  logs(droppedLines: number, body: Uint8Array): void;
  /** It has something to do now, or nothing. */
  busyChanged(): void;
  exited(slot: Slot, report: ExitReport, timedOut: { index: number } | null): void;
}

export interface SlotOptions {
  readonly runtime: ContainerRuntime;
  readonly server: WorkerServer;
  readonly kind: "node" | "python";
  /** The interpreter that a job names; null for the node's own choice. */
  readonly python: string | null;
  /** Null where containers have none. */
  readonly image: string | null;
  readonly cpu: number;
  readonly ramMiB: number;
}

export class Slot {
  readonly workerId: WorkerId = newWorkerId();
  readonly kind: "node" | "python";
  readonly python: string | null;
  readonly image: string | null;
  readonly cpu: number;
  readonly ramMiB: number;
  readonly container: Container;
  /** Resolves when the worker has dialled in; rejects when it ends before that. */
  readonly warm: Promise<void>;
  readonly grants = new Map<number, HeldGrant>();
  jobId: JobId | null = null;
  isLoaded = false;
  /** The function `setup` of the job runs in it. */
  isSettingUp = false;
  /** Its set-up took longer than it may, and it was killed. */
  setupTimedOut = false;
  /** It hears nothing more, though its process may not have ended yet. */
  isDeaf = false;
  #connection: WorkerConnection | undefined;
  #listener: SlotListener | undefined;
  #limits: CallLimits = { timeoutMs: null, setupTimeoutMs: null };
  #setupTimer: Deadline | undefined;
  readonly #timers = new Map<number, Deadline>();
  #timedOut: { index: number } | null = null;
  #hasEnded = false;
  #isHeld = false;
  /** What has come to its time while the worker was not heard: it may have answered long ago. */
  readonly #overdue = new Set<() => void>();
  #report: ExitReport | undefined;
  #wasBusy = false;
  #killTimer: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #followTimer: NodeJS.Timeout | undefined;

  constructor(options: SlotOptions) {
    this.kind = options.kind;
    this.python = options.python;
    this.image = options.image;
    this.cpu = options.cpu;
    this.ramMiB = options.ramMiB;
    const token = newToken();
    let heardAll: Promise<void> | undefined;
    let closed: () => void = () => undefined;
    const dialledIn = new Promise<void>((resolve) => {
      options.server.expect(this.workerId, {
        token,
        connected: (connection) => {
          this.#connection = connection;
          connection.hold(this.#isHeld);
          heardAll = new Promise((heard) => (closed = heard));
          resolve();
        },
        message: (message, body) => this.#receive(message, body),
        disconnected: () => {
          this.isDeaf = true;
          closed();
          this.#killSoon();
        },
      });
    });
    const { kind, python, image, cpu, ramMiB, server } = options;
    this.container = options.runtime.start({ workerId: this.workerId, runtime: kind, python, image, socketPath: server.path, token, cpu, ramMiB });
    const ended = this.container.exited.then(async (report) => {
      this.#hasEnded = true;
      // What it answered and printed last may still be on its way when the process has ended.
      await heardAll;
      server.forget(this.workerId);
      for (const timer of this.#timers.values()) timer.stop();
      clearTimeout(this.#killTimer);
      this.#setupTimer?.stop();
      this.#readLastLines();
      this.#report = report;
      this.#listener?.exited(this, report, this.#timedOut);
      throw new Error(`a worker ended before it was ready: ${describeExit(report)}`);
    });
    this.warm = Promise.race([dialledIn, ended]);
    ended.catch(() => undefined);
    this.warm.catch(() => undefined);
  }

  /** Inputs given to the worker and not answered. */
  get unanswered(): number {
    let count = 0;
    for (const grant of this.grants.values()) count += grant.to - grant.from - grant.answered.size;
    return count;
  }

  /** It runs a grant that must have the worker to itself. */
  get isTaken(): boolean {
    return [...this.grants.values()].some((grant) => grant.alone);
  }

  get state(): string {
    if (this.jobId === null) return this.#connection === undefined ? "starting" : "warm";
    return this.isLoaded ? (this.grants.size > 0 ? "busy" : "idle") : "loading";
  }

  /** Makes the slot a job's: the worker loads its bundle as soon as it is there. */
  async load(jobId: JobId, listener: SlotListener, message: Omit<Of<NodeToWorker, "load">, "type" | "timed">, limits: CallLimits, values: Uint8Array): Promise<void> {
    this.jobId = jobId;
    this.#listener = listener;
    this.#limits = limits;
    // One that could not be started at all has ended before anybody listened.
    if (this.#report !== undefined) return listener.exited(this, this.#report, null);
    try {
      await this.warm;
    } catch {
      return;
    }
    this.#connection?.send({ type: "load", ...message, timed: limits.timeoutMs !== null }, values);
  }

  /** Hears nothing of the worker until it is let go on. What it may not do for too long is not held against it meanwhile. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#connection?.hold(isHeld);
    if (isHeld) return;
    for (const act of this.#overdue) act();
    this.#overdue.clear();
  }

  give(grant: HeldGrant): void {
    this.grants.set(grant.grantId, grant);
    const { grantId, first, from, to, attempt, chunk } = grant;
    this.#connection?.send({ type: "run", grantId, first, from, to, attempt }, chunk);
    this.#noteBusy();
  }

  #noteBusy(): void {
    const isBusy = this.grants.size > 0;
    if (isBusy === this.#wasBusy) return;
    this.#wasBusy = isBusy;
    this.#follow(isBusy);
    this.#listener?.busyChanged();
  }

  /** A worker that ends by itself closes its connection first, and is to be known by its own exit code. */
  #killSoon(): void {
    if (!this.#hasEnded) this.#killTimer ??= setTimeout(() => this.container.kill(), DISCONNECTED_MS);
  }

  #receive(message: WorkerToNode, body: Uint8Array): void {
    switch (message.type) {
      case "setupStarted":
        return this.#watchSetup();
      case "loaded":
        this.#setupTimer?.stop();
        this.isSettingUp = false;
        this.#follow(this.grants.size > 0);
        this.isLoaded = message.ok;
        return this.#listener?.loaded(this, message.ok, body);
      case "started":
        return this.#armTimeout(message.index);
      case "workerResults":
        return this.#takeResults(message, body);
      case "givenBack":
        return this.#takeBack(message.grantId, message.from);
      case "printed":
        return this.#readLines();
      case "workerHello":
        return undefined;
    }
  }

  #takeResults(message: Of<WorkerToNode, "workerResults">, body: Uint8Array): void {
    const grant = this.grants.get(message.grantId);
    if (grant === undefined) return;
    checkBatch(message, body.byteLength);
    for (let at = 0; at < message.count; at++) {
      const index = indexAt(message, at);
      checkHeld(grant, index - grant.first);
      grant.answered.add(index - grant.first);
      this.#disarm(index);
    }
    if (grant.answered.size >= grant.to - grant.from) this.grants.delete(grant.grantId);
    this.#listener?.results(this, grant, message, body);
    this.#noteBusy();
  }

  #takeBack(grantId: number, from: number): void {
    const grant = this.grants.get(grantId);
    if (grant === undefined) return;
    const positions: number[] = [];
    for (let position = from; position < grant.to; position++) positions.push(position);
    for (const position of positions) checkHeld(grant, position);
    for (const position of positions) grant.answered.add(position);
    grant.isCut = true;
    if (grant.answered.size >= grant.to - grant.from) this.grants.delete(grantId);
    this.#listener?.givenBack(this, grant, positions);
    this.#noteBusy();
  }

  #watchSetup(): void {
    this.isSettingUp = true;
    this.#follow(true);
    const { setupTimeoutMs } = this.#limits;
    if (setupTimeoutMs !== null) {
      this.#armSetup(setupTimeoutMs);
    }
    this.#listener?.settingUp(this);
  }

  #armSetup(ms: number): void {
    this.#setupTimer = afterListening(ms, () => {
      if (this.#isHeld) return void this.#overdue.add(() => this.#armSetup(CATCH_UP_MS));
      this.setupTimedOut = true;
      this.container.kill();
    });
  }

  /** And again, as long as there are some: a call that does not come to its end does not come to telling of each. */
  #readLines(): void {
    clearTimeout(this.#lookTimer);
    const hasRead = this.container.printed?.read(({ droppedLines, body }) => this.#listener?.logs(droppedLines, body)) ?? false;
    if (hasRead && !this.#hasEnded) this.#lookTimer = setTimeout(() => this.#readLines(), LOOK_AGAIN_MS);
  }

  /** A call that does not come back keeps its worker from reading what native code and children print. */
  #follow(isBusy: boolean): void {
    clearInterval(this.#followTimer);
    if (!isBusy || this.#hasEnded) return;
    this.#followTimer = setInterval(() => {
      if (!this.#isHeld) this.container.printed?.follow(({ droppedLines, body }) => this.#listener?.logs(droppedLines, body));
    }, FOLLOW_MS);
  }

  #readLastLines(): void {
    clearTimeout(this.#lookTimer);
    clearInterval(this.#followTimer);
    const { printed } = this.container;
    printed?.end(this.#inputAtWork(), ({ droppedLines, body }) => this.#listener?.logs(droppedLines, body));
    printed?.close();
  }

  /** Where only one can be meant. */
  #inputAtWork(): number {
    if (this.isSettingUp) return SETUP_INDEX;
    if (this.#timedOut !== null) return this.#timedOut.index;
    const [announced] = this.#timers.keys();
    if (announced !== undefined && this.#timers.size === 1) return announced;
    const open = [...this.grants.values()].flatMap((grant) => unfinishedOf(grant).map((position) => grant.first + position));
    return open.length === 1 ? (open[0] as number) : NO_INPUT;
  }

  #armTimeout(index: number, timeoutMs = this.#limits.timeoutMs): void {
    if (timeoutMs === null) return;
    this.#disarm(index);
    this.#timers.set(index, afterListening(timeoutMs, () => {
      if (this.#isHeld) return void this.#overdue.add(() => this.#armTimeout(index, CATCH_UP_MS));
      this.#timedOut ??= { index };
      this.container.kill();
    }));
  }

  #disarm(index: number): void {
    this.#timers.get(index)?.stop();
    this.#timers.delete(index);
  }
}

/** A worker answers what it was given, once. @throws BurlaError BURLA_PROTOCOL, which ends the conversation with it. */
function checkHeld({ grantId, from, to, answered }: HeldGrant, position: number): void {
  if (position >= from && position < to && !answered.has(position)) return;
  throw new BurlaError("BURLA_PROTOCOL", `grant ${grantId} has no open input at ${position}`);
}

/** Positions of a grant without a result, ascending. */
export function unfinishedOf(grant: HeldGrant): number[] {
  const positions: number[] = [];
  for (let position = grant.from; position < grant.to; position++) {
    if (!grant.answered.has(position)) positions.push(position);
  }
  return positions;
}
