import assert from "node:assert/strict";
import { test } from "node:test";
import { travelOf } from "./travel.ts";

class Model {
  readonly w = 1;
}

const TRAVELS: Readonly<Record<string, [values: unknown[], travel: string]>> = {
  "plain data": [[1, "a", null, undefined, { a: [new Date(), new Map([[1, new Set([2])]])] }, new Uint8Array(2), Buffer.from("a"), new RangeError("x"), Object.create(null)], "data"],
  "an object of a class": [[1, new Model()], "captured"],
  "one within others": [[new Map([["a", [{ model: new Model() }]]])], "captured"],
  "a function": [[{ run: () => 1 }], "captured"],
  "a promise": [[new Model(), Promise.resolve(1)], "stays"],
  "a generator": [[[1].values()], "stays"],
  "a symbol": [[Symbol("a")], "stays"],
};

for (const [name, [values, travel]] of Object.entries(TRAVELS)) test(`how it reaches a worker: ${name}`, () => assert.equal(travelOf(values), travel));

test("what refers to itself is looked at once, and no getter is called", () => {
  const round: Record<string, unknown> = {};
  round["self"] = round;
  Object.defineProperty(round, "loud", { enumerable: true, get: () => assert.fail("called") });
  assert.equal(travelOf([round]), "data");
});
