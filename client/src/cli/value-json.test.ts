import assert from "node:assert/strict";
import { test } from "node:test";
import { BurlaError } from "@burla/protocol";
import { errorToPlain, toJson } from "./value-json.ts";

const CASES: [unknown, string][] = [
  ["text\n", `"text\\n"`],
  [1.5, "1.5"],
  [-0, "0"],
  [true, "true"],
  [null, "null"],
  [undefined, "null"],
  [[1, undefined, , 2], "[1,null,null,2]"],  
  [{ a: undefined, b: 1 }, `{"b":1}`],
  [Infinity, `{"$type":"number","value":"Infinity"}`],
  [[NaN], `[{"$type":"number","value":"NaN"}]`],
  [12n, `{"$type":"bigint","value":"12"}`],
  [new Date(0), `"1970-01-01T00:00:00.000Z"`],
  [new Date(NaN), `{"$type":"Date","value":"Invalid Date"}`],
  [new Map([["a", 1n]]), `{"$type":"Map","value":[["a",{"$type":"bigint","value":"1"}]]}`],
  [new Set([undefined]), `{"$type":"Set","value":[null]}`],
  [/a\/b/gi, `{"$type":"RegExp","value":"/a\\\\/b/gi"}`],
  [Buffer.from("hi"), `{"$type":"Uint8Array","base64":"aGk="}`],
  [new Uint8Array([1, 2, 3]).subarray(1), `{"$type":"Uint8Array","base64":"AgM="}`],
  [new Uint8Array([104, 105]).buffer, `{"$type":"Uint8Array","base64":"aGk="}`],
  [new Float64Array([1, Infinity]), `{"$type":"Float64Array","value":[1,{"$type":"number","value":"Infinity"}]}`],
  [new BigInt64Array([1n]), `{"$type":"BigInt64Array","value":["1"]}`],
  [Object(5), "5"],
  [JSON.parse(`{"__proto__":1}`), `{"__proto__":1}`],
];

for (const [value, expected] of CASES) {
  test(`as JSON: ${expected}`, () => assert.equal(toJson(value), expected));
}

test("an object inside itself, and one that is only there twice", () => {
  const shared = { a: 1 };
  const loop: Record<string, unknown> = { one: shared, two: shared };
  loop["self"] = loop;
  assert.equal(toJson(loop), `{"one":{"a":1},"two":{"a":1},"self":{"$type":"circular"}}`);
});

test("an error with cause, members and own properties", () => {
  const error = Object.assign(new AggregateError([new TypeError("inner")], "outer", { cause: "why" }), { status: 404n, inputIndex: 3 });
  const plain = JSON.parse(JSON.stringify(errorToPlain(error))) as Record<string, unknown> & { errors: object[] };
  assert.equal(plain["name"], "AggregateError");
  assert.equal(plain["message"], "outer");
  assert.match(String(plain["stack"]), /value-json\.test/);
  assert.deepEqual(plain["status"], { $type: "bigint", value: "404" });
  assert.deepEqual(plain["cause"], { name: "NonError", message: "something that is not an Error was thrown", value: "why" });
  assert.equal(plain.errors.length, 1);
  assert.equal("inputIndex" in plain, false);
});

test("an error of Burla's own has its code and its cure, and no stack", () => {
  assert.deepEqual(errorToPlain(new BurlaError("BURLA_WORKER_LOST", "the worker ended", { cure: "mend it" })), {
    name: "BurlaError",
    code: "BURLA_WORKER_LOST",
    message: "the worker ended",
    cure: "mend it",
  });
});

test("something thrown that is no error", () => {
  assert.deepEqual(errorToPlain(undefined), { name: "NonError", message: "something that is not an Error was thrown", value: null });
});
