/** Each document once, whatever a listener tells again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PatientStore } from "../patient-store.ts";
import type { DocumentStore, Listener, Query, StoredDocument } from "../store.ts";
import { Documents } from "../testing.ts";
import { Sequence } from "./sequence.ts";

const COLLECTION = "burla/test/jobs/job/lines";

/** A store whose listeners are told by the test. */
class Told extends Documents {
  readonly listeners: Listener[] = [];

  listen(_query: Query, listener: Listener): () => void {
    this.listeners.push(listener);
    return () => undefined;
  }

  async query({ where: [condition], limit, after = "" }: Query): Promise<StoredDocument[]> {
    const found = (await this.get(this.below(COLLECTION))).filter((document) => document !== null);
    const taken = ({ fields }: StoredDocument) => Number(fields["taken"]);
    const matching = found.filter((document) => {
      if (condition?.[1] === "==") return taken(document) === condition[2];
      if (condition?.[1] === ">") return taken(document) > Number(condition[2]);
      return document.id > String(after);
    });
    return matching.sort((a, b) => (condition?.[1] === ">" ? taken(a) - taken(b) : a.id < b.id ? -1 : 1)).slice(0, limit);
  }

  override get asStore(): DocumentStore {
    return new PatientStore(this as unknown as DocumentStore);
  }
}

/** Longer than anybody waits before a look, or before taking the lead. */
const PATIENCE_MS = 30_000;

