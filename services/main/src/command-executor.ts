/** Carries out what the core has decided: job logs first, then nodes and readers are told. Decides nothing. */
import { EMPTY_BODY, encodeEnvelopes, type BundleId, type JobSpec, type NodeId } from "@burla/protocol";
import type { Command } from "./core/events.ts";
import { snapshotJob } from "./core/snapshot.ts";
import type { CoreState } from "./core/state.ts";
import type { Carried } from "./core-loop.ts";
import type { ElsewhereJobs } from "./elsewhere-jobs.ts";
import { failureOf, failuresIn, keepFailures } from "./failures.ts";
import type { JobEntry } from "./job-entry.ts";
import type { NodeLine } from "./node-line.ts";
import type { ProgressTeller } from "./progress-teller.ts";
import type { Bundles } from "./store/bundles.ts";
import type { Summaries } from "./summaries.ts";

type NodeOnly = Extract<Command, { type: "stop" | "drain" }>;
/** What is about a job's own entry; a node is replaced by its provider. */
type OfJob = Exclude<Command, NodeOnly | { type: "replaceNode" }>;

export interface CommandExecutorOptions {
  /** Only read here. */
  readonly state: CoreState;
  readonly nodes: ReadonlyMap<NodeId, NodeLine>;
  readonly bundles: Pick<Bundles, "find">;
  readonly elsewhere: Pick<ElsewhereJobs, "ended"> | null;
  readonly summaries: Pick<Summaries, "ended">;
  readonly progress: ProgressTeller;
  readonly log: { info(fields: object, text: string): void; error(fields: object, text: string): void };
  /** A job has ended. */
  readonly onActivity: () => void;
}

export class CommandExecutor {
  readonly #options: CommandExecutorOptions;
  /** Of the bundle that was asked for last, as long as some node has not been sent all of it: they share its bytes. */
  #code: { readonly id: BundleId; readonly bytes: WeakRef<Uint8Array> } | undefined;
  readonly #longLogs = new Set<JobEntry>();
  #endedDuplicates = 0;

  constructor(options: CommandExecutorOptions) {
    this.#options = options;
  }

  /** Results that came twice, of jobs that have ended. */
  get endedDuplicates(): number {
    return this.#endedDuplicates;
  }

  /** What only a node hears, which needs nothing of the job but its name. */
  tellNode(command: NodeOnly): void {
    const { type, nodeId, jobId } = command;
    this.#options.nodes.get(nodeId)?.send(type === "drain" ? { type, jobId } : { type, jobId, reason: command.reason.slice(0, 1000) });
  }

  /** @throws BurlaError BURLA_STORAGE */
  carryOut(entry: JobEntry, command: OfJob, carried: Carried): void {
    // A job that a command of the same turn has ended has only nodes left that must hear of it.
    if (entry.finished !== null) return;
    switch (command.type) {
      case "assign":
        return this.#assign(entry, command);
      case "grant":
        return this.#grant(entry, command);
      case "credit":
        return entry.owner?.send({ ...command, chunksStored: entry.chunksStored });
      case "deliver":
        return this.#deliver(entry, command, carried);
      case "requeued":
        return entry.log.append({ type: "grant", grantId: 0, nodeId: null, range: command.range });
      case "phase":
        return entry.log.append({ type: "phase", phase: command.phase });
      case "giveUp":
        return this.#giveUp(entry, command);
      case "chunkAnswered":
        return entry.forgetChunk(command.chunkId);
      case "finished":
        return this.#finish(entry, command);
    }
  }

