import assert from "node:assert/strict";
import { test } from "node:test";
import type { Row } from "../runner/messages.ts";
import { BY_INPUT, type RowOrder } from "./row-order.ts";
import { ALL_ROWS, MAX_FIELD_COLUMNS, RowStore } from "./row-store.ts";

function row(index: number, change: Partial<Row> = {}): Row {
  return { index, isFailed: false, input: `"in ${index}"`, text: `"out ${index}"`, fields: null, afterMs: null, place: null, offset: 0, bytes: 0, ...change };
}

test("rows in order of arrival, or of their inputs", () => {
  const store = new RowStore();
  store.add([row(5), row(0)]);
  store.add([row(2, { isFailed: true })]);
  assert.deepEqual(store.shown(ALL_ROWS), [5, 0, 2]);
  assert.deepEqual(store.shown({ ...ALL_ROWS, order: BY_INPUT }), [0, 2, 5]);
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

const by = (column: RowOrder["column"], isDescending = false): RowOrder => ({ column, isDescending });

test("any column orders: numbers as numbers, what lacks it last in both directions", () => {
  const store = new RowStore();
  store.add([
    row(0, { input: "10", afterMs: 5, fields: [["words", 9], ["name", "b"]] }),
    row(1, { input: "9", afterMs: 50, fields: [["words", 10]] }),
    row(2, { input: '"a"', isFailed: true, text: "RangeError: no" }),
    row(3, { input: "-1.5", afterMs: 7, fields: [["words", 1], ["name", "a"]] }),
  ]);
  const shown = (order: RowOrder) => store.shown({ ...ALL_ROWS, order });
  assert.deepEqual(store.columns, ["words", "name"]);
  assert.deepEqual(shown(by({ field: "words" })), [3, 0, 1, 2]);
  assert.deepEqual(shown(by({ field: "words" }, true)), [1, 0, 3, 2]);
  assert.deepEqual(shown(by({ field: "name" })), [3, 0, 1, 2]);
  assert.deepEqual(shown(by({ field: "none" }, true)), [0, 1, 2, 3]);
  assert.deepEqual(shown(by({ own: "input" })), [3, 1, 0, 2]);
  assert.deepEqual(shown(by({ own: "after" }, true)), [1, 3, 0, 2]);
  assert.deepEqual(shown(by({ own: "status" }, true)), [2, 0, 1, 3]);
  store.add([row(4, { fields: [["words", 5]] }), row(1, { fields: [["words", 0]] })]);
  assert.deepEqual(shown(by({ field: "words" })), [1, 3, 4, 0, 2]);
});

test("no more columns than a table can show", () => {
  const store = new RowStore();
  for (let index = 0; index < 100; index++) store.add([row(index, { fields: [[`field ${index}`, 1]] })]);
  assert.equal(store.columns.length, MAX_FIELD_COLUMNS);
});

test("errors that say the same but for numbers and names are one group, which can be shown alone", () => {
  const store = new RowStore();
  const fails = (index: number, text: string) => row(index, { isFailed: true, text });
  store.add([fails(0, "RangeError: no score for 12"), fails(1, "RangeError: no score for 1,303.5"), row(2), fails(3, 'Error: no file "a.txt"'), fails(4, "TypeError: x")]);
  const groups = store.errorGroups(2);
  assert.deepEqual(groups.map(({ text, count }) => [text, count]), [["RangeError: no score for 12", 2], ['Error: no file "a.txt"', 1]]);
  assert.deepEqual(store.shown({ ...ALL_ROWS, group: groups[0]?.key ?? "" }), [0, 1]);
  store.add([row(0), row(3)]);
  assert.deepEqual(store.errorGroups(9).map(({ text, count }) => [text, count]), [["RangeError: no score for 12", 1], ["TypeError: x", 1]]);
  assert.equal(store.failed, 2);
});

test("of errors of thousands of kinds the groups stay few, and their counts right", () => {
  const store = new RowStore();
  const kind = (index: number) => `Error: ${"abcdefghij".charAt(index % 10).repeat(1 + Math.floor(index / 10))}`;
  store.add(Array.from({ length: 3_000 }, (_, index) => row(index, { isFailed: true, text: kind(index) })));
  const groups = store.errorGroups(5_000);
  assert.ok(groups.length <= 1_001);
  assert.equal(groups.reduce((sum, { count }) => sum + count, 0), 3_000);
  assert.equal(store.shown({ ...ALL_ROWS, group: groups[0]?.key ?? "none" }).length, groups[0]?.count);
  store.add(Array.from({ length: 3_000 }, (_, index) => row(index)));
  assert.deepEqual(store.errorGroups(9), []);
});
