/**
 * Errors on the wire: an envelope of our own, because structured clone keeps neither classes beyond the built-in ones
 * nor own properties, and because main writes some of them without ever opening a user value.
 */
import { types } from "node:util";
import * as v from "valibot";
import { pack, unpack } from "./frame.ts";
import { BurlaError, isErrorCode, toldError, toldText } from "./errors.ts";
import { builtinOf, copyable, defineDetails, detailsOf, inspectSafely, isError, makeError, read, textOf, type Detail } from "./error-parts.ts";
import { causeLeadsBack } from "./error-rings.ts";
import { MAX_ERROR_DEPTH, MAX_ERROR_TEXT_BYTES, MAX_ERRORS_IN_ENVELOPE } from "./limits.ts";
import { decodeValue, decodeValues, encodeValues } from "./value.ts";

export type ErrorEnvelope =
  /**
   * `builtin` is the nearest built-in class; `properties` are its own ones, as values: a list of `Detail`. A cause that leads
   * back is among them as well, whole; `cause` ends where it would repeat.
   */
  | {
      kind: "error";
      name: string;
      builtin: string;
      message: string;
      stack: string;
      cause: ErrorEnvelope | null;
      errors: ErrorEnvelope[] | null;
      properties: Uint8Array | null;
    }
  /** An exception of Python; `stack` is its traceback, `pickled` the exception itself, for a client in Python. */
  | {
      kind: "python";
      name: string;
      message: string;
      stack: string;
      cause: ErrorEnvelope | null;
      errors: ErrorEnvelope[] | null;
      pickled: Uint8Array | null;
    }
  /** Something that is not an Error was thrown. */
  | { kind: "value"; value: Uint8Array }
  /** An error of Burla's own about this input. */
  | { kind: "burla"; code: string; message: string };

const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array);
const envelopeSchema: v.GenericSchema<ErrorEnvelope> = v.variant("kind", [
  v.object({
    kind: v.literal("error"),
    name: v.string(),
    builtin: v.string(),
    message: v.string(),
    stack: v.string(),
    cause: v.nullable(v.lazy(() => envelopeSchema)),
    errors: v.nullable(v.array(v.lazy(() => envelopeSchema))),
    properties: v.nullable(bytes),
  }),
  v.object({
    kind: v.literal("python"),
    name: v.string(),
    message: v.string(),
    stack: v.string(),
    cause: v.nullable(v.lazy(() => envelopeSchema)),
    errors: v.nullable(v.array(v.lazy(() => envelopeSchema))),
    pickled: v.nullable(bytes),
  }),
  v.object({ kind: v.literal("value"), value: bytes }),
  v.object({ kind: v.literal("burla"), code: v.string(), message: v.string() }),
]);
const envelopesSchema = v.array(envelopeSchema);

/** Many envelopes as one body part. */
export function encodeEnvelopes(envelopes: readonly ErrorEnvelope[]): Uint8Array {
  return envelopes.length === 0 ? new Uint8Array(0) : pack(envelopes);
}

/** @throws BurlaError BURLA_PROTOCOL when the bytes are not envelopes. */
export function decodeEnvelopes(body: Uint8Array): ErrorEnvelope[] {
  if (body.byteLength === 0) return [];
  const parsed = v.safeParse(envelopesSchema, unpack(body));
  if (!parsed.success) throw new BurlaError("BURLA_PROTOCOL", "what should be errors has another form");
  return parsed.output;
}

/** They have a place of their own in the envelope; where the class says so, others as well. */
const RESTORED_KEYS = new Set<PropertyKey>(["name", "message", "stack", "cause", "errors"]);
const RESTORED_KEYS_OF_DOM = new Set<PropertyKey>([...RESTORED_KEYS, "code"]);

/**
 * Any thrown thing as an envelope. Never throws: of a property that cannot be copied the parts travel that can, with the
 * text that `util.inspect` gives in place of the others, and one whose getter throws as a text that says so. Members
 * that lead back to an error above them are cut, and so are the causes of members and of causes.
 * @param mapStack applied to the stack's text, to drop frames that are not the user's.
 */
export function toEnvelope(thrown: unknown, mapStack: (stack: string) => string = (stack) => stack): ErrorEnvelope {
  if (isError(thrown) && thrown instanceof BurlaError && thrown.cause === undefined) {
    return { kind: "burla", code: thrown.code, message: clip(toldText(thrown)) };
  }
  return new Packer(mapStack).pack(thrown);
}

/** Packs one tree of errors. */
class Packer {
  readonly #mapStack: (stack: string) => string;
  /** The errors from the outermost to the one at hand. */
  readonly #path: unknown[] = [];
  #left = MAX_ERRORS_IN_ENVELOPE;

  constructor(mapStack: (stack: string) => string) {
    this.#mapStack = mapStack;
  }

  pack(thrown: unknown): ErrorEnvelope {
    this.#left--;
    if (!isError(thrown)) return valueEnvelope(thrown);
    this.#path.push(thrown);
    const envelope: ErrorEnvelope = {
      kind: "error",
      name: clip(textOf(thrown, "name")),
      builtin: builtinOf(thrown),
      message: clip(textOf(thrown, "message")),
      stack: clip(this.#stackOf(thrown)),
      cause: this.#cause(thrown),
      errors: this.#members(thrown),
      properties: this.#properties(thrown),
    };
    this.#path.pop();
    return envelope;
  }

  #cause(error: Error): ErrorEnvelope | null {
    const cause = read(error, "cause");
    return cause === undefined || !this.#mayHold(cause) ? null : this.pack(cause);
  }

