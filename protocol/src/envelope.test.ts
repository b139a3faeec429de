import assert from "node:assert/strict";
import { test } from "node:test";
import vm from "node:vm";
import fc from "fast-check";
import { decodeEnvelopes, encodeEnvelopes, fromEnvelope, toEnvelope } from "./envelope.ts";
import { BurlaError, TimeoutError } from "./errors.ts";
import { MAX_ERROR_DEPTH, MAX_ERROR_TEXT_BYTES, MAX_ERRORS_IN_ENVELOPE } from "./limits.ts";

/** Over the wire and back. */
function travel(thrown: unknown): unknown {
  const [envelope] = decodeEnvelopes(encodeEnvelopes([toEnvelope(thrown)]));
  assert.ok(envelope !== undefined);
  return fromEnvelope(envelope);
}

function travelError(thrown: unknown): Error & Record<string, unknown> {
  const error = travel(thrown);
  assert.ok(error instanceof Error);
  return error as Error & Record<string, unknown>;
}

const BUILT_IN = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError] as const;

test("built-in classes come back as themselves, with message, stack and own properties", () => {
  fc.assert(
    fc.property(fc.constantFrom(...BUILT_IN), fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), (Class, message, extra) => {
      const thrown = new Class(message);
      for (const [key, value] of Object.entries(extra)) {
        if (!["name", "message", "stack", "cause", "errors"].includes(key)) Object.defineProperty(thrown, key, { value, enumerable: true, configurable: true, writable: true });
      }
      const back = travelError(thrown);
      assert.equal(Object.getPrototypeOf(back), Class.prototype);
      assert.equal(back.message, message);
      assert.equal(back.stack, thrown.stack);
      assert.deepEqual({ ...back }, { ...thrown });
    }),
  );
});

test("any thrown value comes back as it was", () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withTypedArray: true, withSparseArray: true, withNullPrototype: false }), (value) => {
      assert.deepEqual(travel(value), value);
    }),
  );
  for (const falsy of [undefined, null, 0, "", false, Number.NaN]) assert.ok(Object.is(travel(falsy), falsy));
});

test("a class of the user's is an Error with the original name, on its nearest built-in class", () => {
  class QuotaError extends RangeError {
    override name = "QuotaError";
    readonly used = 12;
  }
  const back = travelError(new QuotaError("full"));
  assert.ok(back instanceof RangeError);
  assert.equal(back.name, "QuotaError");
  assert.equal(back["used"], 12);
  assert.ok(!Object.keys(back).includes("name"));
  assert.equal(String(back), "QuotaError: full");
});

test("a class that sets no name of its own keeps the one it inherits", () => {
  class Silent extends TypeError {}
  const back = travelError(new Silent("x"));
  assert.equal(back.name, "TypeError");
});

test("cause chains are kept, as errors and as values", () => {
  const back = travelError(new Error("outer", { cause: new TypeError("middle", { cause: { code: 7 } }) }));
  assert.ok(back.cause instanceof TypeError);
  assert.deepEqual(back.cause.cause, { code: 7 });
  assert.ok(!Object.keys(back).includes("cause"));
  for (const cause of [null, 0, "text"]) assert.equal(travelError(new Error("x", { cause })).cause, cause);
});

test("a cause that leads back does so again", () => {
  const own = new Error("own");
  own.cause = own;
  const back = travelError(own);
  assert.equal(back.cause, back);
  assert.ok(!Object.keys(back).includes("cause"));

  const [a, b] = [new Error("a"), new RangeError("b")];
  a.cause = b;
  b.cause = a;
  const first = travelError(Object.assign(a, { code: 5 }));
  assert.ok(first.cause instanceof RangeError && first.cause.message === "b" && first.cause.stack === b.stack);
  assert.equal(first.cause.cause, first);
  assert.equal(first["code"], 5);

  const outer = travelError(new Error("outer", { cause: a }));
  const inner = outer.cause as Error;
  assert.equal((inner.cause as Error).cause, inner, "a ring that the thrown one is no part of");
});

