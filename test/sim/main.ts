/**
 * Main around the real core: the same order of things as in its shell (log first, then tell), with a log in memory that
 * outlives it. It can die between any two records.
 */
import * as v from "valibot";
import { MAX_WINDOW_INPUTS, type JobId, type JobSpec, type NodeId, type Of, type MainToClient } from "@burla/protocol";
import type { Command, Event } from "../../services/main/src/core/events.ts";
import { checkInvariants } from "../../services/main/src/core/invariants.ts";
import { restoreJob } from "../../services/main/src/core/restore.ts";
import { snapshotJob } from "../../services/main/src/core/snapshot.ts";
import type { CoreState, Job } from "../../services/main/src/core/state.ts";
import { createState, settle, step } from "../../services/main/src/core/step.ts";
import { compacted, type Kept } from "../../services/main/src/store/compaction.ts";
import type { Finished, JobRecord } from "../../services/main/src/store/job-log.ts";
import { recordSchema } from "../../services/main/src/store/job-records.ts";
import { replayJob } from "../../services/main/src/store/replay.ts";
import type { Link } from "./link.ts";
import type { FromClient, FromNode, Outcome, ToClient, ToNode } from "./messages.ts";
import type { World } from "./world.ts";

type Results = Extract<ToClient, { type: "results" }>;
interface Entry {
  readonly jobId: JobId;
  readonly spec: JobSpec;
  readonly rootId: JobId;
  readonly readers: Set<ClientLink>;
  owner: ClientLink | null;
  finished: Finished | null;
  chunksStored: number;
  inputsStored: number;
  inputsEnded: boolean;
  lastSeq: number;
  /** What each reader has acknowledged. */
  readonly acked: Map<ClientLink, number>;
  /** Results up to this one are not kept any more. */
  resultsAfter: number;
}

/** After so many turns a job's log is shortened, on the average: far more often than in truth. */
const SHORTEN_EVERY = 30;

/** What a death of main leaves: the records of each job, and beside them what each input came to. */
export class Disk {
  readonly logs = new Map<JobId, { record: JobRecord; bytes: number; body?: Uint8Array }[]>();
  readonly outcomes = new Map<string, readonly Outcome[]>();
  /** Order of all records, to tear off the last ones. */
  readonly order: JobId[] = [];

  /** The machine went down: the last records are lost, of those that nobody was told of. */
  tear(records: number): void {
    for (let torn = 0; torn < records; torn++) {
      const log = this.logs.get(this.order[this.order.length - 1] ?? ("" as JobId));
      const last = log?.[log.length - 1];
      if (last === undefined || (last.record.type !== "grant" && last.record.type !== "ack")) return;
      log?.pop();
      this.order.pop();
    }
  }
}

export class Crash extends Error {}

export class ClientLink {
  readonly jobs = new Map<JobId, Entry>();
  link: Link<ToClient, FromClient> | undefined;
  readonly #main: SimMain;

  constructor(main: SimMain) {
    this.#main = main;
  }

  receive(message: FromClient): void {
    this.#main.guarded(() => this.#main.fromClient(this, message));
  }

  closed(): void {
    this.#main.guarded(() => this.#main.clientClosed(this));
  }

  send(message: ToClient): void {
    this.link?.sendToA(message);
  }
}

export class NodeLink {
  link: Link<ToNode, FromNode> | undefined;
  readonly nodeId: NodeId;
  readonly #main: SimMain;

  constructor(main: SimMain, nodeId: NodeId) {
    this.#main = main;
    this.nodeId = nodeId;
  }

  receive(message: FromNode): void {
    this.#main.guarded(() => this.#main.fromNode(this, message));
  }

  closed(): void {
    this.#main.guarded(() => this.#main.nodeClosed(this));
  }

  send(message: ToNode): void {
    this.link?.sendToA(message);
  }
}

export class SimMain {
  readonly state: CoreState = createState();
  isDead = false;
  /** It dies when it has written so many more records. */
  recordsToLive = Infinity;
  readonly #world: World;
  readonly #disk: Disk;
  readonly #entries = new Map<JobId, Entry>();
  readonly #nodes = new Map<NodeId, NodeLink>();
  readonly links = new Set<NodeLink | ClientLink>();
  #settling = false;
  #timerAtMs = Infinity;
  #carried: Extract<FromNode, { type: "nodeResults" }> | null = null;

  constructor(world: World, disk: Disk) {
    this.#world = world;
    this.#disk = disk;
    for (const jobId of disk.logs.keys()) this.#restore(jobId);
    this.#afterEvent();
  }

  guarded(run: () => void): void {
    if (this.isDead) return;
    try {
      run();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#world.mainCrashed();
    }
  }

  entry(jobId: JobId): Pick<Entry, "finished"> | undefined {
    return this.#entries.get(jobId);
  }

