import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { Bell } from "./bell.ts";
import { Latest } from "./latest.ts";

const never = new AbortController().signal;

test("a reader that keeps up sees every value, one that does not sees the newest", async () => {
  const latest = new Latest<number>();
  const values = latest.values(never);
  latest.set(1);
  assert.deepEqual(await values.next(), { done: false, value: 1 });
  const next = values.next();
  latest.set(2);
  assert.deepEqual(await next, { done: false, value: 2 });
  for (const value of [3, 4, 5]) latest.set(value);
  assert.deepEqual(await values.next(), { done: false, value: 5 });
});

test("the last value is given before the end, and before an error", async () => {
  const ended = new Latest<number>();
  ended.set(1);
  ended.end();
  const values = ended.values(never);
  assert.deepEqual([await values.next(), (await values.next()).done], [{ done: false, value: 1 }, true]);
  const failed = new Latest<number>();
  failed.set(1);
  failed.fail(new Error("no"));
  const broken = failed.values(never);
  assert.deepEqual(await broken.next(), { done: false, value: 1 });
  await assert.rejects(broken.next(), /no/);
});

test("the signal ends a reader that waits", async () => {
  const abort = new AbortController();
  const next = new Latest<number>().values(abort.signal).next();
  abort.abort();
  assert.equal((await next).done, true);
});

test("a bell that rang before is heard, once; waiting leaves nothing behind", async () => {
  const abort = new AbortController();
  const bell = new Bell();
  bell.ring();
  await bell.wait(abort.signal);
  let heard = false;
  const waiting = bell.wait(abort.signal).then(() => (heard = true));
  await new Promise(setImmediate);
  assert.equal(heard, false);
  bell.ring();
  await waiting;
  await bell.wait(abort.signal, 1);
  assert.equal(getEventListeners(abort.signal, "abort").length, 0);
});
