/** Results of one grant, gathered until they are worth a message. */
import {
  BurlaError, encodeEnvelopes, encodeValues, findUncloneable, MAX_FRAME_BYTES, MAX_HEADER_BYTES, toEnvelope, type ErrorEnvelope,
  type InputFailure, type WorkerToNode,
} from "@burla/protocol";
import { userStack } from "./stack.ts";

type ResultsMessage = Extract<WorkerToNode, { type: "workerResults" }>;

/** One message and the parts of its body. */
export interface EncodedBatch {
  readonly message: ResultsMessage;
  readonly body: [Uint8Array, Uint8Array];
}

const MAX_BODY_BYTES = MAX_FRAME_BYTES - MAX_HEADER_BYTES;

/** Lists side by side instead of a record per call, which would cost 0.2 us each (Node 20, 2 GHz). */
export class Batch {
  readonly grantId: number;
  readonly #maxBodyBytes: number;
  readonly #indices: number[] = [];
  /** One entry per call, in order; a failed call's value is not sent. */
  readonly #values: unknown[] = [];
  readonly #failures = new Map<number, ErrorEnvelope>();
  /** Positions of failures that no retry changes. */
  readonly #final = new Set<number>();
  #runMs = 0;

  constructor(grantId: number, maxBodyBytes = MAX_BODY_BYTES) {
    this.grantId = grantId;
    this.#maxBodyBytes = maxBodyBytes;
  }

  get size(): number {
    return this.#indices.length;
  }

  addValue(index: number, value: unknown, ms: number): void {
    this.#indices.push(index);
    this.#values.push(value);
    this.#runMs += ms;
  }

  addFailure(index: number, envelope: ErrorEnvelope, ms: number): void {
    this.#failures.set(this.size, envelope);
    this.addValue(index, undefined, ms);
  }

  /** An input with which no call can be made. */
  refuse(index: number, { code, message }: InputFailure): void {
    this.#final.add(this.size);
    this.addFailure(index, { kind: "burla", code, message }, 0);
  }

  /**
   * As one message, or as several where one would be larger than a frame. A value that cannot be copied, or is too large
   * by itself, makes its own call fail, not the batch.
   */
  encode(): EncodedBatch[] {
    const values = this.#encodeValues();
    const failed = [...this.#failures.keys()].sort((a, b) => a - b);
    const errors = encodeEnvelopes(failed.map((position) => this.#failures.get(position) as ErrorEnvelope));
    if (values !== null && values.byteLength + errors.byteLength <= this.#maxBodyBytes) {
      return [{ message: this.#message(failed, values.byteLength), body: [values, errors] }];
    }
    if (this.size > 1) return [...this.#part(0, this.size >> 1).encode(), ...this.#part(this.size >> 1, this.size).encode()];
    const what = this.#failures.size === 0 ? "result" : "error";
    this.#fail(0, "BURLA_TOO_LARGE", `the ${what} of input ${this.#indices[0] ?? -1} is over the limit of ${this.#maxBodyBytes} bytes`);
    return this.encode();
  }

  #part(from: number, to: number): Batch {
    const part = new Batch(this.grantId, this.#maxBodyBytes);
    const meanMs = this.#runMs / this.size;
    for (let position = from; position < to; position++) {
      const index = this.#indices[position] ?? -1;
      const failure = this.#failures.get(position);
      if (failure === undefined) part.addValue(index, this.#values[position], meanMs);
      else part.addFailure(index, failure, meanMs);
      if (this.#final.has(position)) part.#final.add(part.size - 1);
    }
    return part;
  }

  #message(failed: number[], valuesBytes: number): ResultsMessage {
    const first = this.#indices[0] ?? 0;
    const inRow = this.#indices.every((index, position) => index === first + position);
    const indices = inRow ? null : this.#indices;
    const final = [...this.#final];
    return { type: "workerResults", grantId: this.grantId, first, count: this.size, indices, failed, final, valuesBytes, runMs: this.#runMs };
  }

  /** @returns null when all together is more than V8 can write. */
  #encodeValues(): Uint8Array | null {
    const values = tryEncode(this.#fulfilled());
    if (values !== null) return values;
    this.#failUncloneable();
    return tryEncode(this.#fulfilled());
  }

  #fulfilled(): unknown[] {
    if (this.#failures.size === 0) return this.#values;
    return this.#values.filter((_, position) => !this.#failures.has(position));
  }

  #failUncloneable(): void {
    this.#values.forEach((value, position) => {
      const found = this.#failures.has(position) ? null : findUncloneable(value);
      if (found === null) return;
      const index = this.#indices[position] ?? -1;
      this.#fail(position, "BURLA_RESULT", `the result of input ${index} cannot be sent: result${found.path} is ${found.what}`);
    });
  }

  #fail(position: number, code: "BURLA_RESULT" | "BURLA_TOO_LARGE", message: string): void {
    this.#failures.set(position, toEnvelope(new BurlaError(code, message)));
  }
}

function tryEncode(values: readonly unknown[]): Uint8Array | null {
  try {
    return encodeValues(values, { mapStack: userStack });
  } catch {
    return null;
  }
}