  fromClient(link: ClientLink, message: FromClient): void {
    const { jobId } = message;
    if (message.type === "submit") return this.#submit(link, message);
    const entry = message.type === "attach" || message.type === "cancel" ? this.#entries.get(jobId) : link.jobs.get(jobId);
    switch (message.type) {
      case "attach":
        if (entry === undefined) return link.send({ type: "refused", jobId, code: "BURLA_NO_SUCH_JOB", message: "" });
        return this.#attach(link, entry, message);
      case "inputs": {
        if (entry === undefined || entry.owner !== link || message.chunkId !== entry.chunksStored || entry.finished !== null) return;
        const { chunkId, first, count, bytes } = message;
        this.#append(jobId, { type: "chunk", chunkId, first, count }, bytes);
        entry.chunksStored = chunkId + 1;
        entry.inputsStored = first + count;
        return this.#handle({ type: "chunkPushed", jobId, chunkId, first, count, bytes });
      }
      case "inputsEnd":
        if (entry === undefined || entry.owner !== link || entry.finished !== null || entry.inputsEnded) return;
        if (message.total !== entry.inputsStored) return;
        this.#append(jobId, { type: "inputsEnd", total: message.total });
        entry.inputsEnded = true;
        return this.#handle({ type: "inputsEnded", jobId, total: message.total });
      case "ack":
        if (entry === undefined) return;
        entry.acked.set(link, Math.max(entry.acked.get(link) ?? 0, message.seq));
        if (entry.finished === null) this.#append(jobId, { type: "ack", seq: message.seq });
        return this.#handle({ type: "acked", jobId, seq: message.seq });
      case "cancel":
        return this.#handle({ type: "cancelRequested", jobId, reason: message.reason });
    }
  }

  clientClosed(link: ClientLink): void {
    this.links.delete(link);
    for (const entry of link.jobs.values()) {
      const wasOwner = entry.owner === link;
      entry.readers.delete(link);
      if (wasOwner) entry.owner = null;
      if (entry.finished === null && (wasOwner || entry.readers.size === 0)) this.#handle({ type: "clientLost", jobId: entry.jobId, reads: entry.readers.size > 0 });
    }
  }