async function until(isSo: () => boolean): Promise<void> {
  for (const endMs = performance.now() + PATIENCE_MS; !isSo(); ) {
    assert.ok(performance.now() < endMs, "waited in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const turns = () => new Promise((resolve) => setTimeout(resolve, 5));

function reader(store: Told, { leads = true } = {}): { sequence: Sequence; given: string[]; errors: unknown[] } {
  const given: string[] = [];
  const errors: unknown[] = [];
  const sequence: Sequence = new Sequence({
    store: store.asStore, collection: COLLECTION, window: 4, leads,
    failed: (error) => errors.push(error),
    give: ({ id }) => {
      given.push(id);
      queueMicrotask(() => sequence.release(1));
    },
  });
  sequence.start();
  return { sequence, given, errors };
}

async function write(store: Told, ids: readonly string[]): Promise<StoredDocument[]> {
  await store.commit(ids.map((id) => ({ op: "create", path: `${COLLECTION}/${id}`, fields: { taken: -1 } })));
  return store.query({ collection: COLLECTION, where: [["taken", "==", -1]], limit: 100 });
}

test("a snapshot from before documents were taken does not give them again, now or at the end", async (t) => {
  const store = new Told();
  const { sequence, given, errors } = reader(store);
  t.after(() => sequence.close());
  const untaken = await write(store, ["a", "b", "c"]);
  const tell = (documents: readonly StoredDocument[], at: string) => store.listeners[0]?.next(documents, at);
  tell(untaken, "10.0");
  await turns();
  tell([], "20.0");
  tell(untaken, "30.0");
  await turns();
  tell([], "40.0");
  await sequence.drain();
  assert.deepEqual([given, errors], [["a", "b", "c"], []]);
});

test("what another reader took is given once, by both", async (t) => {
  const store = new Told();
  const [first, second] = [reader(store), reader(store)];
  t.after(() => Promise.all([first, second].map(({ sequence }) => sequence.close())));
  const untaken = await write(store, ["a", "b", "c", "d", "e", "f"]);
  for (const listener of store.listeners.slice(0, 2)) listener.next(untaken.slice(0, 4), "10.0");
  await turns();
  for (const listener of store.listeners.slice(0, 2)) listener.next(untaken.slice(4), "20.0");
  await turns();
  await first.sequence.drain();
  await second.sequence.drain();
  for (const { given, errors } of [first, second]) assert.deepEqual([[...given].sort(), errors], [["a", "b", "c", "d", "e", "f"], []]);
});

test("who reads a collection that is complete gives it in the order of the places, not of the ids", async (t) => {
  const store = new Told();
  const ids = ["f", "b", "e", "a", "d", "c", "h", "g", "k", "i"];
  await store.commit(ids.map((id, at) => ({ op: "create", path: `${COLLECTION}/${id}`, fields: { taken: at + 1, takenBy: "somebody" } })));
  const { sequence, given, errors } = reader(store, { leads: false });
  t.after(() => sequence.close());
  await sequence.drain();
  assert.deepEqual([given, errors], [ids, []]);
});

test("what a listener has missed is found by a look, and given once although it is told later", async (t) => {
  const store = new Told();
  const { sequence, given, errors } = reader(store);
  t.after(() => sequence.close());
  store.listeners[0]?.next(await write(store, ["a"]), "10.0");
  await turns();
  const untaken = await write(store, ["b", "c", "d", "e", "f", "g"]);
  await until(() => given.length === 7);
  store.listeners[0]?.next(untaken.slice(0, 4), "11.0");
  await turns();
  await sequence.drain();
  assert.deepEqual([given, errors], [["a", "b", "c", "d", "e", "f", "g"], []]);
});

test("one who reads beside another finds what the listeners have missed, of what was taken and of what nobody takes", async (t) => {
  const store = new Told();
  const { sequence, given, errors } = reader(store, { leads: false });
  t.after(() => sequence.close());
  await turns();
  await store.commit(["b", "a"].map((id, at) => ({ op: "create", path: `${COLLECTION}/${id}`, fields: { taken: at + 1, takenBy: "somebody" } })));
  await until(() => given.length === 2);
  await write(store, ["d", "c"]);
  await until(() => given.length === 4);
  assert.deepEqual([given, errors], [["b", "a", "c", "d"], []]);
});

test("a document that is told again while it gets its place is no conflict with another reader", async (t) => {
  const store = new Told();
  const { sequence, given } = reader(store);
  t.after(() => sequence.close());
  const untaken = await write(store, ["a", "b"]);
  store.listeners[0]?.next(untaken.slice(0, 1), "10.0");
  store.listeners[0]?.next(untaken, "11.0");
  await until(() => given.length === 2);
  await turns();
  assert.deepEqual([given, store.listeners.length], [["a", "b"], 1], "it need not look for another reader's");
});

test("who takes over from a reader that left half-way gives places behind its places: all later readers have one order", async (t) => {
  const store = new Told();
  const placed = ["z", "y", "x"];
  const left = ["c", "f", "a", "e", "b", "d"];
  await store.commit(placed.map((id, at) => ({ op: "create", path: `${COLLECTION}/${id}`, fields: { taken: at + 1, takenBy: "somebody" } })));
  await write(store, left);
  const orders: string[][] = [];
  for (let readers = 0; readers < 3; readers++) {
    const { sequence, given, errors } = reader(store, { leads: false });
    t.after(() => sequence.close());
    await sequence.drain();
    assert.deepEqual(errors, []);
    orders.push(given);
  }
  assert.deepEqual(orders[0]?.slice(0, 3), placed);
  assert.deepEqual([...(orders[0] ?? [])].sort(), [...placed, ...left].sort());
  assert.deepEqual(orders.slice(1), [orders[0], orders[0]]);
});

test("a leader that gave no place for long looks whether another has, and goes on behind that one's", async (t) => {
  let nowMs = performance.now();
  t.mock.method(performance, "now", () => nowMs);
  const store = new Told();
  const { sequence, given, errors } = reader(store);
  t.after(() => sequence.close());
  store.listeners[0]?.next(await write(store, ["a"]), "10.0");
  await until(() => given.length === 1);
  // It was stopped for so long that somebody else took the lead, and gave the places that it would give next.
  await store.commit(["c", "b"].map((id, at) => ({ op: "create", path: `${COLLECTION}/${id}`, fields: { taken: at + 2, takenBy: "somebody" } })));
  nowMs += 60_000;
  const second = reader(store, { leads: false });
  t.after(() => second.sequence.close());
  store.listeners[0]?.next(await write(store, ["e", "d"]), "20.0");
  await sequence.drain();
  await second.sequence.drain();
  assert.deepEqual([errors, second.errors], [[], []]);
  assert.deepEqual([...given].sort(), ["a", "b", "c", "d", "e"]);
  assert.deepEqual(second.given, ["a", "c", "b", "d", "e"]);
});

test("what is being given its places when a reader goes has them when it is gone", async () => {
  const store = new Told();
  const commit = store.commit.bind(store);
  const { sequence } = reader(store);
  const untaken = await write(store, ["a", "b"]);
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  store.commit = async (writes) => {
    begin();
    await turns();
    return commit(writes);
  };
  store.listeners[0]?.next(untaken, "10.0");
  await begun;
  await sequence.close();
  assert.deepEqual(await store.query({ collection: COLLECTION, where: [["taken", "==", -1]], limit: 10 }), []);
});
