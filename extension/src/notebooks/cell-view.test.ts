import assert from "node:assert/strict";
import { test } from "node:test";
import { CELL_VIEW_MIME, type CellView } from "@burla/kernel-bridge/cell-view";
import { cellViewOf, isLeft, isLive, jobOutputOf, placeText } from "./cell-view.ts";

const VIEW: CellView = {
  version: 1, jobId: "job-1", name: "score", cluster: "Local cluster", how: "map", phase: "done", reason: "", nodes: 2, workers: 4, total: 1000, done: 1000, failed: 0,
  running: 0, startedAtMs: 1, elapsedMs: 2140, log: { lines: [], total: 0, dropped: 0 }, samples: [], failures: [], step: 0, steps: [], note: "", noteLine: null,
};

const output = (...documents: unknown[]) => ({ items: documents.map((document) => ({ mime: CELL_VIEW_MIME, data: Buffer.from(typeof document === "string" ? document : JSON.stringify(document)) })) });

test("the last document that can be read counts; a file may hold anything", () => {
  assert.equal(cellViewOf({ outputs: [] }), null);
  assert.equal(cellViewOf({ outputs: [output(VIEW), output({ ...VIEW, name: "later" }), output("{"), output({ version: 2 })] })?.name, "later");
});

test("the output that shows the job is found among others", () => {
  const [before, job, after] = [output({}), output(VIEW), output("{")];
  assert.equal(jobOutputOf({ outputs: [before, job, after] }), job);
  assert.equal(jobOutputOf({ outputs: [before, after] }), null);
});

test("a job goes on by itself once the cluster has taken it, until it ends", () => {
  assert.equal(isLeft({ ...VIEW, phase: "running" }), true);
  assert.equal(isLeft({ ...VIEW, phase: "preparing", jobId: null }), false);
  assert.equal(isLeft(VIEW), false);
  assert.equal(isLeft(null), false);
});

test("where a cell ran, in every phase", () => {
  const text = (change: Partial<CellView>) => placeText({ ...VIEW, ...change });
  assert.equal(text({}), "Burla · Local cluster · 1,000 inputs in 2.1 s");
  assert.equal(text({ phase: "failed", done: 997, failed: 3 }), "Burla · Local cluster · 1,000 inputs in 2.1 s, 3 failed");
  assert.equal(text({ phase: "running", done: 417, failed: 3 }), "Burla · Local cluster · 42%, 3 failed");
  assert.equal(text({ phase: "running", done: 417, total: null }), "Burla · Local cluster · 417 inputs so far");
  assert.equal(text({ phase: "waiting" }), "Burla · Local cluster · waiting");
  assert.equal(text({ phase: "cancelled", done: 1 }), "Burla · Local cluster · cancelled after 1 input");
  assert.equal(text({ how: "call", elapsedMs: 80 }), "Burla · Local cluster · one call in 80 ms");
});

test("a job that may still run is live", () => {
  assert.deepEqual((["preparing", "waiting", "running", "done", "failed", "cancelled", "interrupted"] as const).filter((phase) => isLive({ ...VIEW, phase })), ["preparing", "waiting", "running"]);
});
