/** Every view of a job's results. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { remoteParallelMap } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce, drain, numbers } from "../support/inputs.ts";

const cluster = useCluster();

const identity = (x: number) => x;
const failOnOdd = (x: number) => {
  if (x % 2 === 1) throw new RangeError(`${x} is odd`);
  return x;
};

test("toArray gives the results in the order of the inputs", async () => {
  const squares = await remoteParallelMap((x: number) => x * x, numbers(10_000)).toArray();
  assert.deepEqual(squares, numbers(10_000).map((x) => x * x));
});

test("iteration gives each result once, as it completes", async () => {
  await cluster.ready();
  const { values, error } = await drain(
    remoteParallelMap(async (x: number) => {
      if (x === 0) await new Promise((resolve) => setTimeout(resolve, 300));
      return x;
    }, numbers(50)),
  );
  assert.equal(error, undefined);
  assertEachOnce(values, 50);
  assert.notEqual(values[0], 0, "the slow first input must not hold up the others");
});

test("order: \"input\" gives the results in the order of the inputs while they come", async () => {
  const slowFirst = async (x: number) => {
    if (x % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 30));
    return x;
  };
  const { values } = await drain(remoteParallelMap(slowFirst, numbers(300), { order: "input" }));
  assert.deepEqual(values, numbers(300));
});

test("entries name the index of their input", async () => {
  const { values } = await drain(remoteParallelMap((x: string) => x.toUpperCase(), ["a", "b", "c"]).entries());
  assert.deepEqual(values.sort((a, b) => a.index - b.index), [{ index: 0, value: "A" }, { index: 1, value: "B" }, { index: 2, value: "C" }]);
});

test("settled tells of every input and does not throw", async () => {
  const { values, error } = await drain(remoteParallelMap(failOnOdd, numbers(1000)).settled());
  assert.equal(error, undefined);
  assertEachOnce(values.map(({ index }) => index), 1000);
  for (const entry of values) {
    if (entry.index % 2 === 0) assert.deepEqual(entry, { index: entry.index, status: "fulfilled", value: entry.index });
    else assert.ok(entry.status === "rejected" && entry.reason instanceof RangeError && entry.reason.message === `${entry.index} is odd`);
  }
});

test("no inputs give no results", async () => {
  assert.deepEqual(await remoteParallelMap(identity, []).toArray(), []);
  assert.deepEqual((await drain(remoteParallelMap(identity, []))).values, []);
  assert.deepEqual((await drain(remoteParallelMap(identity, [], { order: "input" }).settled())).values, []);
});

test("undefined and other empty results are results", async () => {
  const empties = [undefined, null, 0, "", false, NaN];
  const results = await remoteParallelMap((at: number) => [undefined, null, 0, "", false, NaN][at], numbers(6)).toArray();
  assert.deepEqual(results, empties);
  assert.equal(Object.keys(await remoteParallelMap(() => undefined, [1, 2, 3]).toArray()).length, 3);
});

test("values of all kinds that can be copied arrive as they were", async () => {
  const values = [
    1n, new Date(5), /a+/giu, new Map([[1, { a: new Set([2]) }]]), new Uint8Array([1, 2, 3]), Buffer.from("abc"), new Float64Array(3), -0, Infinity,
    { nested: [{ deep: "ä€😀" }] }, new Error("as a value"), [, 1],  
  ];
  const back = (await remoteParallelMap((value: unknown) => value, values).toArray()) as unknown[];
  for (const [at, value] of values.entries()) {
    if (value instanceof Error) assert.equal((back[at] as Error).message, value.message);
    else if (Buffer.isBuffer(value)) assert.deepEqual(Buffer.from(back[at] as Uint8Array), value);
    else assert.deepEqual(back[at], value);
  }
});

test("results larger than a chunk's target arrive whole", async () => {
  const sizes = await remoteParallelMap((size: number) => new Uint8Array(size).fill(7), [1, 100_000, 5_000_000, 3]).toArray();
  assert.deepEqual(sizes.map((bytes) => bytes.byteLength), [1, 100_000, 5_000_000, 3]);
  assert.ok(sizes.every((bytes) => bytes.every((byte) => byte === 7)));
});

test("next may be called many times at once, as on any generator", async () => {
  const stream = remoteParallelMap(identity, numbers(20));
  const all = await Promise.all(numbers(25).map(() => stream.next()));
  assertEachOnce(all.filter(({ done }) => done !== true).map(({ value }) => value as number), 20);
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test("a finished generator stays finished, whatever is called", async () => {
  const stream = remoteParallelMap(identity, numbers(3));
  assert.equal((await stream.toArray()).length, 3);
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
  assert.deepEqual(await stream.return(), { done: true, value: undefined });
  await stream.cancel();
  assert.deepEqual((await drain(stream.settled())).values, []);
});

test("a call that nobody iterates starts nothing", async () => {
  const stream = remoteParallelMap(identity, numbers(3));
  assert.match(stream.jobId, /^job-[0-9a-z]{19}$/);
  await stream.return();
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test("await using cancels what is left", async () => {
  const stream = remoteParallelMap(identity, numbers(100));
  {
    await stream.next();
    await stream[Symbol.asyncDispose]();
  }
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});
