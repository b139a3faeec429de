import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobProgress } from "../runner/messages.ts";
import { rowOfLine } from "../runner/spool-line.ts";
import { isLongEnded, MAX_AGE_MS, MAX_RECORDS, MAX_SPOOLS_BYTES, outdated, type KeptRun, type RunPhase, type RunRecord } from "./record.ts";
import { detailOf, documentOf, statusText } from "./view-model.ts";

const RECORD: RunRecord = {
  id: "1", file: "/w/score.ts", folder: "/w", fn: { kind: "named", name: "score" }, label: "score", source: { kind: "export", name: "documents" }, sourceLabel: "documents",
  spool: "/s", phase: "running", startedAt: 0, workedFrom: null, endedAt: null, total: 1_000, trial: null, problem: null, job: { jobId: "job-1", clusterId: "local", indexes: null, firstLine: 0 },
};
const PROGRESS: JobProgress = { phase: "running", reason: "", nodes: 2, workers: 2, pushed: 600, running: 2, done: 490, failed: 10, total: 1_000 };

function status(record: Partial<RunRecord>, progress: JobProgress | null, count: number, failed: number): string {
  return statusText({ record: { ...RECORD, ...record }, progress, rows: { count, failed }, nowMs: 10_000 });
}

test("a run in one line", () => {
  assert.equal(status({ phase: "preparing" }, null, 0, 0), "Waiting for a cluster…");
  assert.equal(status({}, null, 0, 0), "Starting…");
  assert.equal(status({}, { ...PROGRESS, phase: "waiting", reason: "for a free node" }, 0, 0), "Waiting: for a free node");
  assert.equal(status({}, PROGRESS, 500, 10), "Running: 500 of 1,000 · 10 failed · 50/s · about 10 s left");
  assert.equal(status({ total: null }, { ...PROGRESS, total: null }, 500, 0), "Running: 500 so far · 50/s");
  assert.equal(status({ job: { jobId: "job-2", clusterId: "local", indexes: [1, 2], firstLine: 0 } }, PROGRESS, 1_000, 2), "Running 2 inputs again · 2 failed");
  assert.equal(status({ phase: "done", endedAt: 2_500 }, null, 1, 0), "Done: 1 input · in 2.5 s");
  assert.equal(status({ phase: "done", workedFrom: 2_000, endedAt: 2_500 }, null, 1, 0), "Done: 1 input · in 500 ms");
  assert.equal(status({ workedFrom: 5_000 }, PROGRESS, 500, 0), "Running: 500 of 1,000 · 100/s · about 5.0 s left");
  assert.equal(status({ phase: "cancelled", endedAt: 1 }, null, 20, 1), "Cancelled · 20 of 1,000 · 1 failed");
  assert.equal(status({ phase: "failed", endedAt: 1 }, null, 0, 0), "Stopped");
  assert.equal(status({ phase: "done", endedAt: 3_000, trial: { limit: 3, of: 9_000, workers: 2 } }, null, 3, 1), "Tried 3 inputs · 1 failed · in 3.0 s · all 9,000: at most about 2.5 h on 2 workers");
  assert.equal(status({ phase: "done", endedAt: 3_000, trial: { limit: 3, of: null, workers: 2 } }, null, 3, 0), "Tried 3 inputs · in 3.0 s");
  assert.equal(status({ phase: "done", endedAt: 3_000, trial: { limit: 3, of: 2, workers: 2 } }, null, 2, 0), "Tried 2 inputs · in 3.0 s");
});

