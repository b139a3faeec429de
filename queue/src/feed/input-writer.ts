/**
 * Chunks of inputs -> documents, in commits of a bounded size, a few at a time.
 *
 * A commit whose answer is lost is made again. By then nodes may have answered all its chunks and removed them, and the
 * same inputs would be there a second time. So each commit creates a receipt too, which nobody but this writer removes,
 * with one of its next commits: a second attempt finds it.
 */
import { commitOnce } from "../commit-once.ts";
import type { DocumentStore, Write } from "../store.ts";
import { below, expiry, packOpen, randomId } from "../documents.ts";
import { wholeChunk } from "../chunk.ts";
import { COMMITS_AT_ONCE, MAX_COMMIT_BYTES, MAX_COMMIT_WRITES } from "../limits.ts";
import type { Payloads, StoredPayload } from "../payloads.ts";
import type { ChunkToPush } from "../port.ts";
import { WriteRamp } from "../ramp.ts";

/** What a small document takes beside its payload. */
const DOCUMENT_BYTES = 512;

export interface InputWriterOptions {
  readonly store: DocumentStore;
  /** Path of the job's document. */
  readonly job: string;
  readonly payloads: Payloads;
  /** All chunks below this number are there. */
  readonly stored: (chunks: number) => void;
  readonly failed: (error: unknown) => void;
}

interface Prepared {
  readonly chunkId: number;
  readonly writes: Write[];
  readonly bytes: number;
}

export class InputWriter {
  readonly #options: InputWriterOptions;
  readonly #prepared: Prepared[] = [];
  readonly #ramp = new WriteRamp();
  readonly #storedChunks = new Set<number>();
  /** Paths of receipts that have done their work. */
  #spent: string[] = [];
  #stored = 0;
  #pushed = 0;
  #committing = 0;
  #scheduled = false;
  #closed = false;
  #allStored: (() => void) | undefined;

  constructor(options: InputWriterOptions) {
    this.#options = options;
  }

  push(chunk: ChunkToPush): void {
    this.#pushed = chunk.chunkId + 1;
    this.#prepare(chunk).catch((error: unknown) => this.#fail(error));
  }

  /** Resolves when everything that was pushed is there. */
  async flushed(): Promise<void> {
    while (this.#stored < this.#pushed && !this.#closed) await new Promise<void>((resolve) => (this.#allStored = resolve));
    const removals = this.#removals();
    if (removals.length > 0) await this.#options.store.commit(removals);
  }

  close(): void {
    this.#closed = true;
    this.#allStored?.();
  }

  async #prepare({ chunkId, first, count, body }: ChunkToPush): Promise<void> {
    const { job, payloads } = this.#options;
    const { payload, writes, bytes } = await payloads.put(body);
    this.#prepared.push({ chunkId, writes: [...writes, chunkWrite(job, { chunkId, first, count }, payload)], bytes: bytes + DOCUMENT_BYTES });
    this.#schedule();
  }

  /** What is pushed in one turn of the event loop leaves together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      while (this.#prepared.length > 0 && this.#committing < COMMITS_AT_ONCE) void this.#commit(this.#nextCommit());
    });
  }

  #nextCommit(): Prepared[] {
    const together: Prepared[] = [];
    let [writes, bytes] = [0, 0];
    for (let next = this.#prepared[0]; next !== undefined; next = this.#prepared[0]) {
      if (together.length > 0 && (writes + next.writes.length > MAX_COMMIT_WRITES || bytes + next.bytes > MAX_COMMIT_BYTES)) break;
      together.push(next);
      this.#prepared.shift();
      writes += next.writes.length;
      bytes += next.bytes;
    }
    return together;
  }

  async #commit(chunks: readonly Prepared[]): Promise<void> {
    this.#committing++;
    try {
      const writes = chunks.flatMap((chunk) => chunk.writes);
      const waitMs = this.#ramp.take(writes.length, performance.now());
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (this.#closed) return;
      const receipt = await commitWithReceipt(this.#options, [...writes, ...this.#removals()]);
      this.#spent.push(receipt);
      for (const { chunkId } of chunks) this.#storedChunks.add(chunkId);
      while (this.#storedChunks.delete(this.#stored)) this.#stored++;
      this.#options.stored(this.#stored);
      this.#allStored?.();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#committing--;
      this.#schedule();
    }
  }

  #removals(): Write[] {
    const spent = this.#spent;
    this.#spent = [];
    return spent.map((path) => ({ op: "delete", path }));
  }

  #fail(error: unknown): void {
    if (!this.#closed) this.#options.failed(error);
  }
}

/** @returns the path of its receipt. */
async function commitWithReceipt({ store, job }: InputWriterOptions, writes: readonly Write[]): Promise<string> {
  const path = `${below(job, "receipts")}/${randomId()}`;
  await commitOnce(store, [{ op: "create", path, fields: { expireAt: expiry(Date.now()) } }, ...writes]);
  return path;
}

function chunkWrite(job: string, chunk: { chunkId: number; first: number; count: number }, payload: StoredPayload["payload"]): Write {
  const fields = { ...chunk, ...packOpen(wholeChunk(chunk.count)), freeAt: 0, owner: "", isShared: false, ...payload, expireAt: expiry(Date.now()) };
  return { op: "create", path: `${below(job, "chunks")}/${randomId()}`, fields };
}
