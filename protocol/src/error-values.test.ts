/** Errors among values: in results, inputs, collections, other errors. */
import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import { test } from "node:test";
import { decodeValues, encodeValues } from "./value.ts";

const there = <Value>(value: Value): Value => decodeValues(encodeValues([value]))[0] as Value;

type Any = Error & Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any

test("an error keeps class, message, stack, cause and own properties", () => {
  const error = Object.assign(new RangeError("no", { cause: new TypeError("why") }), { code: "E_NO", status: 503 }) as unknown as Any;
  const copy = there(error);
  assert.equal(Object.getPrototypeOf(copy), RangeError.prototype);
  assert.deepEqual([copy.message, copy.stack, copy["code"], copy["status"]], ["no", error.stack, "E_NO", 503]);
  assert.ok(copy.cause instanceof TypeError && copy.cause.message === "why");
  assert.deepEqual(Object.keys(copy), ["code", "status"]);
});

test("properties that are not enumerable stay so", () => {
  const error = new Error("hidden") as Any;
  Object.defineProperty(error, "issues", { value: [{ path: ["a"], message: "bad" }], enumerable: false });
  Object.defineProperty(error, Symbol.for("shared"), { value: 7 });
  const copy = there(error);
  assert.deepEqual(copy["issues"], [{ path: ["a"], message: "bad" }]);
  assert.deepEqual(Object.keys(copy), []);
  assert.equal((copy as unknown as Record<symbol, unknown>)[Symbol.for("shared")], 7);
});

test("a class of the user's is its nearest built-in class, with its name", () => {
  class PaymentRefused extends TypeError {
    override name = "PaymentRefused";
    amount = 5;
  }
  class Quiet extends PaymentRefused {}
  class Named extends Error {
    override get name(): string {
      return "ByGetter";
    }
  }
  for (const [error, name] of [[new PaymentRefused("x"), "PaymentRefused"], [new Quiet("x"), "PaymentRefused"]] as const) {
    const copy = there(error);
    assert.ok(copy instanceof TypeError);
    assert.deepEqual([copy.name, copy.amount], [name, 5]);
  }
  assert.equal(there(new Named("x")).name, "ByGetter");
});

test("an AggregateError keeps its members, a DOMException its name and code", () => {
  const aggregate = there(new AggregateError([Object.assign(new Error("one"), { code: 1 }), "two"], "all"));
  assert.ok(aggregate instanceof AggregateError);
  assert.deepEqual([aggregate.message, aggregate.errors[0].code, aggregate.errors[1]], ["all", 1, "two"]);
  const aborted = there({ why: new DOMException("stop", "AbortError") }).why;
  assert.ok(aborted instanceof DOMException);
  assert.deepEqual([aborted.name, aborted.message, aborted.code], ["AbortError", "stop", 20]);
});

test("errors in every kind of collection", async () => {
  const error = Object.assign(new Error("e"), { code: 1 });
  const value = { list: [error], map: new Map<unknown, unknown>([[error, error]]), set: new Set([error]), settled: await Promise.allSettled([Promise.reject(error)]), sparse: [, error], date: new Date(1), bytes: Buffer.from("b") };  
  const copy = there(value);
  assert.equal((copy.list[0] as unknown as Any)["code"], 1);
  assert.equal(copy.map.get(copy.list[0]), copy.list[0]);
  assert.ok(copy.set.has(copy.list[0] as typeof error));
  assert.equal((copy.settled[0] as PromiseRejectedResult).reason, copy.list[0]);
  assert.deepEqual([0 in copy.sparse, copy.sparse[1] === copy.list[0], copy.date, copy.bytes], [false, true, new Date(1), Buffer.from("b")]);
});

test("rings: of its own cause, of members, of own properties, through objects", () => {
  const self = new Error("self") as Any;
  self.cause = self;
  const own = there(self);
  assert.equal(own.cause, own);
  const [a, b] = [new Error("a"), new Error("b")];
  a.cause = b;
  b.cause = { inside: [a] };
  const ring = there(a);
  assert.equal(((ring.cause as Error).cause as { inside: Error[] }).inside[0], ring);
  const all = new AggregateError([], "all");
  all.errors.push(all, { all });
  const members = there(all);
  assert.equal(members.errors[0], members);
  assert.equal(members.errors[1].all, members);
  const holder = Object.assign(new Error("holder"), { me: null as unknown });
  holder.me = new Map([["x", holder]]);
  const held = there(holder);
  assert.equal((held.me as Map<string, unknown>).get("x"), held);
});

test("a chain of causes may be longer than any stack", () => {
  let error = new Error("0");
  for (let at = 1; at < 20_000; at++) error = new Error(String(at), { cause: error });
  let [copy, length] = [there([error])[0] as Error | undefined, 0];
  for (; copy !== undefined; copy = copy.cause as Error | undefined) length++;
  assert.equal(length, 20_000);
});

test("what an error holds and cannot be copied is left out of it part by part", () => {
  const error = Object.assign(new Error("e"), { config: { url: "u", run: () => 1, list: [Symbol("s"), 5] }, socket: new (class Socket { on = () => 1; })(), href: new URL("http://a/b") }) as unknown as Any;
  Object.defineProperty(error, "trap", { enumerable: true, get: () => { throw new Error("in the getter"); } });
  const copy = there(error);
  assert.deepEqual([copy["config"].url, copy["config"].list[1]], ["u", 5]);
  assert.match(copy["config"].run, /Function/);
  assert.match(copy["socket"], /Socket/);
  assert.match(copy["href"], /a\/b/);
  assert.equal(copy["trap"], "(could not be read)");
});

test("odd errors: frozen, without a stack, with other things for message and stack, of another realm", () => {
  assert.equal(there(Object.freeze(new Error("frozen"))).message, "frozen");
  const bare = new Error("bare");
  delete bare.stack;
  assert.deepEqual([there(bare).message, there(bare).stack], ["bare", undefined]);
  const odd = Object.assign(new Error("x"), { message: { not: "a text" }, stack: [1] as unknown });
  assert.deepEqual([there(odd).message, there(odd).stack], [{ not: "a text" }, [1]]);
  const foreign = there(runInNewContext("Object.assign(new RangeError('there'), { code: 2 })") as Any);
  assert.deepEqual([foreign instanceof RangeError, foreign["code"]], [true, 2]);
  const throwing = new Error("t") as Any;
  for (const key of ["stack", "message"]) Object.defineProperty(throwing, key, { get: () => { throw new Error("no"); } });
  assert.equal(there(throwing).message, "(could not be read)");
});

test("stacks are mapped, in whatever the error lies", () => {
  const bytes = encodeValues([{ deep: [new Error("e", { cause: new Error("c") })] }], { mapStack: () => "mapped" });
  const [{ deep: [error] }] = decodeValues(bytes) as [{ deep: [Error] }];
  assert.deepEqual([error.stack, (error.cause as Error).stack], ["mapped", "mapped"]);
});

test("texts that look like errors in V8's form are texts", () => {
  for (const text of ["r\"", "rs\"x", "rm\"", "for.", "rc", "rT."]) assert.deepEqual(there({ text }), { text });
});
