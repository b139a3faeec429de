/** Results of one grant, gathered until they are worth a message. */
import {
  BurlaError, encodeEnvelopes, encodeValues, findUncloneable, toEnvelope, type ErrorEnvelope, type WorkerToNode,
} from "@burla/protocol";

type ResultsMessage = Extract<WorkerToNode, { type: "workerResults" }>;

export class Batch {
  readonly grantId: number;
  readonly #indices: number[] = [];
  /** One entry per call, in order; a failed call's value is not sent. */
  readonly #values: unknown[] = [];
  readonly #failures = new Map<number, ErrorEnvelope>();
  #runMs = 0;

  constructor(grantId: number) {
    this.grantId = grantId;
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
    this.#failures.set(this.#indices.length, envelope);
    this.#indices.push(index);
    this.#values.push(undefined);
    this.#runMs += ms;
  }

  /** The message and its body. A value that cannot be copied makes its own call fail, not the batch. */
  encode(): { message: ResultsMessage; body: [Uint8Array, Uint8Array] } {
    const values = this.#encodeValues();
    const first = this.#indices[0] ?? 0;
    const contiguous = this.#indices.every((index, position) => index === first + position);
    const failed = [...this.#failures.keys()].sort((a, b) => a - b);
    const envelopes = failed.map((position) => this.#failures.get(position) as ErrorEnvelope);
    const message: ResultsMessage = {
      type: "workerResults",
      grantId: this.grantId,
      first,
      count: this.#indices.length,
      indices: contiguous ? null : this.#indices,
      failed,
      valuesBytes: values.byteLength,
      runMs: this.#runMs,
    };
    return { message, body: [values, encodeEnvelopes(envelopes)] };
  }

  #encodeValues(): Uint8Array {
    try {
      return encodeValues(this.#fulfilled());
    } catch {
      this.#failUncloneable();
      return encodeValues(this.#fulfilled());
    }
  }

  #fulfilled(): unknown[] {
    if (this.#failures.size === 0) return this.#values;
    return this.#values.filter((_, position) => !this.#failures.has(position));
  }

  #failUncloneable(): void {
    this.#values.forEach((value, position) => {
      if (this.#failures.has(position)) return;
      const found = findUncloneable(value);
      if (found === null) return;
      const index = this.#indices[position] ?? -1;
      const error = new BurlaError("BURLA_RESULT", `the result of input ${index} cannot be sent: result${found.path} is ${found.what}`);
      this.#failures.set(position, toEnvelope(error));
    });
  }
}