  #assign(entry: JobEntry, { nodeId, jobId, workers }: Extract<Command, { type: "assign" }>): void {
    const link = this.#options.nodes.get(nodeId);
    if (link === undefined) return;
    const bundle = entry.spec.bundle.id;
    // A node that is sent none and has none asks for it.
    const code = link.hasBundle(bundle) ? EMPTY_BODY : this.#codeOf(entry.spec);
    const values = entry.values();
    if (code.byteLength > 0) link.noteBundle(bundle);
    entry.startedAt ??= Date.now();
    link.send({ type: "assign", jobId, spec: entry.spec, workers, token: entry.token, codeBytes: code.byteLength }, code, values);
  }

  #codeOf(spec: JobSpec): Uint8Array {
    const { id } = spec.bundle;
    const shared = this.#code?.id === id ? this.#code.bytes.deref() : undefined;
    if (shared !== undefined) return shared;
    const code = this.#options.bundles.find(spec) ?? EMPTY_BODY;
    this.#code = code.byteLength > 0 ? { id, bytes: new WeakRef(code) } : undefined;
    return code;
  }

  #grant(entry: JobEntry, { nodeId, jobId, grantId, chunkId, from, to, attempt, losses, failures }: Extract<Command, { type: "grant" }>): void {
    const first = this.#options.state.jobs.get(jobId)?.chunks.get(chunkId)?.first;
    if (first === undefined) return;
    entry.log.append({ type: "grant", grantId, nodeId, range: { chunkId, from, to, attempt, losses, failures } });
    this.#options.nodes.get(nodeId)?.send({ type: "grant", jobId, grantId, chunkId, first, from, to, attempt, alone: losses > 0 }, entry.chunk(chunkId));
  }

  #deliver(entry: JobEntry, { seq, nodeId, dropped }: Extract<Command, { type: "deliver" }>, carried: Carried): void {
    if (carried === null) return;
    const { first, count, indices, failed, valuesBytes, jobId } = carried.message;
    entry.deliver({ type: "results", jobId, seq, first, count, indices, failed, valuesBytes, dropped, nodeId }, carried.body);
    if (entry.log.isLong) this.#longLogs.add(entry);
    if (failed.length > 0) keepFailures(entry, this.#options.log, () => failuresIn({ ...carried.message, dropped }, carried.body));
  }

  #giveUp(entry: JobEntry, { jobId, seq, nodeId, index, code, message }: Extract<Command, { type: "giveUp" }>): void {
    const body = encodeEnvelopes([{ kind: "burla", code, message }]);
    keepFailures(entry, this.#options.log, () => [failureOf(index, { kind: "burla", code, message })]);
    entry.deliver(
      { type: "results", jobId, seq, first: index, count: 1, indices: null, failed: [0], valuesBytes: 0, dropped: [], nodeId },
      body,
    );
  }

  #finish(entry: JobEntry, { jobId, outcome, reason, isCutShort, job }: Extract<Command, { type: "finished" }>): void {
    const { progress, summaries, log, elsewhere, onActivity } = this.#options;
    progress.forget(jobId);
    this.#endedDuplicates += job.duplicates;
    const summary = summaries.ended(entry, job, outcome, reason);
    log.info({ jobId, outcome, reason, inputs: summary.inputs }, "job ended");
    entry.broadcast({ ...progress.of(job), phase: "running", reason: "", running: 0 });
    entry.finish(
      { type: "finished", jobId, outcome, reason: reason.slice(0, 4000), inputs: summary.done + summary.failed, failed: summary.failed },
      isCutShort ? interruption(reason) : entry.failure,
      summary,
    );
    if (entry.spec.queue !== null) elsewhere?.ended(jobId, outcome, reason);
    onActivity();
  }

  /** When all that was decided is written down: only then the state and the log say the same. */
  shortenLogs(): void {
    const { state } = this.#options;
    for (const entry of this.#longLogs) {
      const job = state.jobs.get(entry.jobId);
      if (job !== undefined) entry.log.compact(snapshotJob(state, job), entry.takenByAll);
    }
    this.#longLogs.clear();
  }
}

/** Who reads the job must hear that there are not all results, whether some of them are failures or not. */
function interruption(reason: string): Uint8Array {
  return encodeEnvelopes([{ kind: "burla", code: "BURLA_INTERRUPTED", message: reason }]);
}
