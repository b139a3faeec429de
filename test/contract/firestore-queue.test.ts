/** The queue in Firestore, on Google's emulator. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { newJobId } from "@burla/protocol";
import { FirestoreFeed, FirestoreWork, openStore, type DocumentStore, type LargeValues } from "@burla/queue";
import { placeIn, useEmulator } from "../support/firestore.ts";
import { jobQueueContract } from "./job-queue.ts";
import { ClientSide, NodeSide, specOf, type QueueBench } from "./queue-bench.ts";

const host = useEmulator();

/** No value of these tests is large. */
const large: LargeValues = { put: () => Promise.reject(new Error("no value is large")), get: () => Promise.reject(new Error("no value is large")) };

async function open(): Promise<QueueBench> {
  const place = placeIn(host());
  const store = await openStore(place);
  const ends: (() => Promise<unknown>)[] = [];
  return {
    submit: (changes) => {
      const spec = specOf({ ...changes, queue: place });
      const client = new ClientSide(newJobId(), spec);
      const feeds = { concurrency: spec.concurrency, detach: spec.detach, endsAtFailure: spec.onError === "throw" };
      const feed = new FirestoreFeed({ store, place, jobId: client.jobId, large, feeds, listener: client, counts: () => undefined });
      Object.assign(client, { feed, cancel: () => feed.cancel("the test says so") });
      ends.push(() => feed.close());
      return Promise.resolve(client);
    },
    node: (name, { jobId, spec }) => {
      const node = new NodeSide(name);
      const cut = new CutOff(store);
      const work = new FirestoreWork({
        store: cut, place, jobId, nodeId: name, spec, workers: 1, large,
        listener: { grant: (message, chunk) => node.grant(message, chunk) },
        held: () => true,
        loadFailed: (body) => { throw new Error(Buffer.from(body).toString()); },
        ended: () => {
          node.isStopped = true;
          void work.close();
        },
      });
      Object.assign(node, { work, vanish: () => cut.vanish() });
      ends.push(() => {
        const closed = work.close();
        // What it writes last is never answered then.
        return cut.isGone ? Promise.resolve() : closed;
      });
      return Promise.resolve(node);
    },
    close: async () => {
      await Promise.all(ends.map((end) => end()));
      await store.close();
    },
  };
}

/** The store of a node that may freeze: then nothing that it writes gets there in time, and it hears of nothing. */
class CutOff implements DocumentStore {
  readonly #store: DocumentStore;
  readonly #stops = new Set<() => void>();
  isGone = false;

  constructor(store: DocumentStore) {
    this.#store = store;
  }

  vanish(): void {
    this.isGone = true;
    for (const stop of this.#stops) stop();
  }

  commit: DocumentStore["commit"] = (writes) => (this.isGone && writes.every(({ op }) => op !== "create") ? new Promise(() => undefined) : this.#store.commit(writes));
  get: DocumentStore["get"] = (paths) => this.#store.get(paths);
  query: DocumentStore["query"] = (query) => (this.isGone ? Promise.resolve([]) : this.#store.query(query));
  sums: DocumentStore["sums"] = (collection, fields) => this.#store.sums(collection, fields);
  listen: DocumentStore["listen"] = (query, listener) => this.#track(this.#store.listen(query, listener));
  listenTo: DocumentStore["listenTo"] = (path, listener) => this.#track(this.#store.listenTo(path, listener));
  removeTree: DocumentStore["removeTree"] = (path) => this.#store.removeTree(path);
  close: DocumentStore["close"] = () => Promise.resolve();

  #track(stop: () => void): () => void {
    this.#stops.add(stop);
    return stop;
  }
}

jobQueueContract(open);

test("all that one commit writes has one version: so a node sees that a chunk is still as its lost commit left it", async () => {
  const store = await openStore(placeIn(host()));
  try {
    await store.commit([{ op: "create", path: "a/1", fields: { at: 1 } }]);
    const versions = await store.commit([{ op: "update", path: "a/1", fields: { at: 2 } }, { op: "create", path: "a/2", fields: {} }]);
    const read = (await store.get(["a/1", "a/2"])).map((document) => document?.version);
    assert.equal(new Set([...versions, ...read]).size, 1, [...versions, ...read].join());
  } finally {
    await store.close();
  }
});

test("what needs an index that nobody has made is refused as on Google Cloud, and is no conflict", async () => {
  const store = await openStore(placeIn(host()));
  const refused = (error: unknown) => (error as { code?: string }).code === "BURLA_QUEUE" && /requires an index/.test((error as Error).message);
  try {
    await store.commit([1, 2].map((failed) => ({ op: "create" as const, path: `jobs/one/results/${failed}`, fields: { inputs: 10, failed, taken: -1, nodeId: "n" } })));
    assert.deepEqual(await store.sums("jobs/one/results", ["failed", "inputs"]), { failed: 3, inputs: 20, count: 2 });
    const results = { collection: "jobs/one/results", limit: 1 };
    assert.equal((await store.query({ ...results, where: [["failed", ">", 0]], orderBy: "failed" })).length, 1);
    await assert.rejects(store.query({ ...results, where: [["taken", "==", -1]], orderBy: "failed" }), refused);
    await assert.rejects(store.query({ ...results, where: [["nodeId", "==", "n"]] }), refused);
    await assert.rejects(store.sums("jobs/one/results", ["nodeId"]), refused);
  } finally {
    await store.close();
  }
});