  #members(error: Error): ErrorEnvelope[] | null {
    const members = builtinOf(error) === "AggregateError" ? read(error, "errors") : null;
    if (!Array.isArray(members)) return null;
    const envelopes: ErrorEnvelope[] = [];
    for (let at = 0; at < members.length && this.#left > 0; at++) {
      const member: unknown = read(members, String(at));
      if (this.#mayHold(member)) envelopes.push(this.pack(member));
    }
    return envelopes;
  }

  #properties(error: Error): Uint8Array | null {
    const details = detailsOf(error, builtinOf(error) === "DOMException" ? RESTORED_KEYS_OF_DOM : RESTORED_KEYS);
    return this.#withRing(error, details) ?? (details.length === 0 ? null : this.#encoded(error, details));
  }

  /** With the cause of the outermost error, where it leads back: values may, envelopes may not. */
  #withRing(error: Error, details: Detail[]): Uint8Array | null {
    if (this.#path.length > 1) return null;
    try {
      if (!causeLeadsBack(error)) return null;
      return encodeValues([...details, ["cause", false, copyable(read(error, "cause"))]], { mapStack: this.#mapStack, outer: error });
    } catch {
      return null;
    }
  }

  #encoded(error: Error, details: Detail[]): Uint8Array {
    try {
      return encodeValues(details, { mapStack: this.#mapStack, outer: error });
    } catch {
      return encodeValues(details.map(([key, isEnumerable, value]): Detail => [key, isEnumerable, inspectSafely(value)]));
    }
  }

  #mayHold(part: unknown): boolean {
    return this.#left > 0 && this.#path.length < MAX_ERROR_DEPTH && !this.#path.includes(part);
  }

  #stackOf(error: Error): string {
    const stack = textOf(error, "stack");
    try {
      return this.#mapStack(stack);
    } catch {
      return stack;
    }
  }
}

/** A promise tells nothing when it is copied, and is thrown for want of an `await`. */
function valueEnvelope(thrown: unknown): ErrorEnvelope {
  if (types.isPromise(thrown)) {
    const message = "the function threw a promise, which is no error: `await` it, or throw what it rejects with";
    return { kind: "error", name: "TypeError", builtin: "TypeError", message, stack: `TypeError: ${message}`, cause: null, errors: null, properties: null };
  }
  try {
    return { kind: "value", value: encodeValues([copyable(thrown)]) };
  } catch {
    return { kind: "value", value: encodeValues([inspectSafely(thrown)]) };
  }
}

function clip(text: string): string {
  return text.length <= MAX_ERROR_TEXT_BYTES ? text : `${text.slice(0, MAX_ERROR_TEXT_BYTES)}… (${text.length} characters)`;
}

/**
 * The thrown thing again: built-in classes restored, others as `Error` with the original `name`, with message, stack,
 * own properties, `cause` and members. Never throws: what of it cannot be read here is left out, or said.
 */
export function fromEnvelope(envelope: ErrorEnvelope): unknown {
  switch (envelope.kind) {
    case "value":
      return thrownValue(envelope.value);
    case "burla":
      return isErrorCode(envelope.code)
        ? toldError(envelope.code, envelope.message)
        : new BurlaError("BURLA_PROTOCOL", `${envelope.code}: ${envelope.message}`);
    case "python":
      return restoreError({ ...envelope, kind: "error", builtin: envelope.errors === null ? "Error" : "AggregateError", properties: null });
    case "error":
      return restoreError(envelope);
  }
}

function thrownValue(bytes: Uint8Array): unknown {
  try {
    const value = decodeValue(bytes);
    return Array.isArray(value) ? value[0] : value;
  } catch (cause) {
    return new BurlaError("BURLA_RESULT", "the function threw something that is no error and cannot be read here", { cause });
  }
}

function restoreError(envelope: Extract<ErrorEnvelope, { kind: "error" }>): Error {
  const error = makeError(envelope.builtin, envelope.message, envelope.name);
  const define = (key: string, value: unknown) => {
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
  };
  if (envelope.errors !== null) define("errors", envelope.errors.map(fromEnvelope));
  if (error.name !== envelope.name) define("name", envelope.name);
  define("stack", envelope.stack);
  if (envelope.cause !== null) define("cause", fromEnvelope(envelope.cause));
  if (envelope.properties !== null) defineDetails(error, propertiesOf(envelope.properties, error));
  return error;
}

function propertiesOf(bytes: Uint8Array, error: Error): readonly Detail[] {
  try {
    const details = decodeValues(bytes, error);
    return v.is(detailsSchema, details) ? details : [];
  } catch {
    return [];
  }
}

const detailsSchema: v.GenericSchema<Detail[]> = v.array(
  v.tuple([v.union([v.string(), v.object({ symbol: v.string() })]), v.boolean(), v.unknown()]),
);
