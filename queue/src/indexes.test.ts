import assert from "node:assert/strict";
import { test } from "node:test";
import declared from "../cloud/firestore.indexes.json" with { type: "json" };
import { jobDocumentSchema, linesSchema, resultsSchema, chunkSchema } from "./documents.ts";
import { assertIndexed, type IndexUse } from "./indexes.ts";
import { leaseEnd } from "./limits.ts";

const answered = (use: Partial<IndexUse>): boolean => {
  try {
    assertIndexed({ collection: "jobs/one/results", equal: [], sorted: [], idRange: false, ...use });
    return true;
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 9);
    return false;
  }
};

test("the indexes that Firestore makes by itself answer queries of one field", () => {
  assert.ok(answered({}));
  assert.ok(answered({ equal: ["taken"], idRange: true }));
  assert.ok(answered({ sorted: ["failed", "failed"] }));
  assert.ok(answered({ equal: ["taken", "failed"] }));
  assert.ok(!answered({ sorted: ["inputs", "failed"] }));
  assert.ok(!answered({ equal: ["taken"], sorted: ["failed"] }));
  assert.ok(!answered({ sorted: ["failed"], idRange: true }));
  assert.ok(!answered({ equal: ["runMs"] }));
});

/** What queries ask for; an index of anything else costs writes, and those of growing values limit them. */
const ASKED: Readonly<Record<string, readonly string[]>> = { jobs: [], chunks: ["left", "freeAt"], results: ["inputs", "failed", "taken"], lines: ["taken"] };

test("a field has an index where a query asks for it, and nowhere else", () => {
  const schemas = { jobs: jobDocumentSchema, chunks: chunkSchema, results: resultsSchema, lines: linesSchema };
  for (const [collection, { entries }] of Object.entries(schemas)) {
    const off = new Set(declared.fieldOverrides.flatMap(({ collectionGroup, fieldPath }) => (collectionGroup === collection ? [fieldPath] : [])));
    assert.deepEqual(Object.keys(entries).filter((field) => !off.has(field)).sort(), [...(ASKED[collection] ?? [])].sort(), collection);
    assert.ok(off.has("expireAt"), collection);
  }
});

test("leases that are written within a moment end at the same time, and none before its time", () => {
  const ends = new Set([1, 500, 999, 1_000].map(leaseEnd));
  assert.deepEqual([...ends], [16_000]);
  assert.ok(leaseEnd(1_001) >= 16_001);
});
