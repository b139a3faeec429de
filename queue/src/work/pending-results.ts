/** Outcomes of a chunk's inputs that are not in the store yet -> one document. */
import { pack } from "@burla/protocol";
import type { Acceptance } from "../chunk.ts";
import type { ResultsDocument, StoredBatch } from "../documents.ts";

export class PendingResults {
  readonly #batches: StoredBatch[] = [];
  readonly #bodies: Uint8Array[] = [];
  #inputs = 0;
  #failed = 0;
  #runMs = 0;
  #bytes = 0;

  add(batch: StoredBatch, body: Uint8Array, { answered, failed }: Pick<Acceptance, "answered" | "failed">, runMs: number): void {
    this.#batches.push(batch);
    this.#bodies.push(body);
    this.#inputs += answered;
    this.#failed += failed;
    this.#runMs += runMs;
    this.#bytes += body.byteLength;
  }

  get isEmpty(): boolean {
    return this.#inputs === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get body(): Uint8Array {
    const [only] = this.#bodies;
    return this.#bodies.length === 1 && only !== undefined ? only : Buffer.concat(this.#bodies);
  }

  get fields(): Pick<ResultsDocument, "inputs" | "failed" | "runMs"> & { readonly batches: Uint8Array } {
    return { batches: pack(this.#batches), inputs: this.#inputs, failed: this.#failed, runMs: this.#runMs };
  }
}