  fromNode(link: NodeLink, message: FromNode): void {
    const { nodeId } = link;
    if (message.type === "nodeHello") {
      this.#nodes.set(nodeId, link);
      const { cpu, ramMiB, maxCpu, maxRamMiB, jobs, holding } = message;
      return this.#handle({ type: "nodeJoined", nodeId, cpu, ramMiB, maxCpu, maxRamMiB, jobs, holding });
    }
    if (this.#nodes.get(nodeId) !== link) return;
    switch (message.type) {
      case "ready":
        return this.#handle({ type: "nodeReady", nodeId });
      case "renew":
        return this.#handle({ type: "renewed", nodeId, jobs: message.jobs });
      case "nodeResults": {
        const { jobId, grantId, runMs, valuesBytes } = message;
        this.#carried = message;
        this.#handle({ type: "resultsArrived", nodeId, jobId, grantId, batch: message, bytes: valuesBytes, runMs });
        return link.send({ type: "stored", nodeSeq: message.nodeSeq });
      }
      case "grantEnded":
        this.#handle({ ...message, nodeId });
        return link.send({ type: "stored", nodeSeq: message.nodeSeq });
    }
  }

  nodeClosed(link: NodeLink): void {
    this.links.delete(link);
    if (this.#nodes.get(link.nodeId) !== link) return;
    this.#nodes.delete(link.nodeId);
    this.#handle({ type: "nodeDisconnected", nodeId: link.nodeId });
  }

  nodeGone(nodeId: NodeId): void {
    this.guarded(() => {
      this.#nodes.delete(nodeId);
      this.#handle({ type: "nodeGone", nodeId });
    });
  }

  #submit(link: ClientLink, { jobId, spec }: Extract<FromClient, { type: "submit" }>): void {
    const known = this.#entries.get(jobId);
    if (known !== undefined) return this.#attach(link, known, { afterSeq: 0, push: true });
    const rootId = (spec.parent === null ? undefined : this.state.jobs.get(spec.parent)?.rootId) ?? jobId;
    const entry: Entry = {
      jobId, spec, rootId, readers: new Set([link]), owner: link, finished: null, chunksStored: 0, inputsStored: 0, inputsEnded: false, lastSeq: 0,
      acked: new Map([[link, 0]]), resultsAfter: 0,
    };
    this.#append(jobId, { type: "job", jobId, spec, rootId, createdAt: 0, token: "", person: null });
    this.#entries.set(jobId, entry);
    link.jobs.set(jobId, entry);
    this.#handle({ type: "jobSubmitted", jobId, spec });
    link.send({ type: "accepted", jobId, name: "", chunksStored: 0, inputsEnded: false, queue: null });
  }

  #attach(link: ClientLink, entry: Entry, { afterSeq, push }: { afterSeq: number; push: boolean }): void {
    const { jobId, chunksStored, inputsEnded } = entry;
    if (afterSeq < entry.resultsAfter) return link.send({ type: "refused", jobId, code: "BURLA_NO_SUCH_JOB", message: "" });
    link.jobs.set(jobId, entry);
    entry.acked.set(link, afterSeq);
    if (push) entry.owner = link;
    link.send({ type: "accepted", jobId, name: "", chunksStored, inputsEnded, queue: null });
    for (const { record } of this.#disk.logs.get(jobId) ?? []) {
      if (record.type === "results" && record.seq > afterSeq) link.send(this.#withOutcomes(record));
    }
    entry.readers.add(link);
    if (entry.finished !== null) return link.send(entry.finished);
    this.#handle({ type: "clientBack", jobId, push });
    this.#handle({ type: "acked", jobId, seq: afterSeq });
  }

  #withOutcomes(record: Of<MainToClient, "results">): Results {
    return { ...record, outcomes: this.#disk.outcomes.get(`${record.jobId}:${record.seq}`) ?? [] };
  }

  #handle(event: Event): void {
    this.#world.events++;
    this.#world.trace(() => `event ${JSON.stringify(event)}`);
    for (const command of step(this.state, event, this.#world.loop.nowMs)) this.#execute(command);
    checkInvariants(this.state);
    this.#afterEvent();
  }

  #afterEvent(): void {
    if (this.#settling) return;
    this.#settling = true;
    this.#world.loop.soon(() =>
      this.guarded(() => {
        this.#settling = false;
        const commands = settle(this.state);
        checkInvariants(this.state);
        for (const command of commands) this.#execute(command);
        this.#checkSettled();
        for (const job of this.state.jobs.values()) {
          if (this.#world.moreRandom.next() * SHORTEN_EVERY < 1) this.#shorten(job);
        }
        this.#armTimer();
      }),
    );
  }

  /** Settling twice changes nothing: else something would wait for an event that need not come. */
  #checkSettled(): void {
    const again = settle(this.state);
    this.#world.expect(again.length === 0, () => `a second settle still finds ${again.map((command) => command.type).join(", ")}`);
  }

  #armTimer(): void {
    const nextMs = this.state.deadlines.nextMs() ?? Infinity;
    if (nextMs >= this.#timerAtMs) return;
    this.#timerAtMs = nextMs;
    this.#world.loop.at(nextMs, () =>
      this.guarded(() => {
        if (this.#timerAtMs > this.#world.loop.nowMs) return;
        this.#timerAtMs = Infinity;
        this.#handle({ type: "tick" });
        this.#armTimer();
      }),
    );
  }

  #execute(command: Command): void {
    if (command.type === "replaceNode") return this.#hangUp(command.nodeId);
    const { jobId } = command;
    const entry = this.#entries.get(jobId);
    this.#world.trace(() => `      ${command.type} ${JSON.stringify({ ...command, job: undefined, type: undefined })}`);
    if (command.type === "drain" || command.type === "stop") return this.#nodes.get(command.nodeId)?.send(command.type === "drain" ? { type: "drain", jobId } : { type: "stop", jobId, reason: command.reason });
    if (entry === undefined) throw new Error(`a command for ${jobId}, which nobody knows`);
    switch (command.type) {
      case "assign":
        return this.#nodes.get(command.nodeId)?.send({ type: "assign", jobId, spec: entry.spec, workers: command.workers });
      case "grant":
        return this.#grant(command);
      case "credit": {
        const job = this.state.jobs.get(jobId);
        const open = command.inputs - (job?.ackedInputs ?? 0);
        this.#world.expect(entry.spec.detach || open <= MAX_WINDOW_INPUTS, () => `${jobId} has a window of ${open} inputs`);
        return entry.owner?.send({ ...command, chunksStored: entry.chunksStored });
      }
      case "requeued":
        return this.#append(jobId, { type: "grant", grantId: 0, nodeId: null, range: command.range });
      case "phase":
        return this.#append(jobId, { type: "phase", phase: command.phase });
      case "deliver": {
        const carried = this.#carried;
        if (carried === null) throw new Error("nothing to deliver");
        const { first, count, indices, failed, valuesBytes, outcomes } = carried;
        return this.#deliver(entry, { type: "results", jobId, seq: command.seq, first, count, indices, failed, valuesBytes, dropped: command.dropped, nodeId: command.nodeId }, outcomes);
      }
      case "giveUp": {
        const { seq, index, nodeId } = command;
        return this.#deliver(entry, { type: "results", jobId, seq, first: index, count: 1, indices: null, failed: [0], valuesBytes: 0, dropped: [], nodeId }, ["gaveUp"]);
      }
      case "chunkAnswered":
        return;
      case "finished": {
        const finished: Finished = { type: "finished", jobId, outcome: command.outcome, reason: command.reason, inputs: 0, failed: command.job.failedInputs };
        this.#append(jobId, finished);
        entry.finished = finished;
        for (const reader of entry.readers) reader.send(finished);
      }
    }
  }

