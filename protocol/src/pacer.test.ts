import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Pacer } from "./pacer.ts";

test("the first value leaves at once, of those that follow the last one when the time is over", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const said: number[] = [];
  const pacer = new Pacer<number>(10, (value) => said.push(value));
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
