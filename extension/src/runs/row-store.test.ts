import assert from "node:assert/strict";
import { test } from "node:test";
import type { Row } from "../runner/messages.ts";
import { ALL_ROWS, RowStore } from "./row-store.ts";

function row(index: number, change: Partial<Row> = {}): Row {
  return { index, isFailed: false, input: `"in ${index}"`, text: `"out ${index}"`, place: null, offset: 0, bytes: 0, ...change };
}

test("rows in order of arrival, or of their inputs", () => {
  const store = new RowStore();
  store.add([row(5), row(0)]);
  store.add([row(2, { isFailed: true })]);
  assert.deepEqual(store.shown(ALL_ROWS), [5, 0, 2]);
  assert.deepEqual(store.shown({ ...ALL_ROWS, order: "input" }), [0, 2, 5]);
  assert.deepEqual([store.count, store.failed], [3, 1]);
});

test("filters: failures, and texts of inputs and results in any case", () => {
  const store = new RowStore();
  store.add([row(0), row(1, { isFailed: true, text: "TypeError: Nope" }), row(2, { input: '"NOPE"' })]);
  assert.deepEqual(store.shown({ ...ALL_ROWS, onlyFailed: true }), [1]);
  assert.deepEqual(store.shown({ ...ALL_ROWS, text: "nope" }), [1, 2]);
  assert.deepEqual(store.shown({ ...ALL_ROWS, onlyFailed: true, text: "out" }), []);
});

test("a newer result takes the place of an older one, and keeps what is known of its input", () => {
  const store = new RowStore();
  store.add([row(0), row(1, { isFailed: true }), row(2)]);
  assert.deepEqual(store.failedIndexes(), [1]);
  store.add([row(1, { input: "", text: "mended" })]);
  assert.deepEqual([store.count, store.failed, store.failedIndexes()], [3, 0, []]);
  assert.deepEqual(store.shown(ALL_ROWS), [0, 1, 2]);
  assert.deepEqual([store.get(1)?.input, store.get(1)?.text], ['"in 1"', "mended"]);
});

test("the same list until something changes", () => {
  const store = new RowStore();
  store.add([row(0)]);
  const before = store.shown(ALL_ROWS);
  assert.equal(store.shown(ALL_ROWS), before);
  store.add([]);
  assert.equal(store.shown(ALL_ROWS), before);
  store.add([row(1)]);
  assert.notEqual(store.shown(ALL_ROWS), before);
});
