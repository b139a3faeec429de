/**
 * The shell around the core: what clients and nodes say becomes events, and what has changed is told. All that is decided
 * is decided in `core/`; all that is kept is kept in the job logs before anybody is told of it.
 */
import {
  BurlaError, decodeEnvelopes, encodeEnvelopes, logEntriesSchema, MAX_WINDOW_BYTES, MAX_WINDOW_INPUTS, messageOf, toldText, unpack, type JobFailure, type JobId, type JobSpec,
  type NodeId,
} from "@burla/protocol";
import * as v from "valibot";
import type { JobProgress } from "@burla/queue";
import { CodeDesk } from "./code-desk.ts";
import { CommandExecutor } from "./command-executor.ts";
import type { Command, Event, QueueHeld } from "./core/events.ts";
import { demandsOf } from "./core/growth.ts";
import { isElsewhere } from "./core/job.ts";
import type { CoreState } from "./core/state.ts";
import { CoreLoop, type Carried } from "./core-loop.ts";
import { failureOf, failureOfJob, keepFailures } from "./failures.ts";
import { stackOf } from "./fault.ts";
import type { ElsewhereJobs } from "./elsewhere-jobs.ts";
import { checkFits } from "./fits.ts";
import type { JobEntry, ReaderConnection } from "./job-entry.ts";
import type { NodeLine } from "./node-line.ts";
import { ProgressTeller } from "./progress-teller.ts";
import { KEEP_RESULTS_MS, type JobRegistry, type Unrestored } from "./registry.ts";
import type { Ownership } from "./rights.ts";
import type { MachineProvider, NodeDemand } from "./providers/provider.ts";
import type { BlobStore } from "./store/blobs.ts";
import { Bundles } from "./store/bundles.ts";
import type { LoggedLines, NewLines } from "./store/line-log.ts";
import { Summaries } from "./summaries.ts";
import type { Changes } from "./watch/changes.ts";

/** Every so many batches the consumer's position is written down, so that a restart does not recount all. */
const BATCHES_PER_RECORD = 64;

/** Files that could not be read are tried again after this long at first, and later. */
const FIRST_UNREAD_MS = 500;
const MAX_UNREAD_MS = 30_000;

/** Credit is never more than one window beyond what was taken: a client that is so many ahead does not count. */
const FLOOD_WINDOWS = 4;

export interface ClusterOptions {
  readonly registry: JobRegistry;
  readonly blobs: BlobStore;
  /** A job that asks for more than its largest worker is refused. */
  readonly provider: Pick<MachineProvider, "largestWorker" | "machineOf" | "machines" | "joined" | "replace">;
  /** Told of whatever people see change. */
  readonly changes: Changes;
  /** Images that containers may have; a job that asks for another is refused. */
  readonly images: readonly string[];
  /** Looks after jobs whose queue is elsewhere; null where all are here. */
  readonly elsewhere: ElsewhereJobs | null;
  readonly log: { info(fields: object, text: string): void; error(fields: object, text: string): void };
  /** Something began or ended: the idle time may have to be counted anew. */
  readonly onActivity: () => void;
}

