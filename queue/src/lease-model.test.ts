/**
 * The leases of chunks, by chance: nodes that claim, answer, share, freeze and die in any order, against a store that is
 * but its rules. Whatever happens, the store has at most one result for an input, and exactly one when all is over.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { accept, grantFrom, holdChunk, loseGrant, openRanges, shareOut, sizeOf, takeOver, wholeChunk, type HeldChunk, type Range } from "./chunk.ts";

const LEASE = 15;

interface ChunkDocument {
  readonly version: number;
  readonly open: readonly Range[];
  readonly owner: number;
  readonly freeAt: number;
}

/** Documents with versions, and commits that are done as a whole or refused. */
class ModelStore {
  readonly chunks = new Map<number, ChunkDocument>();
  readonly results: number[];
  nowMs = 0;
  #versions = 0;
  #ids = 0;

  constructor(count: number) {
    this.results = new Array<number>(count).fill(0);
    this.create(wholeChunk(count));
  }

  create(open: readonly Range[]): void {
    this.chunks.set(++this.#ids, { version: ++this.#versions, open, owner: 0, freeAt: 0 });
  }

  /** @returns the new version; null when it is refused. */
  commit(id: number, version: number, next: Omit<ChunkDocument, "version"> | null, results: readonly number[] = [], created: readonly (readonly Range[])[] = []): number | null {
    if (this.chunks.get(id)?.version !== version) return null;
    const changed = ++this.#versions;
    if (next === null) this.chunks.delete(id);
    else this.chunks.set(id, { ...next, version: changed });
    for (const position of results) this.results[position]!++;
    for (const open of created) this.create(open);
    return changed;
  }
}

/** What one node believes that it has of a chunk. */
interface Lease {
  readonly id: number;
  readonly chunk: HeldChunk;
  version: number;
  /** Answered by its workers, and not in the store. */
  pending: number[];
}

class ModelNode {
  readonly number: number;
  readonly store: ModelStore;
  leases: Lease[] = [];
  #grants = 0;

  constructor(number: number, store: ModelStore) {
    this.number = number;
    this.store = store;
  }

  claim(pick: number): void {
    const free = [...this.store.chunks].filter(([, { freeAt }]) => freeAt <= this.store.nowMs);
    const [id, document] = free[pick % Math.max(1, free.length)] ?? [];
    if (id === undefined || document === undefined) return;
    const { open, givenUp } = document.owner === 0 ? { open: [...document.open], givenUp: [] } : takeOver(document.open);
    const version = this.store.commit(id, document.version, { open: [...open, ...givenUp], owner: this.number, freeAt: this.store.nowMs + LEASE });
    if (version === null) return;
    const chunk = holdChunk({ chunkId: 0, first: 0, count: this.store.results.length }, open);
    for (const { from } of givenUp) chunk.answered[from] = 1;
    this.leases.push({ id, chunk, version, pending: givenUp.map(({ from }) => from) });
  }

  work(pick: number, how: "answer" | "lose"): void {
    const lease = this.leases[pick % Math.max(1, this.leases.length)];
    if (lease === undefined) return;
    const grantId = ++this.#grants;
    const range = grantFrom(lease.chunk, grantId, 1 + (pick % 5));
    if (range === undefined) return;
    if (how === "lose") {
      const givenUp = loseGrant(lease.chunk, grantId);
      if (givenUp !== null) lease.pending.push(givenUp.from);
      return;
    }
    accept(lease.chunk, grantId, { first: range.from, count: range.to - range.from, indices: null, failed: [], final: [], valuesBytes: 0 }, 0);
    for (let position = range.from; position < range.to; position++) lease.pending.push(position);
  }

  /** Stores what was answered, and with it what is left, or that nothing is. */
  write(pick: number, change: "keep" | "share" | "free"): void {
    const lease = this.leases[pick % Math.max(1, this.leases.length)];
    if (lease === undefined) return;
    const created = change === "share" ? shareOut(lease.chunk, 3) : [];
    const open = openRanges(lease.chunk);
    const owner = change === "free" ? { owner: 0, freeAt: 0 } : { owner: this.number, freeAt: this.store.nowMs + LEASE };
    const version = this.store.commit(lease.id, lease.version, sizeOf(open) === 0 ? null : { open, ...owner }, lease.pending, created);
    lease.pending = [];
    if (version === null || change === "free" || sizeOf(open) === 0) this.leases = this.leases.filter((other) => other !== lease);
    else lease.version = version;
  }

  die(): void {
    this.leases = [];
  }
}

const STEPS = ["claim", "answer", "answer", "lose", "keep", "keep", "share", "free", "die", "wait", "late"] as const;

test("an input never has two results, and in the end it has one", () => {
  const step = fc.record({ kind: fc.constantFrom(...STEPS), node: fc.nat(2), pick: fc.nat(100) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24 }), fc.array(step, { maxLength: 150 }), (count, steps) => {
      const store = new ModelStore(count);
      const nodes = [1, 2, 3].map((number) => new ModelNode(number, store));
      const check = () => assert.ok(store.results.every((results) => results <= 1), `${store.results}`);
      for (const { kind, node, pick } of steps) {
        const at = nodes[node]!;
        if (kind === "claim") at.claim(pick);
        else if (kind === "answer" || kind === "lose") at.work(pick, kind);
        else if (kind === "keep" || kind === "share" || kind === "free") at.write(pick, kind);
        else if (kind === "die") at.die();
        // Long enough for leases to end, while their nodes know nothing of it.
        else store.nowMs += kind === "wait" ? 4 : LEASE + 1;
        check();
      }
      // Then all is calm, and one node does what is left.
      const last = nodes[0]!;
      for (let turns = 0; store.chunks.size > 0; turns++) {
        assert.ok(turns < 10_000, "it never ends");
        store.nowMs += LEASE + 1;
        last.claim(0);
        for (let work = 0; work <= count; work++) for (let lease = 0; lease < last.leases.length; lease++) last.work(lease, "answer");
        for (let lease = last.leases.length - 1; lease >= 0; lease--) last.write(lease, "keep");
        check();
      }
      assert.deepEqual(store.results, new Array<number>(count).fill(1));
    }),
    { numRuns: 1000 },
  );
});
