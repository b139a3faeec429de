import assert from "node:assert/strict";
import { test } from "node:test";
import { checkBatch } from "./messages.ts";

const batch = { first: 0, count: 3, indices: null, failed: [], valuesBytes: 10 };

test("a batch that does not hold together is refused, whatever is wrong", () => {
  checkBatch(batch, 10);
  checkBatch({ ...batch, indices: [5, 1, 9], failed: [0, 2] }, 12);
  const wrong = [
    { indices: [1, 2] }, { failed: [3] }, { failed: [1, 1] }, { failed: [2, 0] }, { valuesBytes: 11 }, { first: Number.MAX_SAFE_INTEGER },
  ];
  for (const change of wrong) assert.throws(() => checkBatch({ ...batch, ...change }, 10), { code: "BURLA_PROTOCOL" }, JSON.stringify(change));
});
