/**
 * Errors on the wire: an envelope of our own, because structured clone keeps neither classes beyond the built-in ones
 * nor own properties, and because main writes some of them without ever opening a user value.
 */
import { deserialize, serialize } from "node:v8";
import { inspect } from "node:util";
import * as v from "valibot";
import { pack, unpack } from "./frame.ts";
import { BurlaError, burlaError, isErrorCode } from "./errors.ts";
import { MAX_ERROR_DEPTH, MAX_ERROR_TEXT_BYTES } from "./limits.ts";

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
  v.object({ kind: v.literal("value"), value: bytes }),
  v.object({ kind: v.literal("burla"), code: v.string(), message: v.string() }),
]);
const envelopesSchema = v.array(envelopeSchema);

/** Many envelopes as one body part. */
export function encodeEnvelopes(envelopes: readonly ErrorEnvelope[]): Uint8Array {
  return envelopes.length === 0 ? new Uint8Array(0) : pack(envelopes);
}

/** @throws ValiError or msgpackr's error when the bytes are not envelopes. */
export function decodeEnvelopes(body: Uint8Array): ErrorEnvelope[] {
  return body.byteLength === 0 ? [] : v.parse(envelopesSchema, unpack(body));
}

const BUILT_IN_CLASSES = [TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError] as const;
const RESTORED_KEYS = new Set(["name", "message", "stack", "cause", "errors"]);

/**
 * Any thrown thing as an envelope. Never throws: a property that cannot be copied travels as the text that
 * `util.inspect` gives of it.
 * @param mapStack applied to the stack's text, to drop frames that are not the user's.
 */
export function toEnvelope(thrown: unknown, mapStack: (stack: string) => string = (stack) => stack, depth = 0): ErrorEnvelope {
  if (!(thrown instanceof Error)) return { kind: "value", value: cloneOrInspect(thrown) };
  if (thrown instanceof BurlaError && depth === 0 && thrown.cause === undefined) {
    return { kind: "burla", code: thrown.code, message: firstLine(thrown) };
  }
  const deeper = depth + 1 < MAX_ERROR_DEPTH;
  const next = (part: unknown) => toEnvelope(part, mapStack, depth + 1);
  return {
    kind: "error",
    name: clip(String(thrown.name)),
    builtin: BUILT_IN_CLASSES.find((builtIn) => thrown instanceof builtIn)?.name ?? "Error",
    message: clip(String(thrown.message)),
    stack: clip(mapStack(stackOf(thrown))),
    cause: deeper && "cause" in thrown && thrown.cause !== undefined ? next(thrown.cause) : null,
    errors: deeper && thrown instanceof AggregateError ? thrown.errors.map(next) : null,
    properties: ownProperties(thrown),
  };
}

function firstLine(error: BurlaError): string {
  return error.message.endsWith(`\n  ${error.cure}`) ? error.message.slice(0, -error.cure.length - 3) : error.message;
}

function stackOf(error: Error): string {
  try {
    return String(error.stack ?? "");
  } catch {
    return "";
  }
}

function ownProperties(error: Error): Uint8Array | null {
  const properties: Record<string, unknown> = {};
  for (const key of Object.keys(error)) {
    if (!RESTORED_KEYS.has(key)) properties[key] = (error as unknown as Record<string, unknown>)[key];
  }
  if (Object.keys(properties).length === 0) return null;
  try {
    return serialize(properties);
  } catch {
    return serialize(Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, cloneableOrText(value)])));
  }
}

function cloneableOrText(value: unknown): unknown {
  try {
    serialize(value);
    return value;
  } catch {
    return inspect(value, { depth: 2 });
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
      return deserialize(envelope.value);
    case "burla":
      return isErrorCode(envelope.code)
        ? burlaError(envelope.code, envelope.message)
        : new BurlaError("BURLA_PROTOCOL", `${envelope.code}: ${envelope.message}`);
    case "error":
      return restoreError(envelope);
  }
}

function restoreError(envelope: Extract<ErrorEnvelope, { kind: "error" }>): Error {
  const builtIn = BUILT_IN_CLASSES.find((candidate) => candidate.name === envelope.builtin) ?? Error;
  const error =
    builtIn === AggregateError
      ? new AggregateError((envelope.errors ?? []).map(fromEnvelope), envelope.message)
      : new (builtIn as ErrorConstructor)(envelope.message);
  const define = (key: string, value: unknown) => {
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
  };
  if (error.name !== envelope.name) define("name", envelope.name);
  define("stack", envelope.stack);
  if (envelope.cause !== null) define("cause", fromEnvelope(envelope.cause));
  if (envelope.properties !== null) assignOwn(error, deserialize(envelope.properties) as Record<string, unknown>);
  return error;
}

/** Defines instead of assigning: a property called `__proto__` must not change the error's class. */
function assignOwn(error: Error, properties: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(properties)) {
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true });
  }
}
