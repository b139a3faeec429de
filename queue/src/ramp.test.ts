import assert from "node:assert/strict";
import { test } from "node:test";
import { WriteRamp } from "./ramp.ts";

test("500 writes a second, a second's worth of them at once", () => {
  const ramp = new WriteRamp();
  assert.equal(ramp.take(500, 10_000), 0);
  assert.equal(ramp.take(500, 10_000), 0, "what the second before left unused has gone, the next second begins");
  assert.equal(ramp.take(500, 10_000), 1000);
});

test("half as much again every five minutes", () => {
  const written = (fromMs: number) => {
    const ramp = new WriteRamp();
    ramp.take(0, 0);
    let writes = 0;
    for (let nowMs = fromMs; ramp.take(10, nowMs) === 0; ) writes += 10;
    return writes;
  };
  assert.ok(Math.abs(written(10 * 60_000) / written(1000) - 1.5 ** 2) < 0.1);
});