  /** As on machines elsewhere, where it may have been the network: the node is kept, and comes back when it wakes up. */
  #hangUp(nodeId: NodeId): void {
    const link = this.#nodes.get(nodeId);
    this.#nodes.delete(nodeId);
    link?.link?.cut();
  }

  /** The log begins anew, without what is over. */
  #shorten(job: Job): void {
    const entry = this.#entries.get(job.id);
    const log = this.#disk.logs.get(job.id);
    if (entry === undefined || log === undefined) return;
    if (!entry.spec.detach && entry.owner !== null && entry.readers.size > 0) {
      entry.resultsAfter = Math.max(entry.resultsAfter, Math.min(...[...entry.readers].map((reader) => entry.acked.get(reader) ?? 0)));
    }
    const old = (kept: Exclude<Kept, { from: "new" }>) => log.filter(({ record }) => isKept(record, kept)).slice(0, 1);
    const records = [...compacted(snapshotJob(this.state, job), entry.resultsAfter)].map((kept) => (kept.from === "new" ? [{ record: kept.record, bytes: 0, body: kept.body }] : old(kept)));
    this.#world.expect(records.every(({ length }) => length === 1), () => `${job.id}: a record that is to be kept is not there`);
    this.#disk.logs.set(job.id, records.flat());
  }

  #grant(command: Extract<Command, { type: "grant" }>): void {
    const { jobId, grantId, nodeId, chunkId, from, to, attempt, losses, failures } = command;
    const first = this.state.jobs.get(jobId)?.chunks.get(chunkId)?.first;
    if (first === undefined) throw new Error(`a grant of chunk ${chunkId} of ${jobId}, which is not there`);
    this.#append(jobId, { type: "grant", grantId, nodeId, range: { chunkId, from, to, attempt, losses, failures } });
    this.#nodes.get(nodeId)?.send({ type: "grant", jobId, grantId, chunkId, first, from, to, attempt, alone: losses >= 1 });
  }

  #deliver(entry: Entry, message: Of<MainToClient, "results">, outcomes: readonly Outcome[]): void {
    this.#world.expect(message.seq === entry.lastSeq + 1, () => `${entry.jobId}: results ${message.seq} follow ${entry.lastSeq}`);
    entry.lastSeq = message.seq;
    this.#append(entry.jobId, message, message.valuesBytes);
    this.#disk.outcomes.set(`${entry.jobId}:${message.seq}`, outcomes);
    for (const reader of entry.readers) reader.send({ ...message, outcomes });
  }

  #append(jobId: JobId, record: JobRecord, bytes = 0): void {
    if (this.recordsToLive-- <= 0) throw new Crash();
    const log = this.#disk.logs.get(jobId) ?? [];
    log.push({ record, bytes });
    this.#disk.logs.set(jobId, log);
    this.#disk.order.push(jobId);
  }

  #restore(jobId: JobId): void {
    const log = this.#disk.logs.get(jobId) ?? [];
    const replayed = replayJob({
      path: jobId,
      replay: () => log.map(({ record, bytes, body }) => ({ record: v.parse(recordSchema, record), bodyBytes: body?.byteLength ?? bytes, body: () => body ?? new Uint8Array(bytes) })),
      forgetChunk: () => undefined,
    });
    if (replayed === null) return;
    const { remembered, finished } = replayed;
    this.#entries.set(jobId, {
      jobId, spec: remembered.spec, rootId: remembered.rootId, readers: new Set(), owner: null, finished,
      chunksStored: remembered.pushedChunks, inputsStored: remembered.pushedInputs, inputsEnded: remembered.totalInputs !== null, lastSeq: remembered.seq,
      acked: new Map(), resultsAfter: Math.max(0, ...log.map(({ record }) => (record.type === "base" ? record.resultsAfter : 0))),
    });
    if (finished === null) restoreJob(this.state, remembered, this.#world.loop.nowMs);
    checkInvariants(this.state);
  }
}

function isKept(record: JobRecord, kept: Exclude<Kept, { from: "new" }>): boolean {
  switch (kept.record) {
    case "job":
      return record.type === "job";
    case "chunk":
      return record.type === "chunk" && record.chunkId === kept.number;
    case "results":
      return record.type === "results" && record.seq === kept.number;
  }
}
