import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IndexSet } from "./index-set.ts";

test("it says of each index whether it is new, as a Set would", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(60), { maxLength: 200 }), (indices) => {
      const set = new IndexSet();
      const model = new Set<number>();
      for (const index of indices) {
        assert.equal(set.add(index), !model.has(index));
        model.add(index);
      }
    }),
  );
});
