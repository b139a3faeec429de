import assert from "node:assert/strict";
import { test } from "node:test";
import { findMarked, markOf } from "./mark.ts";

const cell = (index: number, text: string, id?: string) => ({ index, metadata: id === undefined ? {} : { id }, document: { getText: () => text } });

test("a cell is found by the id in the file, though it has moved and changed", () => {
  const mark = markOf(cell(2, "a", "x1"));
  assert.equal(findMarked([cell(0, "a"), cell(1, "b", "x1")], mark)?.index, 1);
});

test("without an id, by its place and its text, or by its text when that is the only one", () => {
  const mark = markOf(cell(2, "a"));
  assert.equal(findMarked([cell(0, "a"), cell(1, "b"), cell(2, "a")], mark)?.index, 2);
  assert.equal(findMarked([cell(0, "b"), cell(1, "a")], mark)?.index, 1);
  assert.equal(findMarked([cell(0, "a"), cell(1, "a")], mark), undefined);
  assert.equal(findMarked([cell(2, "b")], mark), undefined);
});
