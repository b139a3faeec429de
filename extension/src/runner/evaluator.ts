/** Evaluates an expression or export of the user and hands its values over, a batch for each `"next"`. */
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { findUncloneable, hasLeft } from "@burla/protocol";
import type { EvaluationAnswer, EvaluationRequest } from "./evaluation.ts";

const MAX_BATCH = 500;
/** Inputs that come slowly are not held back for longer. */
const MAX_BATCH_MS = 20;

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

interface BundleModule {
  default: (values: Uint8Array) => Promise<unknown>;
}

class Evaluator {
  readonly #request: EvaluationRequest;
  #iterator: AnyIterator | undefined;
  #given = 0;
  #count: number | null = null;

  constructor(request: EvaluationRequest) {
    this.#request = request;
  }

  async next(): Promise<EvaluationAnswer> {
    try {
      this.#iterator ??= await this.#open();
      const values = await this.#batch(this.#iterator);
      return values.length === 0 ? { kind: "end" } : { kind: "values", values, of: this.#count };
    } catch (error) {
      const { label } = this.#request;
      return { kind: "error", message: `${label}: ${error instanceof Error ? (error.stack ?? error.message) : inspect(error)}`, cure: "The inputs are evaluated on this machine before the job gets them; mend that line." };
    }
  }

  /** What to say instead, when the values cannot be handed over. */
  uncloneable(values: readonly unknown[]): EvaluationAnswer {
    const at = values.findIndex((value) => findUncloneable(value) !== null);
    const culprit = findUncloneable(values[at]);
    const what = culprit === null ? "cannot be copied" : `holds ${culprit.what}${culprit.path === "" ? "" : ` at ${culprit.path}`}, which cannot be copied`;
    return { kind: "error", message: `${this.#request.label}: input ${this.#given - values.length + Math.max(0, at)} ${what}`, cure: "Send plain data: convert the named part." };
  }

  async #open(): Promise<AnyIterator> {
    process.setSourceMapsEnabled(true);
    const module = (await import(pathToFileURL(this.#request.bundle).href)) as BundleModule;
    const value = await module.default(new Uint8Array());
    if (typeof value === "object" && value !== null) {
      this.#count = Array.isArray(value) || ArrayBuffer.isView(value) ? (value as ArrayLike<unknown>).length : value instanceof Set || value instanceof Map ? value.size : null;
      if (Symbol.asyncIterator in value) return (value as AsyncIterable<unknown>)[Symbol.asyncIterator]();
      if (Symbol.iterator in value) return (value as Iterable<unknown>)[Symbol.iterator]();
    }
    throw new TypeError(`the inputs must be an array or something else to iterate, not ${inspect(value, { depth: 0 })}`);
  }

  async #batch(iterator: AnyIterator): Promise<unknown[]> {
    const values: unknown[] = [];
    const endMs = performance.now() + MAX_BATCH_MS;
    while (values.length < MAX_BATCH && (values.length === 0 || performance.now() < endMs)) {
      const { done, value } = await iterator.next();
      if (done === true) break;
      values.push(await value);
    }
    this.#given += values.length;
    return values;
  }
}

process.once("message", (request: EvaluationRequest) => {
  const evaluator = new Evaluator(request);
  process.on("message", () => {
    void evaluator.next().then(async (answer) => {
      // Who reads what was printed ends this process after its last answer.
      await Promise.all([hasLeft(process.stdout), hasLeft(process.stderr)]);
      try {
        process.send?.(answer);
      } catch {
        process.send?.(answer.kind === "values" ? evaluator.uncloneable(answer.values) : { kind: "error", message: `${request.label} cannot be handed over`, cure: "" });
      }
    });
  });
});
process.once("disconnect", () => process.exit());
