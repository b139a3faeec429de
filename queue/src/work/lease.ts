/**
 * One chunk under lease: what its workers answer goes to the store in commits that name the version of the chunk's
 * document, one after the other. A commit that is refused means that the lease is lost, and with it all that was not
 * stored: another node does it again.
 */
import type { MainToNode, NodeToMain, Of } from "@burla/protocol";
import { accept, openRanges, shareOut, sizeOf, type Acceptance, type HeldChunk } from "../chunk.ts";
import { commitOnce } from "../commit-once.ts";
import { below, expiry, packOpen, randomId, type ChunkDocument, type StoredBatch } from "../documents.ts";
import { CHUNK_LEASE_MS, CHUNK_RENEW_MS, FIRST_RESULTS_MS, leaseEnd, MAX_DOCUMENT_BYTES, RESULTS_EVERY_MS } from "../limits.ts";
import type { Payloads } from "../payloads.ts";
import { ConflictError, type DocumentStore, type StoredDocument, type Version, type Write } from "../store.ts";
import type { Clock } from "./clock.ts";
import { PendingResults } from "./pending-results.ts";

type NodeResults = Of<NodeToMain, "nodeResults">;
export type Grant = Of<MainToNode, "grant">;

/** Parts that a chunk is shared in. */
const SHARES = 8;

export interface LeaseOptions {
  readonly store: DocumentStore;
  /** Path of the job's document. */
  readonly job: string;
  readonly payloads: Payloads;
  readonly nodeId: string;
  readonly workers: () => number;
  readonly retries: number;
  /** The store's clock. */
  readonly clock: Clock;
  /** Resolves when the lines that calls have printed so far are stored: they come before the results of the calls. */
  readonly linesStored: () => Promise<void>;
  /** Nothing of it is left to do here: all is answered, given to others, or lost. */
  readonly over: (lease: Lease, isLost: boolean) => void;
  readonly failed: (error: unknown) => void;
}

/** What a commit does beside storing results. */
interface Change {
  /** The chunk is nobody's afterwards. */
  readonly free: boolean;
  readonly created: readonly Write[];
}

const NO_CHANGE: Change = { free: false, created: [] };

export class Lease {
  readonly chunk: HeldChunk;
  readonly body: Uint8Array;
  readonly #options: LeaseOptions;
  readonly #path: string;
  readonly #id: string;
  readonly #document: ChunkDocument;
  #version: Version;
  #isShared: boolean;
  #pending = new PendingResults();
  #writes = 0;
  #writtenMs = performance.now();
  #leasedUntilMs: number;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #isOver = false;

