import assert from "node:assert/strict";
import { test } from "node:test";
import { AwakeClock } from "./awake-clock.ts";

test("time in which main could not hear is not counted, and all other time is", () => {
  let readMs = 5_000;
  const clock = new AwakeClock(() => readMs);
  const after = (ms: number) => { readMs += ms; return clock.nowMs(); };
  const startMs = after(0);
  for (const ms of [0, 1, 400, 1_000, 1_400]) after(ms);
  assert.equal(clock.nowMs() - startMs, 2_801, "timers that are a little late");
  const beforeMs = clock.nowMs();
  for (const stallMs of [8_000, 3_600_000]) after(stallMs);
  assert.ok(clock.nowMs() - beforeMs <= 2_000, "two stalls count for little");
  after(900);
  assert.ok(clock.nowMs() - beforeMs >= 900, "and it goes on afterwards");
  clock.close();
});
