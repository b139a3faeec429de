/** The workers of one job on this node, and the grants that wait for them. */
import { existsSync } from "node:fs";
import type { GrantMessage, WorkListener, WorkQueue, WorkReport } from "@burla/queue";
import { BurlaError, encodeEnvelopes, messageOf, toldText, type JobId, type MainToNode, type NodeToMain, type NodeToWorker, type Of } from "@burla/protocol";
import { describeExit, type ExitReport } from "./containers/runtime.ts";
import { isDiskError } from "./disk.ts";
import { unfinishedOf, type HeldGrant, type Slot, type SlotListener } from "./slot.ts";

/** A grant that no worker could take for this long, once there is one, goes back: another node may be idle. */
const MAX_QUEUED_MS = 250;
/** A worker is given the next grant when less work than this waits behind its running calls: the way there takes about 1 ms. */
const FEED_AHEAD_MS = 5;
/** Nothing waits behind longer calls: another worker may be idle sooner. */
const NO_FEED_ABOVE_MS = 25;
/** Weight of one batch in the running mean of the time of a call. */
const MEAN_WEIGHT = 0.5;
/** Workers that end while they load before the job is failed. */
const MAX_LOAD_LOSSES = 3;

export type DurableMessage = WorkReport;

export interface GroupOptions {
  readonly assign: Of<MainToNode, "assign">;
  readonly values: Uint8Array;
  /** Puts the bundle and its packages where workers find them. Ended by the signal when the job is. */
  readonly prepare: (signal: AbortSignal, onProgress: (text: string) => void) => Promise<Prepared>;
  readonly environment: Pick<Of<NodeToWorker, "load">, "env" | "isWholeEnv">;
  /** A fresh worker in place of a lost one. */
  readonly startWorker: () => Slot;
  /** Where its inputs come from, and its results go to. */
  readonly openQueue: (listener: WorkListener) => WorkQueue;
  readonly changed: () => void;
  /** A worker has begun or ended its work, as often as that may be. */
  readonly busyChanged: () => void;
  /** The node can start no worker at all. */
  readonly nodeFailed: (reason: string) => void;
}

/** Where workers find the function and what it needs. */
export type Prepared = Pick<Of<NodeToWorker, "load">, "bundlePath" | "packagesPath">;

export class JobGroup implements SlotListener {
  readonly jobId: JobId;
  readonly #work: WorkQueue;
  readonly slots = new Set<Slot>();
  readonly #options: GroupOptions;
  readonly #queue: { grant: HeldGrant; sinceMs: number }[] = [];
  #queueTimer: NodeJS.Timeout | undefined;
  /** Measured time of one call; infinite before the first result, so that nothing waits behind an unknown call. */
  #callMs = Infinity;
  #loadLosses = 0;
  readonly #ending = new AbortController();
  #prepared: Promise<Prepared>;
  #preparing = "";
  /** Its workers are not heard. */
  #isHeld = false;

  constructor(options: GroupOptions, slots: readonly Slot[]) {
    this.jobId = options.assign.jobId;
    this.#options = options;
    this.#work = options.openQueue({ grant: (grant, chunk) => void this.take(grant, chunk) });
    this.#prepared = this.#prepare();
    for (const slot of slots) this.#adopt(slot);
  }

  /** What is done before its first call can begin; empty when nothing is. */
  get preparing(): string {
    return this.#preparing;
  }

  /** Its queue is not in main. */
  get isElsewhere(): boolean {
    return this.#options.assign.spec.queue !== null;
  }

