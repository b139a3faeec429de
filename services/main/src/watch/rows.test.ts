import assert from "node:assert/strict";
import { test } from "node:test";
import { Rows } from "./rows.ts";

test("what is different since a version, in the order of the changes", () => {
  const rows = new Rows();
  assert.ok(rows.put("a", { n: 1 }, 1));
  assert.ok(rows.put("b", { n: 1 }, 1));
  assert.ok(rows.put("a", { n: 2 }, 2));
  assert.deepEqual(rows.since(0), { changed: ['{"n":1}', '{"n":2}'], gone: [] });
  assert.deepEqual(rows.since(1), { changed: ['{"n":2}'], gone: [] });
  assert.deepEqual(rows.since(2), { changed: [], gone: [] });
});

test("a row that is as it was is no change", () => {
  const rows = new Rows();
  rows.put("a", { n: 1 }, 1);
  assert.equal(rows.put("a", { n: 1 }, 2), false);
  assert.equal(rows.put("b", undefined, 2), false);
  assert.deepEqual(rows.since(1), { changed: [], gone: [] });
});

test("a row that went is told to those who knew it, until it comes again", () => {
  const rows = new Rows();
  rows.put("a", { n: 1 }, 1);
  assert.ok(rows.put("a", undefined, 2));
  assert.deepEqual(rows.since(1), { changed: [], gone: ["a"] });
  assert.deepEqual(rows.since(2), { changed: [], gone: [] });
  rows.put("a", { n: 3 }, 3);
  assert.deepEqual(rows.since(1), { changed: ['{"n":3}'], gone: [] });
});

test("memory of what went is bounded: whoever missed more is told to begin anew", () => {
  const rows = new Rows();
  for (let version = 1; version <= 5000; version++) {
    rows.put(`job-${version}`, { version }, version);
    rows.put(`job-${version}`, undefined, version);
  }
  assert.equal(rows.since(3999), null);
  assert.equal(rows.since(4000)?.gone.length, 1000);
});
