/**
 * Results as JSON. What JSON has no word for is `{ "$type": NAME, ... }`:
 *
 * | value                                  | JSON                                              |
 * | -------------------------------------- | ------------------------------------------------- |
 * | `Date`                                 | ISO text, as `JSON.stringify` writes it           |
 * | `undefined` as a result, in an array   | `null`; as a property it is left out              |
 * | `NaN`, `Infinity`, `-Infinity`         | `{"$type":"number","value":"NaN"}`                |
 * | `BigInt`                               | `{"$type":"bigint","value":"123"}`                |
 * | `Map`, `Set`                           | `{"$type":"Map","value":[[key, value], ...]}`     |
 * | `RegExp`                               | `{"$type":"RegExp","value":"/a/g"}`               |
 * | `Error`                                | `{"$type":"Error","name":...,"message":...}`      |
 * | bytes: `Buffer`, `Uint8Array`, `ArrayBuffer`, `DataView` | `{"$type":"Uint8Array","base64":...}` |
 * | other typed arrays                     | `{"$type":"Float64Array","value":[1, 2]}`         |
 * | an object inside itself                | `{"$type":"circular"}`                            |
 *
 * An error of Burla's own has no stack but a cure.
 */
import { BurlaError } from "@burla/protocol";
import { withoutCure } from "./failure.ts";

/** One line of JSON. */
export function toJson(value: unknown): string {
  if (typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return JSON.stringify(value);
  return JSON.stringify(toPlain(value, []) ?? null);
}

/** An error as data: name, message, stack, code and other own properties, cause and members. */
export function errorToPlain(error: unknown): unknown {
  return describeError(error, []);
}

type Plain = string | number | boolean | null | undefined | object;

/** @param within the objects around the value, outermost first. */
function toPlain(value: unknown, within: readonly object[]): Plain {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return value;
    case "number":
      return Number.isFinite(value) ? value : tagged("number", String(value));
    case "bigint":
      return tagged("bigint", String(value));
    case "object":
      return value === null ? null : objectToPlain(value, within);
    default:
      return tagged(typeof value, String(value));
  }
}

function objectToPlain(value: object, within: readonly object[]): Plain {
  if (within.includes(value)) return { $type: "circular" };
  const deeper = [...within, value];
  const plain = (part: unknown) => toPlain(part, deeper);
  if (Array.isArray(value)) return Array.from(value, (part: unknown) => plain(part) ?? null);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? tagged("Date", "Invalid Date") : value.toISOString();
  if (value instanceof Map) return tagged("Map", Array.from(value, ([key, item]) => [plain(key) ?? null, plain(item) ?? null]));
  if (value instanceof Set) return tagged("Set", Array.from(value, (item) => plain(item) ?? null));
  if (value instanceof RegExp) return tagged("RegExp", String(value));
  if (value instanceof Error) return { $type: "Error", ...describeError(value, within) };
  if (value instanceof Boolean || value instanceof Number || value instanceof String || value instanceof BigInt) return plain(value.valueOf());
  return binaryToPlain(value) ?? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}

function binaryToPlain(value: object): Plain {
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return bytesToPlain(new Uint8Array(value));
  if (!ArrayBuffer.isView(value)) return undefined;
  if (value instanceof Uint8Array || value instanceof DataView) return bytesToPlain(value);
  const numbers = Array.from(value as unknown as Iterable<number | bigint>, (number) => (typeof number === "bigint" ? String(number) : toPlain(number, [])));
  return tagged(value.constructor.name, numbers);
}

function bytesToPlain({ buffer, byteOffset, byteLength }: ArrayBufferView): object {
  return { $type: "Uint8Array", base64: Buffer.from(buffer, byteOffset, byteLength).toString("base64") };
}

function tagged(type: string, value: unknown): object {
  return { $type: type, value };
}

function describeError(error: unknown, within: readonly object[]): object {
  if (!(error instanceof Error)) return { name: "NonError", message: "something that is not an Error was thrown", value: toPlain(error, within) ?? null };
  if (within.includes(error)) return { $type: "circular" };
  if (error instanceof BurlaError) return { name: error.name, code: error.code, message: withoutCure(error), cure: error.cure };
  const deeper = [...within, error];
  const properties = Object.entries(error).filter(([key]) => key !== "inputIndex" && key !== "name");
  return {
    name: error.name,
    message: error.message,
    stack: error.stack ?? "",
    ...Object.fromEntries(properties.map(([key, part]) => [key, toPlain(part, deeper)])),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause, deeper) }),
    ...(error instanceof AggregateError ? { errors: error.errors.map((member) => describeError(member, deeper)) } : {}),
  };
}
