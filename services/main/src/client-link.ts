/** One connected client: its frames become events, with the rights of its token. No decisions. */
import type { Duplex } from "node:stream";
import {
  BurlaError, clientToMain, Connection, CONNECTION_SILENCE_MS, MAX_FUNCTION_BYTES, MAX_NESTING, messageOf, OPENING_MS, REMOTE_CLIENT_SILENCE_MS, type ClientToMain, type JobId, type MainToClient,
  type Of,
  type QueuePlace,
} from "@burla/protocol";
import type { Identity } from "./auth.ts";
import type { Cluster } from "./cluster.ts";
import { logFault, type FaultLog } from "./fault.ts";
import type { JobEntry } from "./job-entry.ts";
import { may, notYours } from "./rights.ts";
import type { Submitter } from "./queue-place.ts";
import type { Bundles } from "./store/bundles.ts";

export interface ClientLinkOptions {
  readonly cluster: Cluster;
  readonly bundles: Bundles;
  readonly identity: Identity;
  /** The one job that is spoken of here, over HTTP; null for any, over a connection of frames. */
  readonly onlyJob: JobId | null;
  readonly queueFor: (submitter: Submitter) => QueuePlace | null;
  /** As for `Connection`. */
  readonly mayHold: (bytes: number) => boolean;
  readonly onClosed: () => void;
  /** It is on this machine: it is there as long as its socket is, whatever its program computes. */
  readonly isLocal: boolean;
  readonly log: FaultLog;
}

export class ClientLink {
  readonly #connection: Connection<ClientToMain, MainToClient>;
  readonly #options: ClientLinkOptions;
  readonly #jobs = new Map<JobId, JobEntry>();

  constructor(stream: Duplex, options: ClientLinkOptions) {
    this.#options = options;
    this.#connection = new Connection<ClientToMain, MainToClient>(stream, {
      incoming: clientToMain,
      software: "burla main",
      silenceMs: options.isLocal ? 0 : REMOTE_CLIENT_SILENCE_MS,
      pingMs: CONNECTION_SILENCE_MS / 3,
      openingMs: OPENING_MS,
      mayHold: options.mayHold,
      onMessage: (message, body) => this.#guarded(message, body),
      onRoom: () => {
        for (const entry of this.#jobs.values()) entry.roomFor(this.#connection);
      },
      onFault: (error) => logFault(options.log, error),
      onClose: () => {
        for (const entry of this.#jobs.values()) options.cluster.leave(entry, this.#connection, false);
        options.onClosed();
      },
    });
  }

  close(): void {
    this.#connection.close();
  }