test("what a cause holds leads back to the thrown error itself", () => {
  const holders: ((error: Error) => unknown)[] = [
    (error) => Object.assign(new Error("cause"), { back: error }), (error) => ({ back: error }), (error) => Object.assign(new Error("cause"), { deep: [new Map([["k", { error }]])] }),
  ];
  for (const hold of holders) {
    const thrown = new Error("thrown");
    thrown.cause = hold(thrown);
    const back = travelError(thrown);
    const { back: direct, deep } = back.cause as { back?: unknown; deep?: [Map<string, { error: unknown }>] };
    assert.equal(direct ?? deep?.[0].get("k")?.error, back);
  }
});

test("a cause whose parts cannot be asked for ends where it would repeat", () => {
  class Odd extends Map<unknown, unknown> {
    override [Symbol.iterator](): never {
      throw new Error("no");
    }
  }
  const thrown = Object.assign(new Error("thrown"), { code: 5 });
  thrown.cause = Object.assign(new Error("cause"), { odd: new Odd(), back: { thrown } });
  const back = travelError(thrown);
  assert.equal(back["code"], 5);
  assert.equal((back.cause as Error).message, "cause");
});

test("readers of envelopes alone see such a cause end where it would repeat, and a part that cannot be copied is a text", () => {
  const thrown = new Error("thrown");
  thrown.cause = Object.assign(new Error("cause", { cause: thrown }), { run: () => 1 });
  const envelope = toEnvelope(thrown, () => "mapped");
  assert.ok(envelope.kind === "error" && envelope.cause?.kind === "error" && envelope.cause.cause === null);
  const back = travelError(thrown);
  const cause = back.cause as Error & { run: unknown };
  assert.equal(cause.cause, back);
  assert.equal(cause.run, "[Function: run]");
  const mapped = fromEnvelope(envelope) as Error;
  assert.equal((mapped.cause as Error).stack, "mapped");
});

test("a long chain is cut at its depth", () => {
  let error = new Error("0");
  for (let at = 1; at < 50; at++) error = new Error(String(at), { cause: error });
  let depth = 0;
  for (let at: unknown = travel(error); at !== undefined; at = (at as Error).cause) depth++;
  assert.equal(depth, MAX_ERROR_DEPTH);
});

test("members of an AggregateError are kept, errors and values, nested ones too", () => {
  const thrown = new AggregateError([new TypeError("t"), 5, new AggregateError([new RangeError("r")], "inner")], "outer");
  const back = travelError(thrown) as unknown as AggregateError;
  assert.ok(back instanceof AggregateError);
  assert.equal(back.errors.length, 3);
  assert.ok(back.errors[0] instanceof TypeError);
  assert.equal(back.errors[1], 5);
  assert.ok((back.errors[2] as AggregateError).errors[0] instanceof RangeError);
});

test("an AggregateError that holds itself many times is bounded", () => {
  const thrown = new AggregateError([], "self");
  const other = new AggregateError([], "other");
  thrown.errors = [...Array<unknown>(100).fill(thrown), ...Array<unknown>(100).fill(other)];
  other.errors = [...Array<unknown>(100).fill(thrown), ...Array<unknown>(100).fill(new AggregateError(Array<unknown>(1000).fill(new Error("leaf"))))];
  assert.equal(countErrors(travel(thrown)), MAX_ERRORS_IN_ENVELOPE);
});

function countErrors(error: unknown): number {
  if (!(error instanceof AggregateError)) return 1;
  return 1 + error.errors.reduce((sum: number, member) => sum + countErrors(member), 0);
}

test("text over its limit is cut, and says how long it was", () => {
  const back = travelError(new Error("m".repeat(10 * MAX_ERROR_TEXT_BYTES)));
  assert.ok(back.message.length < MAX_ERROR_TEXT_BYTES + 100);
  assert.match(back.message, /… \(655360 characters\)$/);
});

test("parts of an own property that cannot be copied travel as text, the others as they are", () => {
  const thrown = Object.assign(new Error("x"), { code: "E1", socket: { write() {} }, fn: () => 1, date: new Date(5) });
  const back = travelError(thrown);
  assert.equal(back["code"], "E1");
  assert.deepEqual(back["date"], new Date(5));
  assert.equal(back["fn"], "[Function: fn]");
  assert.deepEqual(back["socket"], { write: "[Function: write]" });
});

