/** Documents in Cloud Firestore, by Google's own client. Loaded when a job has its queue there, and not before. */
import { AggregateField, FieldPath, Firestore, Timestamp, type DocumentSnapshot, type Query as GoogleQuery, type QuerySnapshot } from "@google-cloud/firestore";
import { GoogleAuth } from "google-auth-library";
import type { QueuePlace } from "@burla/protocol";
import type { DocumentStore, Fields, Listener, Query, StoredDocument, Version, Write } from "./store.ts";

/**
 * Errors are Google's own here: the file is built apart from the programs that load it, whose classes it does not share.
 */
export class GoogleStore implements DocumentStore {
  readonly #firestore: Firestore;

  constructor({ project, database, emulator }: Pick<QueuePlace, "project" | "database" | "emulator">) {
    this.#firestore = new Firestore({
      databaseId: database,
      ...(project === "" ? {} : { projectId: project }),
      ...(emulator === null ? {} : { host: emulator, ssl: false }),
    });
  }

  async commit(writes: readonly Write[]): Promise<Version[]> {
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
    const found = await this.#firestore.getAll(...paths.map((path) => this.#firestore.doc(path)));
    return found.map(documentOf);
  }

  async query(query: Query): Promise<StoredDocument[]> {
    return documentsOf(await this.#build(query).get());
  }

  async sums(collection: string, fields: readonly string[]): Promise<Record<string, number>> {
    const sums = Object.fromEntries(fields.map((field) => [field, AggregateField.sum(field)]));
    const found = await this.#firestore.collection(collection).aggregate({ ...sums, count: AggregateField.count() }).get();
    return found.data() as Record<string, number>;
  }

  listen(query: Query, { next, failed }: Listener): () => void {
    return this.#build(query).onSnapshot((snapshot) => next(documentsOf(snapshot), versionOf(snapshot.readTime)), failed);
  }

  listenTo(path: string, { next, failed }: Listener): () => void {
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
    await this.#firestore.recursiveDelete(isDocument ? this.#firestore.doc(path) : this.#firestore.collection(path));
  }

  async close(): Promise<void> {
    await this.#firestore.terminate();
  }

  #build({ collection, where, orderBy, fromId, beforeId, after, limit }: Query): GoogleQuery {
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
