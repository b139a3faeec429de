/** Documents in Cloud Firestore, by Google's own client. Loaded when a job has its queue there, and not before. */
import { AggregateField, FieldPath, Firestore, Timestamp, type DocumentSnapshot, type Query as GoogleQuery, type QuerySnapshot } from "@google-cloud/firestore";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { GoogleAuth } from "google-auth-library";
import type { QueuePlace } from "@burla/protocol";
import { assertIndexed } from "./indexes.ts";
import type { DocumentStore, Fields, Listener, Query, StoredDocument, Version, Write } from "./store.ts";

/** A database that cannot be reached keeps nobody from closing for longer. */
const CLOSE_PATIENCE_MS = 10_000;

/**
 * Errors are Google's own here: the file is built apart from the programs that load it, whose classes it does not share.
 */
export class GoogleStore implements DocumentStore {
  readonly #firestore: Firestore;
  readonly #underWay = new Set<Promise<unknown>>();
  /** Google's emulator has no indexes to miss. */
  readonly #isEmulated: boolean;
  #isClosed = false;

  constructor({ project, database, emulator }: Pick<QueuePlace, "project" | "database" | "emulator">) {
    this.#isEmulated = emulator !== null;
    this.#firestore = new Firestore({
      databaseId: database,
      ...(project === "" ? {} : { projectId: project }),
      ...(emulator === null ? {} : { host: emulator, ssl: false }),
    });
  }

  commit(writes: readonly Write[]): Promise<Version[]> {
    return this.#track(() => this.#commit(writes));
  }

  async #commit(writes: readonly Write[]): Promise<Version[]> {
    const batch = this.#firestore.batch();
    for (const write of writes) {
      const document = this.#firestore.doc(write.path);
      switch (write.op) {
        case "create":
          batch.create(document, write.fields);
          break;
        case "set":
          batch.set(document, write.fields);
          break;
        case "update":
          batch.update(document, write.fields, ...preconditionOf(write.version));
          break;
        case "delete":
          batch.delete(document, ...preconditionOf(write.version));
      }
    }
    return (await batch.commit()).map(({ writeTime }) => versionOf(writeTime));
  }

  async get(paths: readonly string[]): Promise<(StoredDocument | null)[]> {
    if (paths.length === 0) return [];
    const found = await this.#track(() => this.#firestore.getAll(...paths.map((path) => this.#firestore.doc(path))));
    return found.map(documentOf);
  }

  async query(query: Query): Promise<StoredDocument[]> {
    return documentsOf(await this.#track(async () => this.#build(query).get()));
  }

  /** One after the other: sums of two fields at once need an index of both. */
  async sums(collection: string, fields: readonly string[]): Promise<Record<string, number>> {
    const sums: Record<string, number> = {};
    if (fields.length === 0) Object.assign(sums, await this.#aggregate(collection, []));
    for (const field of fields) Object.assign(sums, await this.#aggregate(collection, [field]));
    return sums;
  }

  async #aggregate(collection: string, fields: readonly string[]): Promise<Record<string, number>> {
    const sums = Object.fromEntries(fields.map((field) => [field, AggregateField.sum(field)]));
    const found = await this.#track(async () => {
      if (this.#isEmulated) assertIndexed({ collection, equal: [], sorted: fields, idRange: false });
      return await this.#firestore.collection(collection).aggregate({ ...sums, count: AggregateField.count() }).get();
    });
    return found.data() as Record<string, number>;
  }

  listen(query: Query, { next, failed }: Listener): () => void {
    if (this.#isClosed) return nothing;
    return this.#build(query).onSnapshot((snapshot) => next(documentsOf(snapshot), versionOf(snapshot.readTime)), failed);
  }

  listenTo(path: string, { next, failed }: Listener): () => void {
    if (this.#isClosed) return nothing;
    return this.#firestore.doc(path).onSnapshot(
      (snapshot) => {
        const document = documentOf(snapshot);
        next(document === null ? [] : [document], versionOf(snapshot.readTime));
      },
      failed,
    );
  }

  async removeTree(path: string): Promise<void> {
    const isDocument = path.split("/").length % 2 === 0;
    await this.#track(() => this.#firestore.recursiveDelete(isDocument ? this.#firestore.doc(path) : this.#firestore.collection(path)));
  }

  /**
   * Nothing more is asked then. What is under way is waited for: in version 8.7 of Google's client a request that is
   * made, or made again, after `terminate` never settles, and leaves an unhandled rejection in the user's program.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    // A listener that was stopped in this turn sees it in the next one.
    await nextTurn();
    const terminated = this.#terminate();
    await Promise.race([terminated, pause(CLOSE_PATIENCE_MS, undefined, { ref: false })]);
  }

  async #terminate(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    await this.#firestore.terminate();
  }

  async #track<Value>(ask: () => Promise<Value>): Promise<Value> {
    if (this.#isClosed) throw new Error("the connection to Firestore is closed");
    const asked = ask();
    this.#underWay.add(asked);
    try {
      return await asked;
    } finally {
      this.#underWay.delete(asked);
    }
  }

  #build({ collection, where, orderBy, fromId, beforeId, after, limit }: Query): GoogleQuery {
    if (this.#isEmulated) {
      const equal = where.flatMap(([field, is]) => (is === "==" ? [field] : []));
      const sorted = where.flatMap(([field, is]) => (is === "==" ? [] : [field]));
      assertIndexed({ collection, equal, sorted: orderBy === undefined ? sorted : [...sorted, orderBy], idRange: fromId !== undefined || beforeId !== undefined });
    }
    let query: GoogleQuery = this.#firestore.collection(collection);
    for (const [field, is, value] of where) query = query.where(field, is, value);
    if (fromId !== undefined) query = query.where(FieldPath.documentId(), ">=", fromId);
    if (beforeId !== undefined) query = query.where(FieldPath.documentId(), "<", beforeId);
    if (orderBy !== undefined) query = query.orderBy(orderBy);
    else if (after !== undefined) query = query.orderBy(FieldPath.documentId());
    if (after !== undefined) query = query.startAfter(after);
    return query.limit(limit);
  }
}

/** @returns what gives a token that is good for some minutes at least. */
export function accessTokens(): () => Promise<string> {
  const auth = new GoogleAuth({ scopes: ["https://www.googleapis.com/auth/devstorage.read_write"] });
  return async () => (await auth.getAccessToken()) ?? "";
}

const nothing = (): void => undefined;

function preconditionOf(version: Version | undefined): [] | [{ lastUpdateTime: Timestamp }] {
  if (version === undefined) return [];
  const [seconds, nanos] = version.split(".");
  return [{ lastUpdateTime: new Timestamp(Number(seconds), Number(nanos)) }];
}

function versionOf({ seconds, nanoseconds }: Timestamp): Version {
  return `${seconds}.${nanoseconds}`;
}

function documentsOf(snapshot: QuerySnapshot): StoredDocument[] {
  return snapshot.docs.flatMap((document) => documentOf(document) ?? []);
}

function documentOf(snapshot: DocumentSnapshot): StoredDocument | null {
  const data = snapshot.data();
  if (data === undefined || snapshot.updateTime === undefined) return null;
  const fields: Record<string, Fields[string]> = {};
  for (const [name, value] of Object.entries(data)) fields[name] = value instanceof Timestamp ? value.toDate() : (value as Fields[string]);
  return { path: snapshot.ref.path, id: snapshot.id, fields, version: versionOf(snapshot.updateTime) };
}
