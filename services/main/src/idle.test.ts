import assert from "node:assert/strict";
import { test } from "node:test";
import { IdleWatch } from "./idle.ts";

test("it fires when nothing has happened for the time, counted from the first report", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1000 });
  let ended = 0;
  const idle = new IdleWatch(500, () => void ended++);
  assert.equal(idle.deadline, null);
  idle.busy(false);
  assert.equal(idle.deadline, 1500);
  t.mock.timers.tick(300);
  idle.busy(false);
  assert.equal(idle.deadline, 1500);
  t.mock.timers.tick(200);
  assert.equal(ended, 1);
});

test("use ends the idle time, and its end begins a new one", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  let ended = 0;
  const idle = new IdleWatch(500, () => void ended++);
  idle.busy(false);
  t.mock.timers.tick(499);
  idle.busy(true);
  assert.equal(idle.deadline, null);
  t.mock.timers.tick(10_000);
  assert.equal(ended, 0);
  idle.busy(false);
  t.mock.timers.tick(500);
  assert.equal(ended, 1);
});

test("a time longer than timers allow does not end the cluster at once", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  const idle = new IdleWatch(2 ** 40, () => assert.fail("it ended"));
  idle.busy(false);
  assert.equal(idle.deadline, 2 ** 31 - 1);
});

test("each new deadline is told, and its end, once", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
  const told: (number | null)[] = [];
  const idle: IdleWatch = new IdleWatch(500, () => undefined, () => void told.push(idle.deadline));
  for (const isBusy of [true, false, false, true, true, false]) idle.busy(isBusy);
  assert.deepEqual(told, [500, null, 500]);
});
