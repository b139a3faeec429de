import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Pacer } from "./pacer.ts";

test("the first value leaves at once, of those that follow the last one when the time is over", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const said: number[] = [];
  const pacer = new Pacer<number>({ minMs: 10, maxMs: 10 }, (value) => said.push(value));
  pacer.set(1);
  pacer.set(2);
  pacer.set(3);
  assert.deepEqual(said, [1]);
  mock.timers.tick(10);
  assert.deepEqual(said, [1, 3]);
  mock.timers.tick(30);
  pacer.set(4);
  assert.deepEqual(said, [1, 3, 4], "after a quiet time the next one leaves at once again");
  pacer.set(5);
  pacer.flush();
  assert.deepEqual(said, [1, 3, 4, 5]);
  pacer.set(6);
  pacer.stop();
  mock.timers.tick(30);
  assert.deepEqual(said, [1, 3, 4, 5]);
  mock.timers.reset();
});

test("the gap is a tenth of the time since the first one, within its bounds", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const now = mock.method(performance, "now", () => nowMs);
  let nowMs = 0;
  const said: number[] = [];
  const pacer = new Pacer<number>({ minMs: 10, maxMs: 100 }, (value) => said.push(value));
  const saysAfter = (atMs: number, gapMs: number): void => {
    nowMs = atMs;
    mock.timers.runAll();
    pacer.set(1);
    pacer.set(2);
    said.length = 0;
    mock.timers.tick(gapMs - 1);
    assert.deepEqual(said, []);
    mock.timers.tick(1);
    assert.deepEqual(said, [2]);
  };
  saysAfter(0, 10);
  saysAfter(500, 50);
  saysAfter(60_000, 100);
  now.mock.restore();
  mock.timers.reset();
});
