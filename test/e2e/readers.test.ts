/** One job in many hands: each result is given once, and whoever comes second is told so. */
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { Readable } from "node:stream";
import { test } from "node:test";
import { remoteParallelMap, type BurlaError } from "burla";
import { useCluster } from "../support/cluster.ts";
import { assertEachOnce, numbers } from "../support/inputs.ts";

useCluster();

const same = (x: number) => x;
const forever = (x: number) => new Promise<number>((resolve) => setTimeout(resolve, 600_000, x));
const TWICE = { name: "TypeError", message: /each given once/ };

test("toArray() twice at once, or after a reader, or a reader beside it: the second is refused and the first has all", async () => {
  const twice = remoteParallelMap(same, numbers(3000));
  const [first, second] = await Promise.allSettled([twice.toArray(), twice.toArray()]);
  assert.ok(first.status === "fulfilled" && second.status === "rejected");
  assert.deepEqual(first.value, numbers(3000));
  await assert.rejects(twice.toArray(), TWICE);

  const begun = remoteParallelMap(same, numbers(100));
  const one = await begun.next();
  await assert.rejects(begun.toArray(), TWICE);
  const rest: number[] = [];
  for await (const value of begun) rest.push(value);
  assertEachOnce([one.value as number, ...rest], 100);

  const collected = remoteParallelMap(same, numbers(100));
  const all = collected.toArray();
  for (const other of [() => collected.next(), () => collected.entries().next(), () => collected.settled().next()]) await assert.rejects(other(), TWICE);
  assert.deepEqual(await all, numbers(100));
});

test("loops that share the results get each once, through whichever view", async () => {
  const results = remoteParallelMap(same, numbers(5000), { onError: "continue" });
  const seen: number[] = [];
  const views = [results, results.entries(), results.settled(), results, results.entries()];
  await Promise.all(views.map(async (view) => {
    for await (const item of view) seen.push(typeof item === "number" ? item : item.index);
  }));
  assertEachOnce(seen, 5000);
});

test("settled() beside a reader of values, for whom the first failure is the end, is refused", async () => {
  const results = remoteParallelMap((x: number) => { if (x === 50) throw new Error("no"); return x; }, numbers(100));
  await results.next();
  await assert.rejects(results.settled().next(), { name: "TypeError", message: /onError: "continue"/ });
  await results.return();
});

test("return() and throw() do what a generator's do, before, while and after it runs", async () => {
  type Loose = { return(value?: unknown): Promise<unknown> };
  for (const begin of [async () => undefined, (results: AsyncGenerator<number>) => results.next(), async (results: AsyncGenerator<number>) => { for await (const _ of results); }]) {
    const results = remoteParallelMap(same, numbers(10));
    await begin(results);
    assert.deepEqual(await (results as Loose).return(5), { value: 5, done: true });
    assert.deepEqual(await (results as Loose).return(Promise.resolve(6)), { value: 6, done: true });
    assert.deepEqual(await results.next(), { value: undefined, done: true });
    await assert.rejects(results.throw(new RangeError("mine")), { name: "RangeError", message: "mine" });
    await assert.rejects(results.toArray(), TWICE);
  }
  const view = remoteParallelMap(same, numbers(10)).entries();
  assert.deepEqual(await (view as unknown as Loose).return(7), { value: 7, done: true });
});

test("what is still waited for when a consumer gives up ends without an error; a collector is told", async () => {
  const results = remoteParallelMap(forever, numbers(4));
  const waiting = [results.next(), results.next()];
  await results.return();
  assert.deepEqual(await Promise.all(waiting), [{ value: undefined, done: true }, { value: undefined, done: true }]);
  const collected = remoteParallelMap(forever, numbers(4));
  const all = assert.rejects(collected.toArray(), (error: BurlaError) => error.code === "BURLA_CANCELLED");
  await collected.return();
  await all;
});

test("any number of jobs on one signal warn of nothing, and leave nothing at it", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on("warning", note);
  const controller = new AbortController();
  await Promise.all(numbers(20).map(() => remoteParallelMap(same, [1], { signal: controller.signal }).toArray()));
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  const jobs = numbers(12).map(() => assert.rejects(remoteParallelMap(forever, [1], { signal: controller.signal }).toArray(), (error) => error === "enough"));
  controller.abort("enough");
  await Promise.all(jobs);
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", note);
  assert.deepEqual(warnings, []);
});

for (const order of ["completion", "input"] as const) {
  test(`lookahead bounds what was pulled and not handed out, in order of ${order}`, async () => {
    for (const lookahead of [1, 2, 7]) {
      let [pulled, delivered, most] = [0, 0, 0];
      const inputs = (function* () {
        for (let n = 0; n < 60; n++) {
          pulled++;
          most = Math.max(most, pulled - delivered);
          yield n;
        }
      })();
      const values: number[] = [];
      for await (const value of remoteParallelMap(same, inputs, { lookahead, order })) {
        delivered++;
        values.push(value);
      }
      assertEachOnce(values, 60);
      assert.equal(most, lookahead);
    }
    assert.deepEqual(await remoteParallelMap(same, numbers(500), { lookahead: 3 }).toArray(), numbers(500));
  });
}

test("maxParallelism: Infinity is no limit", async () => {
  assert.deepEqual(await remoteParallelMap(same, numbers(50), { maxParallelism: Infinity, concurrency: Infinity, timeoutMs: Infinity }).toArray(), numbers(50));
});

test("inputs may be streams of the web and of Node, a text, a map; what has only a length is refused", async () => {
  const echo = (x: unknown) => x;
  const web = new ReadableStream<number>({ start(controller) { for (const n of [1, 2, 3]) controller.enqueue(n); controller.close(); } });
  const of = (inputs: unknown) => remoteParallelMap(echo, inputs as Iterable<unknown>).toArray();
  assert.deepEqual(await of(web), [1, 2, 3]);
  assert.deepEqual(await of(Readable.from([1, 2, 3])), [1, 2, 3]);
  assert.deepEqual(await of("añ🙂"), ["a", "ñ", "🙂"]);
  assert.deepEqual(await of(new Map([["a", 1]])), [["a", 1]]);
  for (const empty of [[], "", new Set(), (async function* () {})()]) assert.deepEqual(await of(empty), []);
  assert.throws(() => void of({ length: 2, 0: "a", 1: "b" }), /must be iterable/);
});
