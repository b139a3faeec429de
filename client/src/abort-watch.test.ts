import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { whenAborted } from "./abort-watch.ts";

test("any number of jobs have one listener at a signal, and the last takes it away", () => {
  const { signal } = new AbortController();
  const ends = Array.from({ length: 30 }, () => whenAborted(signal, () => undefined));
  assert.equal(getEventListeners(signal, "abort").length, 1);
  for (const end of ends) {
    assert.equal(getEventListeners(signal, "abort").length, 1);
    end();
    end();
  }
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("all are told, once, also when one that is told ends another", () => {
  const controller = new AbortController();
  const told: number[] = [];
  const ends = [0, 1, 2].map((number) => whenAborted(controller.signal, () => {
    told.push(number);
    for (const end of ends) end();
  }));
  controller.abort();
  assert.deepEqual(told, [0, 1, 2]);
  const end = whenAborted(controller.signal, () => told.push(3));
  end();
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
});
