import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openInputs, withRefusals } from "./chunk-body.ts";
import { BurlaError } from "./errors.ts";
import { encodeValues } from "./value.ts";

test("inputs and refusals come back in their places", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer(), fc.constant(new Error("a value")), fc.string().map((text) => ({ text }))), { minLength: 1 }), fc.infiniteStream(fc.boolean()), (values, coins) => {
      const refusals = new Map(values.flatMap((_, position) => (coins.next().value ? [[position, new BurlaError("BURLA_INPUT", `at ${position}`)] as const] : [])));
      const body = withRefusals(encodeValues(values.map((value, position) => (refusals.has(position) ? undefined : value))), refusals);
      const opened = openInputs(body, values.length, 100);
      assert.deepEqual([...opened.failures], [...refusals.keys()].map((position) => [position, { code: "BURLA_INPUT", message: `at ${position}` }]));
      assert.deepEqual(opened.values, values.map((value, position) => (refusals.has(position) ? undefined : value)));
    }),
  );
});

test("bytes that are damaged give no input, and nothing is thrown", () => {
  const body = Buffer.from(withRefusals(encodeValues([1, undefined, 3]), new Map([[1, new BurlaError("BURLA_INPUT", "two")]])));
  for (let at = 0; at < body.byteLength; at++) {
    for (const bytes of [body.subarray(0, at), Buffer.concat([body.subarray(0, at), Buffer.of((body[at] ?? 0) ^ 0xff), body.subarray(at + 1)])]) {
      const { values, failures } = openInputs(bytes, 3, 0);
      assert.equal(values.length, 3);
      for (const { message } of failures.values()) assert.equal(typeof message, "string");
    }
  }
  assert.deepEqual([...openInputs(body.subarray(0, 7), 2, 4).failures.values()].map(({ message }) => message), [4, 5].map((index) => `inputs[${index}] cannot be read on the worker: it is damaged`));
});
