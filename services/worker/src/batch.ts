/** Results of one grant, gathered until they are worth a message. */
import {
  BurlaError, encodeEnvelopes, encodeValues, findUncloneable, MAX_FRAME_BYTES, MAX_HEADER_BYTES, toEnvelope, type ErrorEnvelope,
  type WorkerToNode,
} from "@burla/protocol";

type ResultsMessage = Extract<WorkerToNode, { type: "workerResults" }>;

/** One message and the parts of its body. */
export interface EncodedBatch {
  readonly message: ResultsMessage;
  readonly body: [Uint8Array, Uint8Array];
}

/** One call: a failed one has an envelope, and its value is not sent. */
interface Answer {
  readonly index: number;
  readonly value: unknown;
  failure: ErrorEnvelope | null;
  readonly ms: number;
}

const MAX_BODY_BYTES = MAX_FRAME_BYTES - MAX_HEADER_BYTES;

export class Batch {
  readonly grantId: number;
  readonly #maxBodyBytes: number;
  readonly #answers: Answer[];

  constructor(grantId: number, maxBodyBytes = MAX_BODY_BYTES, answers: Answer[] = []) {
    this.grantId = grantId;
    this.#maxBodyBytes = maxBodyBytes;
    this.#answers = answers;
  }

  get size(): number {
    return this.#answers.length;
  }

  addValue(index: number, value: unknown, ms: number): void {
    this.#answers.push({ index, value, failure: null, ms });
  }

  addFailure(index: number, failure: ErrorEnvelope, ms: number): void {
    this.#answers.push({ index, value: undefined, failure, ms });
  }

  /**
   * As one message, or as several where one would be larger than a frame. A value that cannot be copied, or is too large
   * by itself, makes its own call fail, not the batch.
   */
  encode(): EncodedBatch[] {
    const values = this.#encodeValues();
    const errors = values === null ? null : encodeEnvelopes(this.#answers.flatMap(({ failure }) => failure ?? []));
    if (values !== null && errors !== null && values.byteLength + errors.byteLength <= this.#maxBodyBytes) {
      return [{ message: this.#message(values.byteLength), body: [values, errors] }];
    }
    const [only] = this.#answers;
    if (this.size > 1) return [...this.#part(0, this.size >> 1).encode(), ...this.#part(this.size >> 1, this.size).encode()];
    if (only === undefined) return [];
    const what = only.failure === null ? "result" : "error";
    only.failure = failureOf("BURLA_TOO_LARGE", `the ${what} of input ${only.index} is over the limit of ${this.#maxBodyBytes} bytes`);
    return this.encode();
  }

  #part(from: number, to: number): Batch {
    return new Batch(this.grantId, this.#maxBodyBytes, this.#answers.slice(from, to));
  }

  #message(valuesBytes: number): ResultsMessage {
    const indices = this.#answers.map(({ index }) => index);
    const first = indices[0] ?? 0;
    return {
      type: "workerResults",
      grantId: this.grantId,
      first,
      count: this.size,
      indices: indices.every((index, position) => index === first + position) ? null : indices,
      failed: this.#answers.flatMap(({ failure }, position) => (failure === null ? [] : [position])),
      valuesBytes,
      runMs: this.#answers.reduce((sum, { ms }) => sum + ms, 0),
    };
  }

  /** @returns null when all together is more than V8 can write. */
  #encodeValues(): Uint8Array | null {
    const values = tryEncode(this.#fulfilled());
    if (values !== null) return values;
    this.#failUncloneable();
    return tryEncode(this.#fulfilled());
  }

  #fulfilled(): unknown[] {
    return this.#answers.filter(({ failure }) => failure === null).map(({ value }) => value);
  }

  #failUncloneable(): void {
    for (const answer of this.#answers) {
      const found = answer.failure === null ? findUncloneable(answer.value) : null;
      if (found === null) continue;
      answer.failure = failureOf("BURLA_RESULT", `the result of input ${answer.index} cannot be sent: result${found.path} is ${found.what}`);
    }
  }
}

function failureOf(code: "BURLA_RESULT" | "BURLA_TOO_LARGE", message: string): ErrorEnvelope {
  return toEnvelope(new BurlaError(code, message));
}

function tryEncode(values: readonly unknown[]): Uint8Array | null {
  try {
    return encodeValues(values);
  } catch {
    return null;
  }
}
