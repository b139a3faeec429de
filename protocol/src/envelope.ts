/**
 * Errors on the wire: an envelope of our own, because structured clone keeps neither classes beyond the built-in ones
 * nor own properties, and because main writes some of them without ever opening a user value.
 */
import { serialize } from "node:v8";
import { inspect, types } from "node:util";
import * as v from "valibot";
import { pack, unpack } from "./frame.ts";
import { BurlaError, burlaError, isErrorCode } from "./errors.ts";
import { MAX_ERROR_DEPTH, MAX_ERROR_TEXT_BYTES, MAX_ERRORS_IN_ENVELOPE } from "./limits.ts";
import { decodeValue } from "./value.ts";

export type ErrorEnvelope =
  /** `builtin` is the nearest built-in class; `properties` a structured clone of the own properties. */
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

const BUILT_IN_CLASSES = [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError] as const;
const RESTORED_KEYS = new Set(["name", "message", "stack", "cause", "errors"]);
const UNREADABLE = "(could not be read)";

/**
 * Any thrown thing as an envelope. Never throws: a property that cannot be copied travels as the text that
 * `util.inspect` gives of it, and one whose getter throws as a text that says so. Causes and members that lead back to
 * an error above them are cut.
 * @param mapStack applied to the stack's text, to drop frames that are not the user's.
 */
export function toEnvelope(thrown: unknown, mapStack: (stack: string) => string = (stack) => stack): ErrorEnvelope {
  if (isError(thrown) && thrown instanceof BurlaError && thrown.cause === undefined) {
    return { kind: "burla", code: thrown.code, message: clip(firstLine(thrown)) };
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
    if (!isError(thrown)) return { kind: "value", value: cloneOrInspect(thrown) };
    this.#path.push(thrown);
    const envelope: ErrorEnvelope = {
      kind: "error",
      name: clip(textOf(thrown, "name")),
      builtin: builtinOf(thrown),
      message: clip(textOf(thrown, "message")),
      stack: clip(this.#stackOf(thrown)),
      cause: this.#cause(thrown),
      errors: this.#members(thrown),
      properties: ownProperties(thrown),
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

/** An error of this realm, or of another one, as code run by `node:vm` throws. */
function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error || types.isNativeError(thrown);
  } catch {
    return false;
  }
}

/** The nearest built-in class, by name where the error comes from another realm. */
function builtinOf(error: Error): string {
  if (error instanceof DOMException) return "DOMException";
  const own = BUILT_IN_CLASSES.find((builtIn) => error instanceof builtIn)?.name;
  if (own !== undefined || error instanceof Error) return own ?? "Error";
  for (let at: unknown = Object.getPrototypeOf(error); at != null; at = Object.getPrototypeOf(at)) {
    const name = textOf(at as object, "name");
    if (BUILT_IN_CLASSES.some((builtIn) => builtIn.name === name)) return name;
  }
  return "Error";
}

/** What the property holds; a text when its getter throws. */
function read(target: object, key: string): unknown {
  try {
    return (target as Record<string, unknown>)[key];
  } catch {
    return UNREADABLE;
  }
}

function textOf(target: object, key: string): string {
  try {
    return String(read(target, key) ?? "");
  } catch {
    return UNREADABLE;
  }
}

function firstLine(error: BurlaError): string {
  return error.message.endsWith(`\n  ${error.cure}`) ? error.message.slice(0, -error.cure.length - 3) : error.message;
}

function ownProperties(error: Error): Uint8Array | null {
  const properties: [string, unknown][] = [];
  for (const key of ownKeys(error)) {
    if (!RESTORED_KEYS.has(key)) properties.push([key, read(error, key)]);
  }
  if (properties.length === 0) return null;
  try {
    return serialize(Object.fromEntries(properties));
  } catch {
    return serialize(Object.fromEntries(properties.map(([key, value]) => [key, cloneableOrText(value)])));
  }
}

function ownKeys(error: Error): string[] {
  try {
    return Object.keys(error);
  } catch {
    return [];
  }
}

function cloneableOrText(value: unknown): unknown {
  try {
    serialize(value);
    return value;
  } catch {
    return inspectSafely(value);
  }
}

function inspectSafely(value: unknown): string {
  try {
    return inspect(value, { depth: 2 });
  } catch {
    return UNREADABLE;
  }
}

function cloneOrInspect(value: unknown): Uint8Array {
  return serialize(cloneableOrText(value));
}

function clip(text: string): string {
  return text.length <= MAX_ERROR_TEXT_BYTES ? text : `${text.slice(0, MAX_ERROR_TEXT_BYTES)}… (${text.length} characters)`;
}

/**
 * The thrown thing again: built-in classes restored, others as `Error` with the original `name`, with message, stack,
 * own properties, `cause` and members.
 */
export function fromEnvelope(envelope: ErrorEnvelope): unknown {
  switch (envelope.kind) {
    case "value":
      return decodeValue(envelope.value);
    case "burla":
      return isErrorCode(envelope.code)
        ? burlaError(envelope.code, envelope.message)
        : new BurlaError("BURLA_PROTOCOL", `${envelope.code}: ${envelope.message}`);
    case "python":
      return restoreError({ ...envelope, kind: "error", builtin: envelope.errors === null ? "Error" : "AggregateError", properties: null });
    case "error":
      return restoreError(envelope);
  }
}

function restoreError(envelope: Extract<ErrorEnvelope, { kind: "error" }>): Error {
  const error = construct(envelope);
  const define = (key: string, value: unknown) => {
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
  };
  if (error.name !== envelope.name) define("name", envelope.name);
  define("stack", envelope.stack);
  if (envelope.cause !== null) define("cause", fromEnvelope(envelope.cause));
  if (envelope.properties !== null) assignOwn(error, decodeValue(envelope.properties) as Record<string, unknown>);
  return error;
}

function construct({ builtin, name, message, errors }: Extract<ErrorEnvelope, { kind: "error" }>): Error {
  if (builtin === "AggregateError") return new AggregateError((errors ?? []).map(fromEnvelope), message);
  if (builtin === "DOMException") return new DOMException(message, name);
  const builtIn = BUILT_IN_CLASSES.find((candidate) => candidate.name === builtin) ?? Error;
  return new (builtIn as ErrorConstructor)(message);
}

/** Defines instead of assigning: a property called `__proto__` must not change the error's class. */
function assignOwn(error: Error, properties: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(properties)) {
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true });
  }
}
