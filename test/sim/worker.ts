/** One worker: runs the inputs of its grants, some at once, and answers in batches. */
import type { Call } from "./plan.ts";
import type { Outcome, ToNode } from "./messages.ts";

/** Results wait for company no longer than this. */
const FLUSH_MS = 10;
/** A grant that runs longer gives back what it has not begun. */
const GIVE_BACK_MS = 250;

export type Granted = Extract<ToNode, { type: "grant" }>;
export type ExitCause = "worker-exited" | "out-of-memory" | "timeout";

export interface WorkerGrant {
  readonly message: Granted;
  next: number;
  beganMs: number | null;
  readonly running: Set<number>;
  /** Positions neither answered nor given back. */
  readonly open: Set<number>;
  batch: { position: number; outcome: Outcome; runMs: number }[];
  /** A part of it went back to main. */
  isCut: boolean;
}

/** What a worker needs of its node. */
export interface WorkerHost {
  nowMs(): number;
  /** As long as the node lives, and not while it is frozen. */
  after(ms: number, run: () => void): void;
  callOf(index: number): Call;
  /** How often this call has thrown, or ended its worker; counts it. */
  countTrouble(index: number): number;
  /** Runs a job and says how it went. */
  spawn(index: number, worker: Worker, done: (outcome: Outcome) => void): void;
  timeoutMs: number | null;
  concurrency: number;
  results(worker: Worker, grant: WorkerGrant, batch: WorkerGrant["batch"]): void;
  givenBack(grant: WorkerGrant, positions: number[]): void;
  exited(worker: Worker, cause: ExitCause, timedOut: { grant: WorkerGrant; position: number } | null): void;
}

export class Worker {
  readonly grants: WorkerGrant[] = [];
  loaded = false;
  alive = true;
  readonly #host: WorkerHost;
  #flushing = false;
  /** To be done when it ends. */
  readonly onEnd: (() => void)[] = [];

  constructor(host: WorkerHost) {
    this.#host = host;
  }

  get unanswered(): number {
    return this.grants.reduce((sum, grant) => sum + grant.open.size, 0);
  }

  get isAlone(): boolean {
    return this.grants.some((grant) => grant.message.alone);
  }

  give(message: Granted): void {
    const open = new Set<number>();
    for (let position = message.from; position < message.to; position++) open.add(position);
    this.grants.push({ message, next: message.from, beganMs: null, running: new Set(), open, batch: [], isCut: false });
    this.#pump();
  }

  end(): void {
    this.alive = false;
    for (const run of this.onEnd) run();
  }

  #pump(): void {
    while (this.alive && this.#running() < this.#host.concurrency) {
      const grant = this.grants.find((candidate) => candidate.next < candidate.message.to);
      if (grant === undefined) return;
      if (grant.beganMs !== null && this.#host.nowMs() - grant.beganMs > GIVE_BACK_MS) this.#giveBack(grant);
      else this.#begin(grant, grant.next++);
    }
  }

  #running(): number {
    return this.grants.reduce((sum, grant) => sum + grant.running.size, 0);
  }

  #giveBack(grant: WorkerGrant): void {
    const positions: number[] = [];
    for (let position = grant.next; position < grant.message.to; position++) positions.push(position);
    grant.next = grant.message.to;
    this.#flush(grant);
    for (const position of positions) grant.open.delete(position);
    this.#host.givenBack(grant, positions);
    this.#forgetIfDone(grant);
  }

  #begin(grant: WorkerGrant, position: number): void {
    const host = this.#host;
    const index = grant.message.first + position;
    const call = host.callOf(index);
    grant.beganMs ??= host.nowMs();
    grant.running.add(position);
    const settle = (outcome: Outcome, runMs: number) => this.#settle(grant, position, outcome, runMs);
    if (host.timeoutMs !== null) this.#armTimeout(grant, position, host.timeoutMs);
    if (call.kind === "hangs") return;
    this.#after(call.runMs, () => {
      if (!grant.running.has(position)) return;
      if (call.kind === "spawns") return host.spawn(index, this, (outcome) => settle(outcome, call.runMs));
      const inTrouble = call.kind !== "ok" && host.countTrouble(index) <= call.times;
      if (!inTrouble) settle("ok", call.runMs);
      else if (call.kind === "throws") settle("error", call.runMs);
      else this.exit(call.cause);
    });
  }

  exit(cause: ExitCause, timedOut: { grant: WorkerGrant; position: number } | null = null): void {
    if (!this.alive) return;
    this.end();
    this.#host.exited(this, cause, timedOut);
  }

  #armTimeout(grant: WorkerGrant, position: number, timeoutMs: number): void {
    this.#after(timeoutMs, () => {
      if (grant.running.has(position)) this.exit("timeout", { grant, position });
    });
  }

  #settle(grant: WorkerGrant, position: number, outcome: Outcome, runMs: number): void {
    if (!this.alive || !grant.running.delete(position)) return;
    grant.batch.push({ position, outcome, runMs });
    this.#forgetIfDone(grant);
    this.#flushSoon();
    this.#pump();
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#after(FLUSH_MS, () => {
      this.#flushing = false;
      for (const grant of [...this.grants]) this.#flush(grant);
    });
  }

  #forgetIfDone(grant: WorkerGrant): void {
    if (grant.running.size > 0 || grant.next < grant.message.to) return;
    const at = this.grants.indexOf(grant);
    if (at >= 0) this.grants.splice(at, 1);
    this.#flush(grant);
  }

  #flush(grant: WorkerGrant): void {
    if (grant.batch.length === 0) return;
    const batch = grant.batch;
    grant.batch = [];
    for (const { position } of batch) grant.open.delete(position);
    this.#host.results(this, grant, batch);
  }

  #after(ms: number, run: () => void): void {
    this.#host.after(ms, () => {
      if (this.alive) run();
    });
  }
}
