import assert from "node:assert/strict";
import { test } from "node:test";
import { countsOf, reportOf } from "./counts.ts";

test("outcomes are counted, pending ones as skipped", () => {
  assert.deepEqual(countsOf("passed\npassed\npending\nend\n", true), { passed: 2, failed: 0, skipped: 1 });
  assert.deepEqual(countsOf("passed\nfailed\nfailed\nend\n", false), { passed: 1, failed: 2, skipped: 0 });
});

test("a run that died is a failure, whatever its exit code", () => {
  assert.deepEqual(countsOf("", false), { passed: 0, failed: 1, skipped: 0 });
  assert.deepEqual(countsOf("passed\n", true), { passed: 1, failed: 1, skipped: 0 });
  assert.deepEqual(countsOf("passed\nfailed\n", false), { passed: 1, failed: 2, skipped: 0 });
});

test("so is one that failed after its last test", () => {
  assert.deepEqual(countsOf("passed\nend\n", false), { passed: 1, failed: 1, skipped: 0 });
});

test("the report has the lines of node:test", () => {
  assert.equal(reportOf({ passed: 3, failed: 1, skipped: 0 }), "# pass 3\n# fail 1\n# skipped 0\n");
});
