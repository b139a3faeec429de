import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { socketPair } from "../../test/wire/peers.ts";
import { Backoff } from "./backoff.ts";
import { afterListening } from "./listening.ts";

/** Keeps this process from hearing anything. */
function compute(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

test("a deadline does not come early, and not at all when it was stopped", async () => {
  const startMs = performance.now();
  await new Promise<void>((resolve) => void afterListening(50, resolve));
  assert.ok(performance.now() - startMs >= 49);
  afterListening(20, () => assert.fail("stopped")).stop();
  const late = afterListening(40, () => assert.fail("stopped on its way"));
  await pause(15);
  late.stop();
  await pause(60);
});

test("what came while this process computed is heard before its own deadline", async () => {
  const { near, far } = await socketPair();
  const heard = once(near, "data");
  let isLate = false;
  const deadline = afterListening(100, () => (isLate = true));
  far.write("here I am");
  compute(400);
  await heard;
  assert.equal(isLate, false);
  deadline.stop();
  near.destroy();
  far.destroy();
});

test("pauses double up to their limit, vary by chance, and begin anew when something was of use", () => {
  const pauses = (random: number) => {
    const backoff = new Backoff({ firstMs: 20, maxMs: 100, random: () => random });
    const five = Array.from({ length: 5 }, () => backoff.next());
    backoff.reset();
    return [...five, backoff.next()];
  };
  assert.deepEqual(pauses(1), [20, 40, 80, 100, 100, 20]);
  assert.deepEqual(pauses(0), [10, 20, 40, 50, 50, 10]);
  assert.ok(new Set(Array.from({ length: 20 }, () => new Backoff({ firstMs: 1000, maxMs: 1000 }).next())).size > 1);
});
