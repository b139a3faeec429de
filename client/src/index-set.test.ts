import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IndexSet } from "./index-set.ts";

/** As batches of results come: short and long, overlapping, in any order. */
const ranges = fc.tuple(fc.oneof(fc.nat(60), fc.nat(5000)), fc.oneof(fc.nat(3), fc.nat(1500)));

test("it says of each index whether it is new, as a Set would", () => {
  fc.assert(
    fc.property(fc.array(ranges, { maxLength: 40 }), (many) => {
      const indices = many.flatMap(([first, count]) => Array.from({ length: count }, (_, offset) => first + offset));
      const set = new IndexSet();
      const model = new Set<number>();
      for (const index of indices) {
        assert.equal(set.add(index), !model.has(index));
        model.add(index);
      }
    }),
  );
});