export class Cluster {
  readonly summaries: Summaries;
  readonly #options: ClusterOptions;
  readonly #loop: CoreLoop;
  /** The loop's, only read here. */
  readonly #state: CoreState;
  readonly #nodes = new Map<NodeId, NodeLine>();
  readonly #progress: ProgressTeller;
  readonly #executor: CommandExecutor;
  #unreadTimer: NodeJS.Timeout | undefined;
  readonly #bundles: Bundles;
  readonly #code: CodeDesk;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { registry, provider } = options;
    this.#loop = new CoreLoop({
      execute: (command, carried) => this.#execute(command, carried),
      onEvent: (event) => this.#noteChanges(event),
      onSettled: () => this.#executor.shortenLogs(),
    });
    this.#state = this.#loop.state;
    this.summaries = new Summaries({
      state: this.#state, registry, nodes: this.#nodes, machineOf: (nodeId) => provider.machineOf(nodeId), machines: () => provider.machines, duplicates: () => this.duplicates,
    });
    this.#progress = new ProgressTeller({ state: this.#state, registry, summaries: this.summaries });
    this.#bundles = new Bundles(options.blobs);
    this.#code = new CodeDesk({ nodes: this.#nodes, bundles: this.#bundles });
    this.#executor = new CommandExecutor({ ...options, bundles: this.#bundles, state: this.#state, nodes: this.#nodes, summaries: this.summaries, progress: this.#progress });
  }

  /** Takes up what an earlier main left. */
  restore(): void {
    this.#tellUnrestored(this.#options.registry.restore(this.#state, this.#loop.nowMs));
    for (const job of this.#state.jobs.values()) this.#loop.apply({ type: "clientLost", jobId: job.id, reads: false });
    this.#options.elsewhere?.watch();
    this.#loop.settleSoon();
    this.#restoreLater(FIRST_UNREAD_MS);
  }

  /** Jobs whose files could not be read: perhaps they can by now. */
  #restoreLater(waitMs: number): void {
    const { registry, changes } = this.#options;
    if (!registry.hasUnread) return;
    this.#unreadTimer = setTimeout(() => {
      const { back, damaged } = registry.restoreUnread(this.#state, this.#loop.nowMs);
      this.#tellUnrestored(damaged);
      for (const jobId of back) {
        if (this.#state.jobs.has(jobId)) this.handle({ type: "clientLost", jobId, reads: false });
        changes.job(jobId);
        this.#options.log.info({ jobId }, "the files of a job could be read");
      }
      if (back.length > 0) this.#options.elsewhere?.watch();
      this.#restoreLater(Math.min(MAX_UNREAD_MS, waitMs * 2));
    }, waitMs).unref();
  }

  #tellUnrestored(jobs: readonly Unrestored[]): void {
    for (const { jobId, error, isDamaged } of jobs) {
      this.#options.log.error({ jobId, error: messageOf(error) }, isDamaged ? "the files of a job are damaged; it was put aside" : "the files of a job cannot be read now; it is tried again");
    }
  }

  /** @throws BurlaError BURLA_STORAGE for a job that this cluster would know if its files could be read. */
  checkReadable(jobId: JobId): void {
    this.#options.registry.checkReadable(jobId);
  }

  /** Forgets what was kept long enough: ended jobs, interrupted ones that nobody has taken up, bundles that nobody uses. */
  prune(): void {
    const sinceMs = Date.now() - KEEP_RESULTS_MS;
    for (const job of [...this.#state.jobs.values()]) {
      const isForgotten = job.phase === "interrupted" && (this.entry(job.id)?.log.writtenAt ?? Infinity) < sinceMs;
      if (isForgotten) this.handle({ type: "cancelRequested", jobId: job.id, reason: "nobody has taken it up for a week" });
    }
    const { registry, blobs } = this.#options;
    registry.prune();
    if (registry.hasUnread) return;
    blobs.prune(new Set([...registry.entries].map(({ spec }) => spec.bundle.id)), sinceMs);
  }

  get hasWork(): boolean {
    return [...this.#state.jobs.values()].some((job) => job.phase === "running");
  }

  /** There is work, or somebody takes results. */
  get isInUse(): boolean {
    return this.hasWork || [...this.#options.registry.entries].some((entry) => entry.readers > 0);
  }

  /** Machines come, go, or cannot be had: what jobs wait for reads otherwise. */
  machinesChanged(): void {
    this.#options.changes.cluster();
    this.#options.changes.waits();
    for (const jobId of this.summaries.waiting()) this.#progress.soon(jobId);
  }

  /** Nodes that work for a job. */
  get busyNodes(): Set<NodeId> {
    return new Set([...this.#state.nodes.values()].flatMap((node) => (node.rootId === null ? [] : [node.id])));
  }

  /** What jobs would have of the nodes that they may add. */
  get nodeDemands(): NodeDemand[] {
    return demandsOf(this.#state, this.#loop.nowMs);
  }

  entry(jobId: JobId): JobEntry | undefined {
    return this.#options.registry.get(jobId);
  }

  /**
   * A new job, from the client that will feed it.
   * @throws BurlaError BURLA_NO_FITTING_NODE, BURLA_STORAGE
   */
  submit(jobId: JobId, spec: JobSpec, values: Uint8Array, owner: ReaderConnection, person: string | null = null): JobEntry {
    checkFits(spec, this.#options);
    this.#bundles.touch(spec);
    const parent = spec.parent === null ? undefined : this.#state.jobs.get(spec.parent);
    const entry = this.#options.registry.create(jobId, spec, parent?.rootId ?? jobId, values, person);
    entry.owner = owner;
    entry.attach(owner, 0, 0);
    this.handle({ type: "jobSubmitted", jobId, spec });
    this.#options.onActivity();
    return entry;
  }

  /** Whose a job is, also one of which nothing but its summary is left; undefined when there is no such job. */
  ownership(jobId: JobId): Ownership | undefined {
    const entry = this.entry(jobId);
    if (entry !== undefined) return { jobId, person: entry.person, parent: entry.spec.parent };
    const summary = this.#options.registry.summary(jobId);
    return summary && { jobId, person: summary.person ?? null, parent: summary.parent as JobId | null };
  }

  /** Ends what somebody has under way who may not use the cluster any more. */
  cancelJobsOf(person: string, reason: string): void {
    for (const { id } of [...this.#state.jobs.values()]) {
      if (this.entry(id)?.person === person) this.handle({ type: "cancelRequested", jobId: id, reason });
    }
  }

  /** As `JobRegistry.lines`. */
  readLines(jobId: JobId, options: { follow: boolean; signal: AbortSignal }): AsyncGenerator<LoggedLines> | undefined {
    const { elsewhere, registry } = this.#options;
    const entry = this.entry(jobId);
    return elsewhere !== null && entry !== undefined && entry.spec.queue !== null ? linesElsewhere(elsewhere, entry, options) : registry.lines(jobId, options);
  }

  /** The first failures of a job, the oldest first. */
  failures(jobId: JobId): JobFailure[] {
    return this.#options.registry.failures(jobId) ?? [];
  }

  /** Jobs under way whose queue is elsewhere and that no program feeds. */
  get uncounted(): JobId[] {
    return [...this.#state.jobs.values()].filter((job) => isElsewhere(job) && job.client !== "feeds").map(({ id }) => id);
  }

  /** How far such a job is, as its queue says. */
  counted(jobId: JobId, { document, pushed, answered, failed }: JobProgress): void {
    const entry = this.entry(jobId);
    if (entry === undefined || entry.finished !== null) return;
    const { state, reason } = document;
    const total = document.total < 0 ? null : document.total;
    if (total !== null && !entry.inputsEnded) entry.endInputs(total);
    this.countsArrived({ jobId, pushed, answered, failed, total });
    if (state === "cancelled") this.handle({ type: "cancelRequested", jobId, reason });
  }

  /** A node says what it has of a job whose queue is elsewhere. */
  heldArrived(held: QueueHeld): void {
    this.handle(held);
    this.#options.elsewhere?.heard(held.jobId);
  }

  countsArrived(counts: Omit<Extract<Event, { type: "queueCounts" }>, "type">): void {
    const { elsewhere } = this.#options;
    const before = this.#state.jobs.get(counts.jobId)?.failedInputs ?? 0;
    if (counts.failed > before && this.entry(counts.jobId)?.failures.isFull === false) elsewhere?.failed(counts.jobId);
    this.handle({ type: "queueCounts", ...counts });
    this.#progress.soon(counts.jobId);
  }

  /** The first failures of a job whose queue is elsewhere, perhaps some of them once more. */
  failuresFound(jobId: JobId, failures: JobFailure[]): void {
    const entry = this.entry(jobId);
    if (entry === undefined) return;
    const known = new Set(entry.failures.read().map(({ index }) => index));
    entry.failures.append(failures.filter(({ index }) => !known.has(index)));
    entry.failuresKnown();
    this.#options.changes.job(jobId);
  }

  /** Feeds one event to the core and does what it says. */
  handle(event: Event, carried: Carried = null): void {
    this.#loop.handle(event, carried);
  }

  /** A node has said how it is, and perhaps something new of what it does for jobs that have not begun. */
  nodeStateChanged(nodeId: NodeId, preparesOther: boolean): void {
    this.#options.changes.node(nodeId);
    // Such as a full disk: who waits for it is told why, at once.
    if (this.#nodes.get(nodeId)?.state.state === "FAILED") for (const jobId of this.summaries.waiting()) this.#progress.soon(jobId);
    if (!preparesOther) return;
    for (const jobId of this.#state.nodes.get(nodeId)?.jobs.keys() ?? []) {
      this.#options.changes.job(jobId);
      this.#progress.soon(jobId);
    }
  }

  /** More inputs than any credit allowed: what a client sends that does not heed it would fill the disk. */
  isFlooded(jobId: JobId): boolean {
    const job = this.#state.jobs.get(jobId);
    if (job === undefined || job.spec.detach) return false;
    const [inputs, bytes] = [job.pushedInputs - job.ackedInputs, job.pushedBytes - job.answeredBytes];
    return inputs > FLOOD_WINDOWS * MAX_WINDOW_INPUTS || bytes > FLOOD_WINDOWS * MAX_WINDOW_BYTES;
  }

  consumed(entry: JobEntry, connection: ReaderConnection, seq: number): void {
    entry.acked(connection, seq);
    if (seq - entry.ackOnRecord >= BATCHES_PER_RECORD && entry.finished === null) {
      entry.ackOnRecord = seq;
      entry.log.append({ type: "ack", seq });
    }
    this.handle({ type: "acked", jobId: entry.jobId, seq });
  }

  /** A reader comes, or comes back; with `push` it feeds the job. */
  clientBack(jobId: JobId, push: boolean): void {
    this.handle({ type: "clientBack", jobId, push });
    const entry = this.entry(jobId);
    if (push && entry !== undefined) this.#code.feederBack(entry);
    this.#options.elsewhere?.watch();
  }

  /** A node has not the code that it needs for a job. */
  codeNeeded(nodeId: NodeId, jobId: JobId): void {
    const entry = this.entry(jobId);
    if (entry?.finished === null) this.#code.asked(nodeId, entry);
  }

  /** The program of a job has sent its code again. @throws BurlaError BURLA_PROTOCOL when it is something else; BURLA_STORAGE */
  codeArrived(entry: JobEntry, code: Uint8Array): void {
    this.#code.arrived(entry, Buffer.from(code));
  }

  /** A reader goes, or its connection was lost. */
  leave(entry: JobEntry, connection: ReaderConnection, onPurpose: boolean): void {
    const wasOwner = entry.owner === connection;
    entry.detach(connection);
    if (entry.finished !== null) {
      if (onPurpose && !entry.spec.detach && entry.readers === 0) this.#discard(entry);
    } else if (wasOwner || entry.readers === 0) {
      this.handle({ type: "clientLost", jobId: entry.jobId, reads: entry.readers > 0 });
      this.#options.elsewhere?.watch();
    }
    this.#options.onActivity();
  }

  /** Nobody will read its results again. */
  #discard(entry: JobEntry): void {
    const { elsewhere, registry } = this.#options;
    if (entry.spec.queue !== null) elsewhere?.discard(entry.jobId);
    registry.discardData(entry);
  }

  nodeConnected(link: NodeLine): void {
    this.#nodes.get(link.nodeId)?.replaced("the node has dialled again");
    this.#nodes.set(link.nodeId, link);
    const { cpu, ramMiB, maxCpu, maxRamMiB, pid, jobs, holding } = link.hello;
    this.handle({ type: "nodeJoined", nodeId: link.nodeId, cpu, ramMiB, maxCpu, maxRamMiB, jobs, holding });
    this.#options.provider.joined(link.nodeId, pid);
  }

  nodeDisconnected(link: NodeLine): void {
    if (this.#nodes.get(link.nodeId) !== link) return;
    this.#nodes.delete(link.nodeId);
    this.handle({ type: "nodeDisconnected", nodeId: link.nodeId });
  }

  #replace(nodeId: NodeId): void {
    this.#options.log.error({ nodeId }, "a node has not renewed its lease; it is replaced");
    const link = this.#nodes.get(nodeId);
    this.#nodes.delete(nodeId);
    link?.replaced("its lease has ended");
    this.#options.provider.replace(nodeId);
    this.#options.changes.node(nodeId);
    this.#options.changes.waits();
  }

  nodeGone(nodeId: NodeId): void {
    this.#nodes.delete(nodeId);
    this.handle({ type: "nodeGone", nodeId });
  }

  /**
   * A job cannot go on: its log cannot be written or read, or what was said of it could not be handled. The error is the
   * job's: whatever it answers now would be lost. What is no error of Burla's is a fault of main, and its stack is kept.
   */
  failJob(jobId: JobId, cause: unknown): void {
    const entry = this.entry(jobId);
    const error = cause instanceof BurlaError ? cause : new BurlaError("BURLA_PROTOCOL", `a fault in the main service: ${messageOf(cause)}`);
    const reason = firstLine(error);
    this.#options.log.error({ jobId, reason, ...(cause === error ? {} : { stack: stackOf(cause) }) }, "a job cannot go on");
    if (entry === undefined || entry.finished !== null) return;
    const envelope = { kind: "burla", code: error.code, message: toldText(error) } as const;
    entry.failure = encodeEnvelopes([envelope]);
    keepFailures(entry, this.#options.log, () => [failureOf(-1, envelope)]);
    this.handle({ type: "jobFailed", jobId, reason });
  }

  /** The function of a job could not be loaded: the error is the job's. */
  loadFailed(nodeId: NodeId, jobId: JobId, envelope: Uint8Array): void {
    const entry = this.entry(jobId);
    if (entry !== undefined) {
      entry.failure = envelope;
      keepFailures(entry, this.#options.log, () => failureOfJob(decodeEnvelopes(envelope)));
    }
    this.handle({ type: "loadFailed", nodeId, jobId });
  }

  lines(jobId: JobId, lines: NewLines, body: Uint8Array): void {
    this.entry(jobId)?.sendLines(lines, body);
  }

  /** Ends the jobs whose programs wait for them, and asks all nodes to end. The others go on with the next main. */
  shutdown(reason: string): void {
    for (const job of [...this.#state.jobs.values()]) {
      // The program of a job in its grace was there a moment ago.
      const isWaitedFor = job.client === "feeds" || job.grace !== null;
      if (isWaitedFor && !job.spec.detach) this.#loop.apply({ type: "cancelRequested", jobId: job.id, reason: `the cluster was shut down (${reason})` });
      else this.#turnAway(job.id, `the cluster was shut down (${reason}); the job goes on when it is started again`);
    }
    for (const link of this.#nodes.values()) link.send({ type: "shutdown", reason });
    clearTimeout(this.#unreadTimer);
    this.#loop.close();
    this.#progress.close();
    this.#code.close();
  }

  #turnAway(jobId: JobId, message: string): void {
    this.entry(jobId)?.broadcast({ type: "refused", jobId, code: "BURLA_UNREACHABLE", message });
  }

  get duplicates(): number {
    return [...this.#state.jobs.values()].reduce((sum, job) => sum + job.duplicates, this.#executor.endedDuplicates);
  }

  /** Beside what commands change: see `#execute`. */
  #noteChanges(event: Event): void {
    const { changes } = this.#options;
    switch (event.type) {
      case "renewed":
        return;
      case "tick":
        // A job whose program went away stops counting as work.
        this.#options.onActivity();
        return changes.waits();
      case "nodeJoined":
      case "nodeReady":
      case "nodeDisconnected":
      case "nodeLeaving":
      case "nodeGone":
        changes.node(event.nodeId);
        return changes.waits();
      default:
        return changes.job(event.jobId);
    }
  }

  #execute(command: Command, carried: Carried): void {
    if (command.type === "replaceNode") return this.#replace(command.nodeId);
    const entry = this.#options.registry.get(command.jobId);
    if (entry !== undefined) {
      this.#progress.soon(command.jobId);
      this.#options.changes.job(command.jobId);
    }
    if (command.type === "assign" || command.type === "stop") {
      this.#options.changes.node(command.nodeId);
      this.#options.changes.waits();
    }
    // A node may work for a job of which nothing is left here: it must hear that this is over all the same.
    if (command.type === "stop" || command.type === "drain") return this.#executor.tellNode(command);
    if (entry === undefined) return;
    try {
      this.#executor.carryOut(entry, command, carried);
    } catch (error) {
      this.failJob(entry.jobId, error);
    }
  }
}

async function* linesElsewhere(elsewhere: ElsewhereJobs, entry: JobEntry, { follow, signal }: { follow: boolean; signal: AbortSignal }): AsyncGenerator<LoggedLines> {
  const stop = AbortSignal.any([signal, entry.over]);
  for await (const { nodeId, droppedLines, entries } of elsewhere.lines(entry.jobId, { follow, signal: stop })) {
    if (signal.aborted) return;
    yield { nodeId: nodeId as NodeId, droppedLines, entries: v.parse(logEntriesSchema, unpack(entries)) };
  }
}

/** Without the cure, which follows it. */
function firstLine(error: BurlaError): string {
  return error.message.split("\n")[0] ?? "";
}