test("own properties do not change what the error is", () => {
  const thrown = new TypeError("x");
  Object.defineProperty(thrown, "__proto__", { value: { polluted: true }, enumerable: true });
  const back = travelError(thrown);
  assert.equal(Object.getPrototypeOf(back), TypeError.prototype);
  assert.equal(back["polluted"], undefined);
});

test("getters that throw, and whatever else is hostile, never break the envelope", () => {
  const boom = () => {
    throw new Error("boom");
  };
  const hostile = (key: string) => Object.defineProperty(new Error("kept"), key, { get: boom, enumerable: true });
  for (const key of ["name", "message", "stack", "cause", "extra"]) {
    assert.ok(travelError(hostile(key)) instanceof Error, key);
  }
  assert.equal(travelError(hostile("extra"))["extra"], "(could not be read)");
  assert.ok(travelError(Object.defineProperty(new AggregateError([1]), "errors", { get: boom })) instanceof AggregateError);
  assert.ok(travelError(Object.assign(new AggregateError([1]), { errors: "no list" })) instanceof AggregateError);
  assert.equal(travelError(Object.assign(new Error("x"), { message: { toString: boom } })).message, "(could not be read)");
  assert.equal(travelError(Object.assign(new Error("x"), { message: Symbol("s") })).message, "Symbol(s)");
  assert.ok(travelError(Object.assign(new Error("x"), { part: { [Symbol.for("nodejs.util.inspect.custom")]: boom, f: boom } })));
  const trap = new Proxy(new Error("p"), { getPrototypeOf: boom, ownKeys: boom, get: boom });
  assert.doesNotThrow(() => toEnvelope(trap));
  assert.doesNotThrow(() => toEnvelope(new Proxy(new Error("p"), { ownKeys: boom })));
  assert.doesNotThrow(() => toEnvelope(new Error("x"), boom));
});

test("errors of another realm keep class, properties and cause", () => {
  const thrown = vm.runInNewContext("Object.assign(new RangeError('far', { cause: new TypeError('deep') }), { code: 3 })");
  const back = travelError(thrown);
  assert.ok(back instanceof RangeError);
  assert.equal(back["code"], 3);
  assert.ok(back.cause instanceof TypeError);
  const members = travel(vm.runInNewContext("new AggregateError([new URIError('u')], 'm')"));
  assert.ok(members instanceof AggregateError && members.errors[0] instanceof URIError);
});

test("a DOMException is one again, with its code", () => {
  const back = travel(new DOMException("stopped", "AbortError"));
  assert.ok(back instanceof DOMException);
  assert.equal(back.name, "AbortError");
  assert.equal(back.message, "stopped");
  assert.equal(back.code, DOMException.ABORT_ERR);
});

test("the stack is mapped, of causes too", () => {
  const envelope = toEnvelope(new Error("x", { cause: new Error("y") }), () => "mapped");
  assert.ok(envelope.kind === "error" && envelope.stack === "mapped" && envelope.cause?.kind === "error" && envelope.cause.stack === "mapped");
});

test("errors of Burla's own keep code, message and cure; a timeout its class", () => {
  const back = travel(new BurlaError("BURLA_RESULT", "the result cannot be sent"));
  assert.ok(back instanceof BurlaError);
  assert.equal(back.code, "BURLA_RESULT");
  assert.equal(back.message, new BurlaError("BURLA_RESULT", "the result cannot be sent").message);
  assert.ok(travel(new TimeoutError("too long")) instanceof TimeoutError);
  const unknown = fromEnvelope({ kind: "burla", code: "BURLA_OF_TOMORROW", message: "m" });
  assert.ok(unknown instanceof BurlaError && unknown.message.includes("BURLA_OF_TOMORROW"));
});

test("bytes that are no envelopes are refused with a reason", () => {
  assert.deepEqual(decodeEnvelopes(new Uint8Array(0)), []);
  assert.deepEqual(encodeEnvelopes([]), new Uint8Array(0));
  const emptyList = Uint8Array.of(0x90);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
      fc.pre(Buffer.compare(bytes, emptyList) !== 0);
      assert.throws(() => decodeEnvelopes(bytes), BurlaError);
    }),
    { examples: [[emptyList]] },
  );
  assert.deepEqual(decodeEnvelopes(emptyList), []);
});
