import type { QueuePlace } from "@burla/protocol";
import { openStore, type DocumentStore } from "@burla/queue";
import { checkId, readRecord, type StateKind, type StateRecord, type StateStore } from "./state-store.ts";

const PAGE = 100;

/** One document for each record, its value as the text of its JSON: nobody asks for a part of it. */
export class FirestoreStateStore implements StateStore {
  readonly #root: string;
  readonly #store: Promise<DocumentStore>;

  constructor(place: QueuePlace) {
    this.#root = place.root;
    this.#store = openStore(place);
    this.#store.catch(() => undefined);
  }

  async put(kind: StateKind, id: string, value: unknown): Promise<void> {
    const store = await this.#store;
    await store.commit([{ op: "set", path: this.#pathOf(kind, id), fields: { json: JSON.stringify(value) } }]);
  }

  async get(kind: StateKind, id: string): Promise<StateRecord | null> {
    const [document] = await (await this.#store).get([this.#pathOf(kind, id)]);
    return document == null ? null : readRecord(id, String(document.fields["json"]));
  }

  async list(kind: StateKind): Promise<StateRecord[]> {
    const store = await this.#store;
    const records: StateRecord[] = [];
    for (let after: string | undefined; ; ) {
      const page = await store.query({ collection: this.#collectionOf(kind), where: [], limit: PAGE, ...(after === undefined ? {} : { after }) });
      for (const { id, fields } of page) {
        const record = readRecord(id, String(fields["json"]));
        if (record !== null) records.push(record);
      }
      after = page.at(-1)?.id;
      if (after === undefined || page.length < PAGE) return records;
    }
  }

  async delete(kind: StateKind, id: string): Promise<void> {
    await (await this.#store).commit([{ op: "delete", path: this.#pathOf(kind, id) }]);
  }

  async close(): Promise<void> {
    await (await this.#store).close();
  }

  #collectionOf(kind: StateKind): string {
    return `${this.#root}/state-${kind}`;
  }

  #pathOf(kind: StateKind, id: string): string {
    return `${this.#collectionOf(kind)}/${checkId(id)}`;
  }
}
