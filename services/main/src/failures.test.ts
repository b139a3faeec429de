import assert from "node:assert/strict";
import { mkdtempSync, rmSync, appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { encodeEnvelopes, encodeValues, MAX_FAILURE_MESSAGE_LENGTH, MAX_KEPT_FAILURES, MAX_SUMMARY_FAILURES, toEnvelope, type JobFailure } from "@burla/protocol";
import { failureOf, failuresIn } from "./failures.ts";
import { FailureLog } from "./store/failure-log.ts";
import { OpenFiles } from "./store/open-files.ts";

test("failures of a batch, by the index of their input; those that do not count are left out", () => {
  const values = encodeValues(["user's own", 1]);
  const errors = encodeEnvelopes([toEnvelope(new RangeError("first")), toEnvelope(new Error("tried again")), { kind: "burla", code: "BURLA_TIMEOUT", message: "late" }]);
  const batch = { first: 0, count: 5, indices: [10, 11, 12, 13, 14], failed: [1, 2, 4], dropped: [2], valuesBytes: values.byteLength };
  const failures = failuresIn(batch, Buffer.concat([values, errors]));
  assert.deepEqual(failures.map(({ index, name, message }) => [index, name, message]), [[11, "RangeError", "first"], [14, "BURLA_TIMEOUT", "late"]]);
  assert.match(failures[0]?.stack ?? "", /^RangeError: first\n +at /);
  assert.deepEqual(failuresIn({ ...batch, failed: [2] }, new Uint8Array(0)), []);
});

test("what is thrown beside an Error is not opened; long texts are cut", () => {
  assert.equal(failureOf(0, { kind: "value", value: Buffer.from("not even a clone") }).name, "Error");
  const long = failureOf(0, toEnvelope(new Error("x".repeat(50_000))));
  assert.equal(long.message.length, MAX_FAILURE_MESSAGE_LENGTH);
  assert.ok(long.message.endsWith("…"));
});

test("errors that are none are refused", () => {
  const batch = { first: 0, count: 1, indices: null, failed: [0], dropped: [], valuesBytes: 0 };
  assert.throws(() => failuresIn(batch, Buffer.from([0xc1, 0, 0])));
});

test("the first ones are kept, and read again by the next main; a torn line is passed over", () => {
  const directory = mkdtempSync(join(tmpdir(), "burla-failures-"));
  try {
    const log = new FailureLog(directory, { isNew: true, files: new OpenFiles() });
    assert.deepEqual(log.read(), []);
    const failure = (index: number): JobFailure => ({ index, name: "Error", message: "m".repeat(500), stack: "s" });
    log.append([failure(0), failure(1)]);
    appendFileSync(join(directory, "failures.ndjson"), '{"index":2,"na');
    const again = new FailureLog(directory, { isNew: false, files: new OpenFiles() });
    assert.deepEqual(again.read(), [failure(0), failure(1)]);
    assert.deepEqual(again.summary.map(({ index, message }) => [index, message.length]), [[0, 200], [1, 200]]);
    appendFileSync(join(directory, "failures.ndjson"), "\n");
    again.append(Array.from({ length: 300 }, (_, index) => failure(index + 2)));
    assert.ok(again.isFull);
    assert.equal(again.read().length, MAX_KEPT_FAILURES);
    assert.equal(again.summary.length, MAX_SUMMARY_FAILURES);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
