/** Anything that can be iterated, and everything that can go wrong with it. */
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { BurlaError, remoteParallelMap } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce, drain, numbers } from "../support/inputs.ts";

const cluster = useCluster();
const identity = <Value>(x: Value) => x;

test("sync and async generators, sets, maps, streams and promises are inputs", async () => {
  function* count() {
    for (let i = 0; i < 100; i++) yield i;
  }
  async function* countLater() {
    for (let i = 0; i < 100; i++) yield await Promise.resolve(i);
  }
  for (const inputs of [count(), countLater(), new Set(numbers(100)), numbers(100).map((x) => Promise.resolve(x))]) {
    assert.deepEqual(await remoteParallelMap(identity<number>, inputs).toArray(), numbers(100));
  }
  const lines = await remoteParallelMap((line: string) => line.length, Readable.from(["one", "three"])).toArray();
  assert.deepEqual(lines, [3, 5]);
  assert.deepEqual(await remoteParallelMap(([key, value]: [string, number]) => key + value, new Map([["a", 1]])).toArray(), ["a1"]);
  assert.deepEqual(await remoteParallelMap(identity<string>, "añ😀").toArray(), ["a", "ñ", "😀"]);
});

test("promises among the inputs may resolve late", async () => {
  const later = (value: number) => new Promise<number>((resolve) => setTimeout(() => resolve(value), 5));
  assert.deepEqual(await remoteParallelMap(identity<number>, [1, later(2), 3, later(4)]).toArray(), [1, 2, 3, 4]);
});

test("the first results come before a slow generator ends", async () => {
  let release: (() => void) | undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  async function* slow() {
    yield 1;
    yield 2;
    await released;
    yield 3;
  }
  const stream = remoteParallelMap(identity<number>, slow());
  const first = [(await stream.next()).value, (await stream.next()).value].sort();
  assert.deepEqual(first, [1, 2]);
  release?.();
  assert.deepEqual((await drain(stream)).values, [3]);
});

test("an endless generator is left by break, and its finally runs", async () => {
  let cleaned = false;
  let pulled = 0;
  function* endless() {
    try {
      for (;;) yield pulled++;
    } finally {
      cleaned = true;
    }
  }
  let taken = 0;
  for await (const value of remoteParallelMap(identity<number>, endless())) {
    assert.equal(typeof value, "number");
    if (++taken === 5000) break;
  }
  assert.equal(cleaned, true);
});

test("an endless async generator is left by break, and its finally runs", async () => {
  let cleaned = false;
  async function* endless() {
    try {
      for (let i = 0; ; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        yield i;
      }
    } finally {
      cleaned = true;
    }
  }
  for await (const value of remoteParallelMap(identity<number>, endless())) if (value > 10) break;
  assert.equal(cleaned, true);
});

test("what a generator throws is thrown, after the results of what it gave", async () => {
  function* failing() {
    yield* numbers(20);
    throw new RangeError("no more");
  }
  const stream = remoteParallelMap(identity<number>, failing());
  const { values, error } = await drain(stream);
  assert.ok(error instanceof RangeError && error.message === "no more");
  assert.ok(new Set(values).size === values.length);
  assert.equal((await cluster.job(stream.jobId)).phase, "cancelled");
});

test("a rejected promise among the inputs is thrown", async () => {
  const { error } = await drain(remoteParallelMap(identity<number>, [1, Promise.reject(new TypeError("late no"))]));
  assert.ok(error instanceof TypeError && error.message === "late no");
});

test("an iterator that rejects, and one whose return throws, end the job", async () => {
  const rejecting = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("next failed")) }) };
  const { error } = await drain(remoteParallelMap(identity<number>, rejecting as AsyncIterable<number>));
  assert.match(String(error), /next failed/);
  const badReturn = {
    [Symbol.iterator]: () => ({
      next: () => ({ done: false, value: 1 }),
      return: () => {
        throw new Error("return failed");
      },
    }),
  };
  for await (const value of remoteParallelMap(identity<number>, badReturn as Iterable<number>)) {
    assert.equal(value, 1);
    break;
  }
});

test("an iterable whose [Symbol.iterator] throws is the caller's error", async () => {
  const broken = {
    [Symbol.iterator]: () => {
      throw new SyntaxError("no iterator today");
    },
  };
  const { error } = await drain((async function* () { yield* remoteParallelMap(identity<number>, broken as Iterable<number>); })());
  assert.ok(error instanceof SyntaxError, String(error));
});

test("an input that cannot be copied is named by index and path", async () => {
  const inputs: unknown[] = [...numbers(30), { owner: { callback: () => 1 } }, ...numbers(30)];
  const { error } = await drain(remoteParallelMap(identity<unknown>, inputs));
  assert.ok(error instanceof BurlaError && error.code === "BURLA_INPUT");
  assert.match(error.message, /inputs\[30\]\.owner\.callback is a function/);
  assert.equal(error.inputIndex, 30);
});

test("an input of many MiB travels alone", async () => {
  const big = new Uint8Array(40 << 20).fill(9);
  const sums = await remoteParallelMap((bytes: Uint8Array) => bytes.byteLength + (bytes[bytes.byteLength - 1] ?? 0), [big, new Uint8Array(3), big]).toArray();
  assert.deepEqual(sums, [(40 << 20) + 9, 3, (40 << 20) + 9]);
});

test("changing an input after it was pulled changes nothing", async () => {
  const shared = { value: 0 };
  function* reused() {
    for (let i = 0; i < 50; i++) {
      shared.value = i;
      yield { ...shared };
    }
  }
  assertEachOnce((await remoteParallelMap((x: { value: number }) => x.value, reused()).toArray()), 50);
});
