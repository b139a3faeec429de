import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BurlaError, decodeEnvelopes, decodeValues, fromEnvelope, indexAt, toEnvelope } from "@burla/protocol";
import { Batch, type EncodedBatch } from "./batch.ts";

/** What the other end makes of it, by input. */
function open(encoded: readonly EncodedBatch[]): Map<number, unknown> {
  const outcomes = new Map<number, unknown>();
  for (const { message, body } of encoded) {
    const values = decodeValues(body[0]);
    const errors = decodeEnvelopes(body[1]).map(fromEnvelope);
    assert.equal(message.valuesBytes, body[0].byteLength);
    for (let position = 0; position < message.count; position++) {
      outcomes.set(indexAt(message, position), message.failed.includes(position) ? errors.shift() : values.shift());
    }
    assert.deepEqual([values, errors], [[], []]);
  }
  return outcomes;
}

function batchOf(values: readonly unknown[], maxBodyBytes?: number): Batch {
  const batch = new Batch(1, maxBodyBytes);
  values.forEach((value, index) => batch.addValue(index, value, 1));
  return batch;
}

test("values and failures come back under their inputs", () => {
  const answers = fc.uniqueArray(fc.record({ index: fc.nat(10_000), fails: fc.boolean(), value: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown) }), { selector: ({ index }) => index, maxLength: 50 });
  fc.assert(
    fc.property(answers, (list) => {
      const batch = new Batch(7);
      for (const { index, fails, value } of list) {
        if (fails) batch.addFailure(index, toEnvelope(value), 2);
        else batch.addValue(index, value, 2);
      }
      const encoded = batch.encode();
      assert.equal(encoded[0]?.message.runMs, 2 * list.length);
      assert.deepEqual(open(encoded), new Map(list.map(({ index, value }) => [index, value])));
    }),
  );
});

test("inputs in a row are named by the first", () => {
  const [inRow] = batchOf(["a", "b", "c"]).encode();
  assert.deepEqual([inRow?.message.first, inRow?.message.count, inRow?.message.indices], [0, 3, null]);
  const scattered = new Batch(1);
  for (const index of [5, 3]) scattered.addValue(index, index, 1);
  assert.deepEqual(scattered.encode()[0]?.message.indices, [5, 3]);
});

test("results that cannot be copied fail alone, with the way to the culprit, in the middle of others", () => {
  const outcomes = open(batchOf(["ok", { deep: { fn() {} } }, 2, Promise.resolve(), new WeakMap(), 5]).encode());
  assert.deepEqual([outcomes.get(0), outcomes.get(2), outcomes.get(5)], ["ok", 2, 5]);
  for (const [index, pattern] of [[1, /result of input 1 .* result\.deep\.fn is a function \(fn\)/], [3, /is a Promise/], [4, /is a WeakMap/]] as const) {
    const error = outcomes.get(index);
    assert.ok(error instanceof BurlaError && error.code === "BURLA_RESULT");
    assert.match(error.message, pattern);
  }
});

test("a result whose getter throws once fails, and does not take the others with it", () => {
  let reads = 0;
  const fickle = {
    get part(): number {
      if (reads++ === 0) throw new Error("not yet");
      return 1;
    },
  };
  const outcomes = open(batchOf([1, fickle, 3]).encode());
  assert.deepEqual([outcomes.get(0), outcomes.get(2)], [1, 3]);
  assert.ok(outcomes.has(1));
});

test("more than fits a frame leaves as several messages", () => {
  const values = Array.from({ length: 100 }, (_, index) => `${index}`.padEnd(100, "."));
  const encoded = batchOf(values, 1000).encode();
  assert.ok(encoded.length > 10);
  for (const { body } of encoded) assert.ok(body[0].byteLength + body[1].byteLength <= 1000);
  assert.deepEqual([...open(encoded).values()], values);
});

test("one result, or one error, that is too large by itself fails with BURLA_TOO_LARGE", () => {
  const batch = batchOf(["small", "x".repeat(5000)], 1000);
  batch.addFailure(2, toEnvelope(Object.assign(new Error("e"), { dump: "y".repeat(5000) })), 1);
  const outcomes = open(batch.encode());
  assert.equal(outcomes.get(0), "small");
  for (const index of [1, 2]) assert.equal((outcomes.get(index) as BurlaError).code, "BURLA_TOO_LARGE");
});