  #guarded(message: ClientToMain, body: Uint8Array): void {
    try {
      this.#receive(message, body);
    } catch (error) {
      const { cluster, log } = this.#options;
      const entry = this.#jobs.get(message.jobId);
      if (!(error instanceof BurlaError)) logFault(log, error);
      const known = error instanceof BurlaError ? error : new BurlaError("BURLA_PROTOCOL", `main could not handle the message ${message.type}: ${messageOf(error)}`);
      // The job of whoever feeds it cannot go on without what was refused; a reader is turned away alone.
      const endsJob = entry !== undefined && entry.finished === null && (known.code === "BURLA_STORAGE" || (known.code === "BURLA_PROTOCOL" && entry.owner === this.#connection));
      if (endsJob) return cluster.failJob(message.jobId, known);
      this.#connection.send({ type: "refused", jobId: message.jobId, code: known.code, message: messageOf(known).slice(0, 4000) });
    }
  }

  #receive(message: ClientToMain, body: Uint8Array): void {
    const { cluster, identity, onlyJob } = this.#options;
    const { jobId } = message;
    if (onlyJob !== null && jobId !== onlyJob) throw new BurlaError("BURLA_PROTOCOL", `this channel is for ${onlyJob}, not for ${jobId}`);
    const known = cluster.ownership(jobId);
    if (known !== undefined && !may(identity, "take", known)) throw notYours(identity, jobId);
    switch (message.type) {
      case "submit":
        return this.#submit(message, body);
      case "attach":
        return this.#attach(message);
      case "inputs": {
        const { chunkId, first, count } = message;
        const entry = this.#jobs.get(jobId);
        if (entry === undefined || entry.owner !== this.#connection || chunkId !== entry.chunksStored || entry.finished !== null || entry.spec.queue !== null) return;
        if (first !== entry.inputsStored || entry.inputsEnded) throw new BurlaError("BURLA_PROTOCOL", `chunk ${chunkId} of ${jobId} does not follow the inputs before it`);
        if (cluster.isFlooded(jobId)) return cluster.handle({ type: "cancelRequested", jobId, reason: "its program sends inputs without credit" });
        entry.addChunk(chunkId, first, count, body);
        return cluster.handle({ type: "chunkPushed", jobId, chunkId, first, count, bytes: body.byteLength });
      }
      case "inputsEnd": {
        const entry = this.#jobs.get(jobId);
        if (entry === undefined || entry.owner !== this.#connection || entry.finished !== null || entry.inputsEnded || entry.spec.queue !== null) return;
        // Said while chunks before it are to be sent again: it will be said again after them.
        if (message.total !== entry.inputsStored) return;
        entry.endInputs(message.total);
        cluster.handle({ type: "inputsEnded", jobId, total: message.total });
        return this.#connection.send({ type: "accepted", jobId, name: entry.spec.name, chunksStored: entry.chunksStored, inputsEnded: true, queue: null });
      }
      case "queueCounts": {
        const entry = this.#jobs.get(jobId);
        if (entry === undefined || entry.owner !== this.#connection || entry.finished !== null) return;
        if (entry.spec.queue === null) throw new BurlaError("BURLA_PROTOCOL", `the inputs of ${jobId} are counted here`);
        if (message.total !== null && !entry.inputsEnded) entry.endInputs(message.total);
        const { type: _type, ...counts } = message;
        return cluster.countsArrived(counts);
      }
      case "ack": {
        const entry = this.#jobs.get(jobId);
        return entry === undefined ? undefined : cluster.consumed(entry, this.#connection, message.seq);
      }
      case "code": {
        const entry = this.#jobs.get(jobId);
        if (entry === undefined || entry.owner !== this.#connection || entry.finished !== null) return;
        return cluster.codeArrived(entry, body);
      }
      case "cancel":
        this.#require(jobId);
        return cluster.handle({ type: "cancelRequested", jobId, reason: message.reason });
      case "leave": {
        const entry = this.#jobs.get(jobId);
        this.#jobs.delete(jobId);
        if (entry !== undefined) cluster.leave(entry, this.#connection, true);
        return this.#connection.send({ type: "left", jobId });
      }
    }
  }

  #submit({ jobId, spec, codeBytes }: Of<ClientToMain, "submit">, body: Uint8Array): void {
    const { cluster, bundles, identity, onlyJob, queueFor } = this.#options;
    if (cluster.entry(jobId) !== undefined) return this.#attach({ type: "attach", jobId, afterSeq: 0, push: true, linesAfter: 0 });
    if (codeBytes > body.byteLength) throw new BurlaError("BURLA_PROTOCOL", `the code of ${jobId} is said to be longer than what came`);
    if (body.byteLength > MAX_FUNCTION_BYTES) throw new BurlaError("BURLA_TOO_LARGE", `the function and what it captured have ${body.byteLength} bytes, over the limit of ${MAX_FUNCTION_BYTES}`);
    const parent = identity.role === "worker" ? identity.jobId : null;
    this.#checkDepth(parent);
    if (codeBytes > 0) bundles.put(spec, body.subarray(0, codeBytes));
    else if (bundles.find(spec) === null) return this.#connection.send({ type: "codeNeeded", jobId });
    const values = Buffer.from(body.subarray(codeBytes));
    const queue = queueFor({ parent, overHttp: onlyJob !== null });
    const entry = cluster.submit(jobId, { ...spec, parent, queue }, values, this.#connection, this.#person);
    this.#jobs.set(jobId, entry);
    this.#connection.send({ type: "accepted", jobId, name: spec.name, chunksStored: 0, inputsEnded: false, queue });
  }

  #attach({ jobId, afterSeq, push, linesAfter }: Of<ClientToMain, "attach">): void {
    const entry = this.#require(jobId);
    if (entry.spec.queue !== null && this.#options.onlyJob !== null) throw resultsElsewhere(jobId);
    entry.checkKept(afterSeq);
    this.#jobs.set(jobId, entry);
    if (push) entry.owner = this.#connection;
    const { chunksStored, inputsEnded } = entry;
    this.#connection.send({ type: "accepted", jobId, name: entry.spec.name, chunksStored, inputsEnded, queue: entry.spec.queue });
    entry.attach(this.#connection, afterSeq, linesAfter);
    if (entry.finished !== null) return;
    this.#options.cluster.clientBack(jobId, push);
    this.#options.cluster.handle({ type: "acked", jobId, seq: afterSeq });
  }

  /** Who answers for a new job. */
  get #person(): string | null {
    const { identity, cluster } = this.#options;
    if (identity.role === "worker") return cluster.ownership(identity.jobId)?.person ?? null;
    return identity.role === "node" ? null : identity.person;
  }

  #require(jobId: JobId): JobEntry {
    const entry = this.#options.cluster.entry(jobId);
    if (entry === undefined) this.#options.cluster.checkReadable(jobId);
    if (entry === undefined) throw new BurlaError("BURLA_NO_SUCH_JOB", `this cluster knows no job ${jobId}`);
    return entry;
  }

  #checkDepth(parent: JobId | null): void {
    let depth = 0;
    for (let at = parent; at !== null; at = this.#options.cluster.entry(at)?.spec.parent ?? null) depth++;
    if (depth > MAX_NESTING) throw new BurlaError("BURLA_TOO_LARGE", `jobs that start jobs are nested more than ${MAX_NESTING} deep`);
  }
}

function resultsElsewhere(jobId: JobId): BurlaError {
  return new BurlaError("BURLA_QUEUE", `the results of ${jobId} are in Cloud Firestore, which this client does not reach: \`burla attach ${jobId}\` does`);
}
