import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "../../webview/cell/pace.ts";

test("a rate is that of the last seconds, and the time left follows from it", () => {
  const pace = new Pace();
  assert.equal(pace.perSecond, null);
  for (let elapsedMs = 0; elapsedMs <= 20_000; elapsedMs += 100) pace.add({ elapsedMs, done: elapsedMs < 10_000 ? 0 : (elapsedMs - 10_000) / 10, failed: 0 });
  assert.equal(pace.perSecond, 100);
  assert.equal(pace.leftMs({ total: 2000, done: 1000, failed: 0 }), 10_000);
  assert.equal(pace.leftMs({ total: null, done: 1000, failed: 0 }), null);
});

test("nothing is said too early, and another job starts anew", () => {
  const pace = new Pace();
  pace.add({ elapsedMs: 0, done: 0, failed: 0 });
  pace.add({ elapsedMs: 100, done: 50, failed: 0 });
  assert.equal(pace.perSecond, null);
  pace.add({ elapsedMs: 1000, done: 400, failed: 100 });
  assert.equal(pace.perSecond, 500);
  pace.add({ elapsedMs: 10, done: 0, failed: 0 });
  assert.equal(pace.perSecond, null);
});