  get grantIds(): number[] {
    const running = [...this.slots].flatMap((slot) => [...slot.grants.keys()]);
    return [...running, ...this.#queue.map(({ grant }) => grant.grantId)];
  }

  /** Of those, the ones that main knows of. */
  get grantIdsOfMain(): number[] {
    return this.isElsewhere ? [] : this.grantIds;
  }

  /** Inputs to process, with the chunk that they are of. */
  take(message: GrantMessage, chunk: Uint8Array): HeldGrant {
    const grant: HeldGrant = { ...message, chunk, answered: new Set(), isCut: false };
    if (!this.#ending.signal.aborted) this.#queue.push({ grant, sinceMs: performance.now() });
    this.#dispatch();
    return grant;
  }

  /** Hears nothing of its workers, which begin no further calls when they have much to say, until they are let go on. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    for (const slot of this.slots) slot.hold(isHeld);
  }

  /** Gives back all that no worker has, and takes no more. */
  drain(): void {
    this.#releaseQueue();
    this.#work.drain();
  }

  #releaseQueue(): void {
    for (const { grant } of this.#queue.splice(0)) this.#end(grant, "released", "", unfinishedOf(grant));
  }

  /** Ends all workers. Resolves when they are gone. */
  async stop(): Promise<void> {
    this.#ending.abort(new Error("the job has ended"));
    clearTimeout(this.#queueTimer);
    this.#queue.length = 0;
    // The end of a worker that is not heard would not be heard either.
    this.hold(false);
    for (const slot of this.slots) {
      // A worker that runs a call may react to SIGTERM; one that does not has nothing to react with.
      if (slot.grants.size > 0) slot.container.stop();
      else slot.container.kill();
    }
    await Promise.all([...[...this.slots].map((slot) => slot.container.exited), this.#work.close()]);
  }

  settingUp(): void {
    if (![...this.slots].some((slot) => slot.isLoaded)) this.#notePreparing("runs the function `setup`");
  }

  loaded(slot: Slot, ok: boolean, body: Uint8Array): void {
    if (this.#ending.signal.aborted) return;
    if (!ok) return void this.#prepared.then(({ bundlePath }) => this.#couldNotLoad(slot, bundlePath, body), () => undefined);
    this.#notePreparing("");
    this.#loadLosses = 0;
    const nowMs = performance.now();
    for (const waiting of this.#queue) waiting.sinceMs = nowMs;
    this.#dispatch();
    this.#options.changed();
  }

  /** Where the code has just been taken from the disk, another worker gets it anew. */
  #couldNotLoad(slot: Slot, bundlePath: string, body: Uint8Array): void {
    if (this.#ending.signal.aborted) return;
    if (existsSync(bundlePath)) this.#work.report({ type: "loadFailed", jobId: this.jobId }, body);
    else slot.container.kill();
  }

  results(_slot: Slot, grant: HeldGrant, message: Parameters<SlotListener["results"]>[2], body: Uint8Array): void {
    const { grantId, first, count, indices, failed, final, valuesBytes, runMs } = message;
    this.#work.report({ type: "nodeResults", jobId: this.jobId, grantId, first, count, indices, failed, final, valuesBytes, runMs }, body);
    this.#closeIfCut(grant);
    this.#measure(count, runMs);
    this.#dispatch();
  }

  givenBack(_slot: Slot, grant: HeldGrant, positions: number[]): void {
    this.#end(grant, "released", "", positions);
    this.#closeIfCut(grant);
    this.#dispatch();
  }

  /**
   * Main knows by itself when a grant is over, unless it has forgotten that a part of it came back: its machine went
   * down, and the log has lost its end. Then it waits for that part here, and is told that there is nothing to wait for.
   */
  #closeIfCut(grant: HeldGrant): void {
    if (!grant.isCut || grant.answered.size < grant.to - grant.from || this.#ending.signal.aborted) return;
    this.#work.report({ type: "grantEnded", jobId: this.jobId, grantId: grant.grantId, cause: "done", detail: "", lostWorkers: 0, unfinished: [] }, new Uint8Array(0));
  }

  logs(droppedLines: number, body: Uint8Array): void {
    this.#work.lines(droppedLines, body);
  }

  busyChanged(): void {
    this.#options.busyChanged();
  }

  exited(slot: Slot, report: ExitReport, timedOut: { index: number } | null): void {
    this.slots.delete(slot);
    if (this.#ending.signal.aborted) return;
    if (report.cause === "engine-failed") return this.#options.nodeFailed(describeExit(report));
    if (slot.setupTimedOut) return this.#failToLoad(this.#tooLong());
    if (!slot.isLoaded && report.cause !== "engine-stopped" && ++this.#loadLosses >= MAX_LOAD_LOSSES) return this.#failToLoad(this.#lostBefore(slot, report));
    this.#endAllLost(slot, report, timedOut);
    // What its workers load may have been taken from the disk meanwhile.
    this.#prepared = this.#prepare();
    this.#adopt(this.#options.startWorker());
    this.#options.changed();
  }

  #tooLong(): BurlaError {
    return new BurlaError("BURLA_SETUP", `the function \`setup\` ran longer than ${this.#options.assign.spec.setupTimeoutMs ?? 0} ms; its worker was killed`);
  }

  /** The error of a job whose workers end before they can call its function. */
  #lostBefore(slot: Slot, report: ExitReport): BurlaError {
    const how = describeExit(report);
    if (slot.isSettingUp) return new BurlaError("BURLA_SETUP", `the worker ended while it ran the function \`setup\`: ${how}`);
    const isRefused = this.#options.assign.spec.runtime === "python" && report.cause === "refused";
    return new BurlaError(isRefused ? "BURLA_PYTHON" : "BURLA_LOAD", `the worker ended while it loaded the function: ${how}`);
  }

  #adopt(slot: Slot): void {
    this.slots.add(slot);
    slot.hold(this.#isHeld);
    const { assign, values, environment } = this.#options;
    const { concurrency, timeoutMs, setupTimeoutMs, cwd } = assign.spec;
    void this.#prepared.then(
      (prepared) => slot.load(this.jobId, this, { jobId: this.jobId, ...prepared, ...environment, concurrency, cwd }, { timeoutMs, setupTimeoutMs }, values),
      () => undefined,
    );
  }

  #prepare(): Promise<Prepared> {
    const prepared = this.#options.prepare(this.#ending.signal, (text) => this.#notePreparing(text));
    prepared.then(() => this.#notePreparing(""), (error: unknown) => this.#failToPrepare(error));
    return prepared;
  }

  #notePreparing(text: string): void {
    if (this.#ending.signal.aborted || text === this.#preparing) return;
    this.#preparing = text;
    this.#options.busyChanged();
  }

  /** A full disk and an engine that is away are the node's, and another node may have neither. */
  #failToPrepare(error: unknown): void {
    if (this.#ending.signal.aborted) return;
    const isNodes = isDiskError(error) || (error instanceof BurlaError && error.code === "BURLA_CONTAINERS");
    if (isNodes) this.#options.nodeFailed(messageOf(error));
    else this.#failToLoad(error);
  }

  #failToLoad(error: unknown): void {
    if (this.#ending.signal.aborted) return;
    const code = error instanceof BurlaError ? error.code : "BURLA_LOAD";
    const message = error instanceof BurlaError ? toldText(error) : messageOf(error);
    this.#work.report({ type: "loadFailed", jobId: this.jobId }, encodeEnvelopes([{ kind: "burla", code, message }]));
  }

  #measure(calls: number, runMs: number): void {
    const callMs = runMs / Math.max(1, calls);
    this.#callMs = Number.isFinite(this.#callMs) ? this.#callMs * (1 - MEAN_WEIGHT) + callMs * MEAN_WEIGHT : callMs;
  }

  #hasRoom(slot: Slot, grant: HeldGrant): boolean {
    if (!slot.isLoaded || slot.isDeaf || slot.isTaken) return false;
    const { unanswered } = slot;
    if (grant.alone) return unanswered === 0;
    const atOnce = this.#options.assign.spec.concurrency;
    if (unanswered < atOnce) return true;
    return this.#callMs < NO_FEED_ABOVE_MS && ((unanswered - atOnce) * this.#callMs) / atOnce < FEED_AHEAD_MS;
  }

  /** Every worker that has room gets the oldest waiting grant. */
  #dispatch(): void {
    for (const slot of this.slots) {
      for (let next = this.#queue[0]; next !== undefined && this.#hasRoom(slot, next.grant); next = this.#queue[0]) {
        this.#queue.shift();
        slot.give(next.grant);
      }
    }
    this.#watchQueue();
  }

  #watchQueue(): void {
    clearTimeout(this.#queueTimer);
    const oldest = this.#queue[0];
    const someoneWorks = [...this.slots].some((slot) => slot.isLoaded);
    if (oldest === undefined || !someoneWorks) return;
    const waitMs = Math.max(0, oldest.sinceMs + MAX_QUEUED_MS - performance.now());
    this.#queueTimer = setTimeout(() => this.#releaseQueue(), waitMs);
  }

  #endAllLost(slot: Slot, report: ExitReport, timedOut: { index: number } | null): void {
    const cause = causeOf(report, timedOut !== null);
    let lostWorkers: 0 | 1 = cause === "worker-exited" || cause === "out-of-memory" ? 1 : 0;
    for (const grant of slot.grants.values()) {
      if (timedOut !== null) this.#answerTimeout(grant, timedOut.index);
      const unfinished = unfinishedOf(grant);
      if (unfinished.length === 0) continue;
      this.#end(grant, cause, describeExit(report), unfinished, lostWorkers);
      lostWorkers = 0;
    }
    slot.grants.clear();
  }

  #answerTimeout(grant: HeldGrant, index: number): void {
    const position = index - grant.first;
    if (position < grant.from || position >= grant.to || grant.answered.has(position)) return;
    this.#reportTimeout(grant, index);
    grant.answered.add(position);
  }

  #reportTimeout(grant: HeldGrant, index: number): void {
    const { timeoutMs } = this.#options.assign.spec;
    const message = `the call for input ${index} ran longer than ${timeoutMs ?? 0} ms; its worker was killed`;
    const body = encodeEnvelopes([{ kind: "burla", code: "BURLA_TIMEOUT", message }]);
    const batch = { first: index, count: 1, indices: null, failed: [0], final: [], valuesBytes: 0 };
    this.#work.report(
      { type: "nodeResults", jobId: this.jobId, grantId: grant.grantId, ...batch, runMs: timeoutMs ?? 0 },
      body,
    );
  }

  #end(grant: HeldGrant, cause: Of<NodeToMain, "grantEnded">["cause"], detail: string, unfinished: number[], lostWorkers: 0 | 1 = 0): void {
    if (this.#ending.signal.aborted || unfinished.length === 0) return;
    this.#work.report({ type: "grantEnded", jobId: this.jobId, grantId: grant.grantId, cause, detail: detail.slice(0, 4000), lostWorkers, unfinished }, new Uint8Array(0));
  }
}

/** Nothing that ran in a container is to blame when its engine stops. */
function causeOf(report: ExitReport, isTimedOut: boolean): Of<NodeToMain, "grantEnded">["cause"] {
  if (isTimedOut) return "timeout";
  if (report.cause === "engine-stopped") return "released";
  return report.outOfMemory !== null ? "out-of-memory" : "worker-exited";
}
