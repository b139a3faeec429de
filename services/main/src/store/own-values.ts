/** Large values of queues elsewhere, as main keeps them for clients and nodes: among its blobs. */
import type { LargeValues } from "@burla/queue";
import type { BlobStore } from "./blobs.ts";

export class OwnValues implements LargeValues {
  readonly #blobs: BlobStore;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  put(value: Uint8Array): Promise<string> {
    return Promise.resolve(this.#blobs.add(value));
  }

  get(name: string): Promise<Uint8Array> {
    return Promise.resolve(this.#blobs.get(name));
  }
}
