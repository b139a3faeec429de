/** An input source -> the inputs of a job, which remember how each of them looked until its result is there. */
import { openInputs, toJson, UsageError, type InputOptions } from "burla/tools";
import { EvaluatedInputs, evaluateInputs, type EvaluateOptions } from "./evaluate.ts";
import type { InputSource } from "./messages.ts";

/** Bytes beyond this are named by their length only. */
const MAX_SHOWN_BYTES = 64 * 1024;

export type AnyInputs = Iterable<unknown> | AsyncIterable<unknown>;

/** @throws UsageError for what is not there or cannot be, now or while it is iterated. */
export async function openSource(source: InputSource, options: Omit<EvaluateOptions, "what">): Promise<AnyInputs> {
  switch (source.kind) {
    case "file":
      return openInputs({ ...NO_OPTIONS, names: [source.path], format: source.format });
    case "glob":
      return openInputs({ ...NO_OPTIONS, names: [source.pattern], format: "files", read: source.read ?? undefined });
    case "expression":
    case "export":
      return evaluateInputs({ ...options, what: source });
  }
}

const NO_OPTIONS: Omit<InputOptions, "names"> = { format: undefined, read: undefined, limit: undefined, stdin: (async function* () {})() };

/**
 * The same inputs, of which the first is there: a source that cannot be read begins no job.
 * @throws UsageError when there is none, or what its reading throws.
 */
export async function withFirst(inputs: AnyInputs, source: InputSource): Promise<AnyInputs> {
  if (Array.isArray(inputs)) {
    if (inputs.length === 0) throw noInputs(source);
    return inputs as unknown[];
  }
  const iterator = Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]();
  const first = await iterator.next();
  if (first.done === true) throw noInputs(source);
  return resumed(first.value, iterator);
}

/**
 * The first inputs, and how many there are in all; null where only making them all would tell.
 * @param opened what the inputs were opened as: only what is read from files is counted by reading it.
 */
export async function firstOf(inputs: AnyInputs, limit: number, opened: AnyInputs): Promise<{ readonly inputs: readonly unknown[]; readonly count: number | null }> {
  if (Array.isArray(inputs)) return { inputs: inputs.slice(0, limit), count: inputs.length };
  const first: unknown[] = [];
  let count = 0;
  for await (const input of inputs) {
    if (count++ < limit) first.push(input);
    if (count >= limit && opened instanceof EvaluatedInputs) return { inputs: first, count: opened.count };
  }
  return { inputs: first, count };
}

async function* resumed(first: unknown, iterator: Iterator<unknown> | AsyncIterator<unknown>): AsyncGenerator<unknown> {
  try {
    yield first;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

function noInputs(source: InputSource): UsageError {
  const what = source.kind === "file" ? source.path : source.kind === "glob" ? source.pattern : source.kind === "export" ? source.name : "the expression";
  const cure = source.kind === "glob" ? "No file fits the pattern: choose another one." : source.kind === "file" ? "Put inputs into the file, or choose another one." : "It must give at least one element.";
  return new UsageError(`${what} has no inputs`, cure);
}

/** Hands inputs to a job and knows what they were. */
export class RememberedInputs {
  /** What to give to the job. */
  readonly inputs: AnyInputs;
  readonly #texts = new Map<number, string>();
  readonly #array: readonly unknown[] | null;

  /** @param indexes the inputs to hand on, in rising order; null for all. */
  constructor(inputs: AnyInputs, indexes: readonly number[] | null) {
    this.#array = Array.isArray(inputs) && indexes === null ? (inputs as unknown[]) : null;
    this.inputs = this.#array ?? this.#remember(inputs, indexes);
  }

  /** The input at that place of the job, as JSON; each can be asked for once. Null when it was never handed on. */
  take(jobIndex: number): string | null {
    if (this.#array !== null) return inputJson(this.#array[jobIndex]);
    const text = this.#texts.get(jobIndex) ?? null;
    this.#texts.delete(jobIndex);
    return text;
  }

  async *#remember(inputs: AnyInputs, indexes: readonly number[] | null): AsyncGenerator<unknown> {
    let position = 0;
    let jobIndex = 0;
    for await (const input of inputs) {
      const isWanted = indexes === null || indexes[jobIndex] === position;
      position++;
      if (!isWanted) continue;
      this.#texts.set(jobIndex++, inputJson(input));
      yield input;
      if (jobIndex === indexes?.length) return;
    }
  }
}

function inputJson(input: unknown): string {
  if (ArrayBuffer.isView(input) && input.byteLength > MAX_SHOWN_BYTES) return JSON.stringify(`${input.byteLength} bytes`);
  return toJson(input);
}
