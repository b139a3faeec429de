/** Bytes of users: in the document itself if small, in one of their own, or as a large value elsewhere. */
import { BurlaError } from "@burla/protocol";
import { below, expiry, randomId, type Payload } from "./documents.ts";
import type { LargeValues } from "./port.ts";
import { MAX_DOCUMENT_BYTES, MAX_INLINE_BYTES } from "./limits.ts";
import type { DocumentStore, Write } from "./store.ts";

const NOTHING = new Uint8Array(0);

export interface StoredPayload {
  readonly payload: Payload;
  /** To be written in the same commit. */
  readonly writes: readonly Write[];
  /** Bytes in the documents. */
  readonly bytes: number;
}

export class Payloads {
  readonly #store: DocumentStore;
  readonly #job: string;
  readonly #large: LargeValues;

  /** @param job the path of the job's document. */
  constructor(store: DocumentStore, job: string, large: LargeValues) {
    this.#store = store;
    this.#job = job;
    this.#large = large;
  }

  async put(body: Uint8Array): Promise<StoredPayload> {
    const bytes = body.byteLength;
    if (bytes <= MAX_INLINE_BYTES) return { payload: { inline: body, bodyId: "", large: "" }, writes: [], bytes };
    if (bytes > MAX_DOCUMENT_BYTES) return { payload: { inline: NOTHING, bodyId: "", large: await this.#large.put(body) }, writes: [], bytes: 0 };
    const bodyId = randomId();
    const write: Write = { op: "create", path: this.#pathOf(bodyId), fields: { data: body, expireAt: expiry(Date.now()) } };
    return { payload: { inline: NOTHING, bodyId, large: "" }, writes: [write], bytes };
  }

  /** @throws BurlaError BURLA_QUEUE when it is gone. */
  async get({ inline, bodyId, large }: Payload): Promise<Uint8Array> {
    if (large !== "") return this.#large.get(large);
    if (bodyId === "") return inline;
    const [document] = await this.#store.get([this.#pathOf(bodyId)]);
    const data = document?.fields["data"];
    if (data instanceof Uint8Array) return data;
    throw new BurlaError("BURLA_QUEUE", "a value of the job is not in Cloud Firestore any more");
  }

  /** What removes the bytes; a large value stays until its store forgets it. */
  removal({ bodyId }: Payload): Write[] {
    return bodyId === "" ? [] : [{ op: "delete", path: this.#pathOf(bodyId) }];
  }

  #pathOf(bodyId: string): string {
    return `${below(this.#job, "bodies")}/${bodyId}`;
  }
}
