import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { cellViewSchema, MAX_VIEW_FAILURES, MAX_VIEW_LINES, MAX_VIEW_SAMPLES } from "./cell-view.ts";
import { viewHtml, viewText } from "./cell-view-text.ts";
import { CellViewWriter } from "./cell-view-writer.ts";

const head = { name: "score", cluster: "local", how: "map", startedAtMs: 1_000, total: 10 } as const;
const progress = { type: "progress", jobId: "job-1", phase: "running", reason: "", nodes: 2, workers: 4, running: 3, total: 10, settled: null } as const;
const failure = { index: 2, name: "RangeError", message: "no <2>", line: 3, source: "  throw new RangeError()", traceback: "at cell 1:3" };

test("a job's states follow what is told, and a document always fits its schema", () => {
  const writer = new CellViewWriter(head);
  assert.equal(writer.document(1_500).phase, "preparing");
  writer.apply(progress);
  writer.apply({ type: "result", index: 1, text: "x".repeat(10_000) });
  writer.apply({ type: "counted" });
  writer.apply({ type: "failure", failure: { ...failure, message: "m".repeat(10_000), traceback: "t".repeat(100_000) } });
  const running = v.parse(cellViewSchema, writer.document(3_000));
  assert.deepEqual([running.jobId, running.phase, running.done, running.failed, running.workers, running.elapsedMs], ["job-1", "running", 2, 1, 4, 2_000]);
  writer.apply({ ...progress, workers: 1, nodes: 1 });
  writer.apply({ ...progress, workers: 0, nodes: 0 });
  writer.apply({ type: "ended", phase: "failed", reason: "" });
  const ended = writer.document(4_000);
  assert.deepEqual([ended.phase, ended.running, ended.workers, ended.nodes], ["failed", 0, 4, 2]);
});

test("lines, samples and failures are capped, and what is left out is counted", () => {
  const writer = new CellViewWriter(head);
  for (let index = 0; index < 5_000; index++) {
    writer.apply({ type: "line", index, stream: 1, text: `line ${index}` });
    writer.apply({ type: "result", index, text: String(index) });
    writer.apply({ type: "failure", failure: { ...failure, index: 5_000 - index } });
  }
  const view = v.parse(cellViewSchema, writer.document(2_000));
  assert.deepEqual([view.log.lines.length, view.log.total, view.log.dropped], [MAX_VIEW_LINES, 5_000, 5_000 - MAX_VIEW_LINES]);
  assert.equal(view.log.lines.at(-1)?.[2], "line 4999");
  assert.equal(view.samples.length, MAX_VIEW_SAMPLES);
  assert.equal(view.failures.length, MAX_VIEW_FAILURES);
  assert.deepEqual(view.failures.map(({ index }) => index), view.failures.map(({ index }) => index).toSorted((a, b) => a - b));
  assert.match(viewText(view), /and 4,980 more/);
});

test("a line that is written over is one line, which is replaced, per input and stream; erased, it is gone", () => {
  const writer = new CellViewWriter(head);
  const say = (index: number, stream: 1 | 2, text: string) => writer.apply({ type: "line", index, stream, text });
  const shown = () => writer.document(2_000).log;
  for (let at = 0; at < 1_000; at++) for (const index of [0, 1]) say(index, 2, `${at}%\r`);
  say(0, 1, "line");
  assert.deepEqual(shown(), { lines: [[0, 2, "999%"], [1, 2, "999%"], [0, 1, "line"]], total: 3, dropped: 0 });
  say(0, 2, "done");
  say(0, 2, "more");
  say(1, 2, "   ");
  assert.deepEqual(shown(), { lines: [[0, 2, "done"], [0, 1, "line"], [0, 2, "more"]], total: 3, dropped: 0 });
});

test("the static forms can be read, and hold no markup of the user's", () => {
  const writer = new CellViewWriter(head);
  writer.apply({ type: "line", index: 1, stream: 2, text: "<script>" });
  writer.apply({ type: "failure", failure });
  writer.apply({ type: "ended", phase: "failed", reason: "" });
  const view = writer.document(3_500);
  assert.equal(viewText(view), "score has failed on local, 1 of 10 inputs, 1 failed, 2.5 s\n[2] RangeError: no <2>\n    line 3: throw new RangeError()\n[1] <script>");
  assert.match(viewHtml(view), /no &lt;2&gt;[^]*&lt;script&gt;/);
  assert.doesNotMatch(viewHtml(view), /<script|<2>/);
});
