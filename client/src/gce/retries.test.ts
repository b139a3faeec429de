import assert from "node:assert/strict";
import { test } from "node:test";
import { nextStep } from "./retries.ts";

const FIRST = { tries: 1, faults: 0, hasOthers: true };

test("a request that failed keeps its id, an operation that failed gets a new one, and twice another zone", () => {
  const failed = { kind: "transient", message: "503" } as const;
  assert.equal(nextStep(failed, FIRST), "same");
  assert.equal(nextStep({ ...failed, isOfOperation: true }, { ...FIRST, faults: 1 }), "new");
  assert.equal(nextStep({ ...failed, isOfOperation: true }, { ...FIRST, tries: 2, faults: 2 }), "elsewhere");
  assert.equal(nextStep({ ...failed, isOfOperation: true }, { tries: 2, faults: 2, hasOthers: false }), "new");
  assert.equal(nextStep(failed, { ...FIRST, tries: 6 }), "fail");
});

test("what a zone has not, now or ever, another may have; what is refused as such nobody grants", () => {
  for (const kind of ["stockout", "quota", "unsupported"] as const) {
    assert.equal(nextStep({ kind, message: "" }, FIRST), "elsewhere");
    assert.equal(nextStep({ kind, message: "" }, { ...FIRST, hasOthers: false }), "fail");
  }
  for (const kind of ["denied", "invalid", "not-found"] as const) assert.equal(nextStep({ kind, message: "" }, FIRST), "fail");
  assert.equal(nextStep({ kind: "exists", message: "" }, FIRST), "done");
});
