/**
 * How far a client may go, as main says it of jobs whose queue it has: so much may be pushed and not taken. It grows in
 * steps: given for each result that is taken, chunks would be as small as that.
 */
import { MAX_WINDOW_BYTES } from "@burla/protocol";
import type { ChunkToPush } from "../port.ts";
import type { ResultsDocument } from "../documents.ts";
import { chunkInputs, nextCallTime, stepTo, windowInputs, type CallTime } from "../sizing.ts";

export interface CreditGiven {
  readonly inputs: number;
  readonly bytes: number;
  readonly chunkInputs: number;
}

const UNLIMITED = Number.MAX_SAFE_INTEGER;

export class Credit {
  readonly #concurrency: number;
  readonly #isUnlimited: boolean;
  readonly #workersOf = new Map<string, number>();
  #callTime: CallTime | null = null;
  #pushedInputs = 0;
  #pushedBytes = 0;
  #takenInputs = 0;
  #givenInputs = 0;
  #givenBytes = 0;

  /** @param detach nobody takes the results of such a job while it is fed. */
  constructor({ concurrency, detach }: { readonly concurrency: number; readonly detach: boolean }) {
    this.#concurrency = concurrency;
    this.#isUnlimited = detach;
  }

  pushed({ first, count, body }: ChunkToPush): void {
    this.#pushedInputs = first + count;
    this.#pushedBytes += body.byteLength;
  }

  answered({ nodeId, workers, inputs, runMs }: Pick<ResultsDocument, "nodeId" | "workers" | "inputs" | "runMs">): void {
    this.#workersOf.set(nodeId, workers);
    this.#callTime = nextCallTime(this.#callTime, Math.max(1, inputs), runMs);
  }

  taken(inputs: number): void {
    this.#takenInputs += inputs;
  }

  /** Inputs and bytes in all, from now on. */
  give(): CreditGiven {
    const chunk = chunkInputs(this.#callTime, this.#concurrency);
    if (this.#isUnlimited) return { inputs: UNLIMITED, bytes: UNLIMITED, chunkInputs: chunk };
    let workers = 0;
    for (const some of this.#workersOf.values()) workers += some;
    const window = windowInputs(this.#callTime, this.#concurrency, workers);
    const bytesPerInput = this.#pushedInputs === 0 ? 0 : this.#pushedBytes / this.#pushedInputs;
    this.#givenInputs = stepTo(this.#givenInputs, this.#takenInputs + window, window);
    this.#givenBytes = stepTo(this.#givenBytes, Math.floor(this.#takenInputs * bytesPerInput + MAX_WINDOW_BYTES), MAX_WINDOW_BYTES);
    return { inputs: this.#givenInputs, bytes: this.#givenBytes, chunkInputs: chunk };
  }
}
