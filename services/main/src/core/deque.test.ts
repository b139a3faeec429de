import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Deque } from "./deque.ts";

test("a deque does what an array does", () => {
  const operation = fc.oneof(fc.constant("shift" as const), fc.record({ push: fc.integer() }), fc.record({ unshift: fc.integer() }));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const deque = new Deque<number>();
      const array: number[] = [];
      for (const what of operations) {
        if (what === "shift") assert.equal(deque.shift(), array.shift());
        else if ("push" in what) {
          array.push(what.push);
          deque.push(what.push);
        } else {
          array.unshift(what.unshift);
          deque.unshift(what.unshift);
        }
        assert.equal(deque.length, array.length);
        assert.equal(deque.peek(), array[0]);
      }
      assert.deepEqual([...deque], array);
    }),
  );
});

test("a long queue is forgotten as it is taken", () => {
  const deque = new Deque<number>();
  for (let item = 0; item < 10_000; item++) deque.push(item);
  for (let item = 0; item < 9_999; item++) assert.equal(deque.shift(), item);
  assert.deepEqual([...deque], [9_999]);
});