  constructor(stored: StoredDocument, { document, chunk, version, body }: { document: ChunkDocument; chunk: HeldChunk; version: Version; body: Uint8Array }, options: LeaseOptions) {
    this.chunk = chunk;
    this.body = body;
    this.#options = options;
    this.#path = stored.path;
    this.#id = stored.id;
    this.#document = document;
    this.#version = version;
    this.#isShared = document.isShared;
    this.#leasedUntilMs = performance.now() + CHUNK_LEASE_MS;
    this.#arm();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes what a worker has answered. */
  answer(batch: NodeResults, body: Uint8Array): Acceptance {
    const accepted = accept(this.chunk, batch.grantId, batch, this.#options.retries);
    if (accepted.answered > 0) {
      const { first, count, indices, failed, valuesBytes } = batch;
      this.#add({ first, count, indices, failed, valuesBytes, dropped: accepted.dropped, bodyBytes: body.byteLength }, body, accepted, batch.runMs);
    }
    return accepted;
  }

  /** An input is answered by an error of Burla's own. */
  giveUp(batch: Omit<StoredBatch, "bodyBytes" | "dropped">, body: Uint8Array): void {
    this.#add({ ...batch, dropped: [], bodyBytes: body.byteLength }, body, { answered: 1, failed: 1 }, 0);
  }

  /** Gives what waits here to whoever takes it. */
  share(): void {
    void this.#write(() => ({ free: false, created: this.#shares() }));
  }

  /** Gives back all that is open. Resolves when others may take it. */
  async giveBack(): Promise<void> {
    await this.#write(() => ({ free: true, created: [] }));
    this.#end(false);
  }

  #add(batch: StoredBatch, body: Uint8Array, accepted: Pick<Acceptance, "answered" | "failed">, runMs: number): void {
    if (this.#isOver) return;
    this.#pending.add(batch, body, accepted, runMs);
    this.#arm();
  }

  get #isDone(): boolean {
    return this.chunk.ready.length === 0 && this.chunk.delayed.size === 0 && this.chunk.grants.size === 0;
  }

  /** Results leave at once when they are the last ones or many, soon when they are the first, else once a second. */
  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#isOver || this.#writing !== undefined) return;
    const nowMs = performance.now();
    const { bytes, isEmpty } = this.#pending;
    if (!isEmpty && (this.#isDone || bytes > MAX_DOCUMENT_BYTES / 2)) return void this.#write();
    const renewMs = this.#leasedUntilMs - CHUNK_LEASE_MS + CHUNK_RENEW_MS;
    const everyMs = this.#writes === 0 ? FIRST_RESULTS_MS : RESULTS_EVERY_MS;
    const atMs = isEmpty ? renewMs : Math.min(renewMs, Math.max(nowMs + FIRST_RESULTS_MS / 5, this.#writtenMs + everyMs));
    this.#timer = setTimeout(() => void this.#write(), Math.max(0, atMs - nowMs));
  }

  /** One commit at a time; what came meanwhile goes with the next. */
  async #write(change: () => Change = () => NO_CHANGE): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    if (this.#isOver) return;
    clearTimeout(this.#timer);
    this.#writing = this.#commit(change());
    await this.#writing;
    this.#writing = undefined;
    if (this.#pending.isEmpty && this.#isDone) this.#end(false);
    else this.#arm();
  }

  async #commit({ free, created }: Change): Promise<void> {
    const taken = this.#pending;
    this.#pending = new PendingResults();
    // As it is now: what is answered from here on goes with the next commit, and is open until then.
    const own = this.#isDone ? this.#remove() : this.#update(packOpen(openRanges(this.chunk)), free);
    try {
      if (!taken.isEmpty) await this.#options.linesStored();
      const results = taken.isEmpty ? [] : await this.#resultWrites(taken);
      const startedMs = performance.now();
      const version = await this.#commitOnce([own, ...results, ...created, ...(own.op === "delete" ? this.#bodyRemoval() : [])]);
      this.#options.clock.note(version);
      this.#version = version;
      this.#writes++;
      this.#writtenMs = performance.now();
      this.#leasedUntilMs = startedMs + CHUNK_LEASE_MS;
    } catch (error) {
      if (!(error instanceof ConflictError)) this.#options.failed(error);
      this.#end(true);
    }
  }

  /** Of one commit all versions are the same: after a lost answer the chunk is ours if it is still as that commit left it. */
  async #commitOnce(writes: readonly Write[]): Promise<Version> {
    const { store } = this.#options;
    const made = await commitOnce(store, writes);
    if ("versions" in made) return made.versions[0] ?? this.#version;
    const { version } = made.trace;
    const [own] = await store.get([this.#path]);
    if (own != null && own.version !== version) throw new ConflictError("another node has taken the chunk over");
    return version;
  }

  async #resultWrites(taken: PendingResults): Promise<Write[]> {
    const { job, nodeId, payloads, workers } = this.#options;
    const { payload, writes } = await payloads.put(taken.body);
    const fields = { chunkId: this.chunk.chunkId, nodeId, ...taken.fields, workers: workers(), taken: -1, ...payload, expireAt: expiry(Date.now()) };
    return [{ op: "create", path: `${below(job, "results")}/${this.#id}-${randomId()}`, fields }, ...writes];
  }

  #shares(): Write[] {
    const shares = shareOut(this.chunk, SHARES);
    if (shares.length > 0) this.#isShared = true;
    const { chunkId, first, count, inline, bodyId, large } = this.#document;
    return shares.map((open) => ({
      op: "create",
      path: `${below(this.#options.job, "chunks")}/${randomId()}`,
      fields: { chunkId, first, count, ...packOpen(open), freeAt: 0, owner: "", isShared: true, inline, bodyId, large, expireAt: expiry(Date.now()) },
    }));
  }

  #update(open: ReturnType<typeof packOpen>, free: boolean): Write {
    const owner = free ? { freeAt: 0, owner: "" } : { freeAt: leaseEnd(this.#options.clock.nowMs) };
    return { op: "update", path: this.#path, fields: { ...open, ...owner, isShared: this.#isShared }, version: this.#version };
  }

  #remove(): Write {
    return { op: "delete", path: this.#path, version: this.#version };
  }

  #bodyRemoval(): Write[] {
    return this.#isShared ? [] : this.#options.payloads.removal(this.#document);
  }

  #end(isLost: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#options.over(this, isLost);
  }
}

/** Inputs of a chunk that neither have an answer nor a worker. */
export function waitingIn({ chunk }: Lease): number {
  return sizeOf(chunk.ready);
}