test("an error with its frames, those of the user's files with their place, and its causes", () => {
  const stack = "RangeError: no\n    at score (file:///w/score.ts:6:11)\n    at node:internal/x:1:1\n    at lib (/w/node_modules/lib/a.js:1:1)";
  const detail = detailOf({ index: 7, input: { a: 1 }, error: { name: "RangeError", message: "no", stack, cause: { name: "Error", message: "why", stack: "Error: why\n    at /w/b.ts:2:3" } } }, "");
  assert.ok(detail.kind === "error");
  assert.equal(detail.message, "RangeError: no");
  assert.deepEqual(detail.frames.map(({ text, place }) => [text, place?.line ?? null]), [
    ["at score (file:///w/score.ts:6:11)", 6], ["at node:internal/x:1:1", null], ["at lib (/w/node_modules/lib/a.js:1:1)", null], ["Caused by Error: why", null], ["at /w/b.ts:2:3", 2],
  ]);
});

test("values: cut in the view, whole in an editor, texts as they are", () => {
  const line = { index: 1, value: "x".repeat(30_000) };
  const detail = detailOf(line, '"input"');
  assert.ok(detail.kind === "value" && detail.isCut && detail.value.length === 20_000);
  assert.equal(detail.input, '"input"');
  assert.deepEqual(documentOf(line), { text: line.value, language: "plaintext" });
  assert.deepEqual(documentOf({ index: 1, value: { a: 1 } }), { text: '{\n  "a": 1\n}', language: "json" });
});

test("a line of the spool as a row; one that was not finished is none", () => {
  assert.deepEqual(rowOfLine('{"index":3,"input":{"a":1},"value":[1]}'), { index: 3, isFailed: false, input: '{"a":1}', text: "[1]", fields: null, afterMs: null, place: null });
  assert.deepEqual(rowOfLine('{"index":3,"afterMs":12,"value":{"a":1,"b":{"c":[1]},"d":"x"}}'), {
    index: 3, isFailed: false, input: "", text: '{"a":1,"b":{"c":[1]},"d":"x"}', fields: [["a", 1], ["b", '{"c":[1]}'], ["d", "x"]], afterMs: 12, place: null,
  });
  assert.deepEqual(rowOfLine('{"index":3,"error":{"name":"TypeError","message":"a\\nb","stack":"TypeError\\n    at f (/w/a.ts:1:2)"}}'), {
    index: 3, isFailed: true, input: "", text: "TypeError: a b", fields: null, afterMs: null, place: { file: "/w/a.ts", line: 1, column: 2 },
  });
  assert.equal(rowOfLine('{"index":3,"inp'), null);
  assert.equal(rowOfLine('{"value":3}'), null);
});

test("a long run that has ended by itself is worth a notice", () => {
  const ended = (phase: RunRecord["phase"], endedAt: number | null) => isLongEnded({ phase, startedAt: 1_000, endedAt });
  assert.deepEqual([ended("done", 31_000), ended("failed", 90_000)], [true, true]);
  assert.deepEqual([ended("done", 30_999), ended("cancelled", 90_000), ended("running", null)], [false, false, false]);
});

test("runs are kept within a number, a room and an age; what runs or is in sight stays", () => {
  const nowMs = 2 * MAX_AGE_MS;
  const kept = (change: Partial<KeptRun> & { readonly phase?: RunPhase; readonly startedAt?: number }): KeptRun => ({
    record: { phase: change.phase ?? "done", startedAt: change.startedAt ?? nowMs }, bytes: change.bytes ?? 1, isCurrent: change.isCurrent ?? false,
  });
  const gone = (runs: readonly KeptRun[]) => outdated(runs, nowMs).map((run) => runs.indexOf(run));
  assert.deepEqual(gone(Array.from({ length: MAX_RECORDS + 2 }, () => kept({}))), [MAX_RECORDS, MAX_RECORDS + 1]);
  assert.deepEqual(gone([kept({ bytes: MAX_SPOOLS_BYTES }), kept({ phase: "running" }), kept({})]), [2]);
  const old = { startedAt: nowMs - MAX_AGE_MS - 1 };
  assert.deepEqual(gone([kept({}), kept({ ...old, isCurrent: true }), kept({ ...old, phase: "preparing" }), kept(old), kept({ startedAt: nowMs - MAX_AGE_MS })]), [3]);
});
