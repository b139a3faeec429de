import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { decodeValues, openInputs, type BurlaError } from "@burla/protocol";
import { InputPump, type ChunkToSend, type Credit } from "./inputs.ts";
import type { Inputs } from "./types.ts";

const PLENTY: Credit = { inputs: 1e9, bytes: 1e9, chunkInputs: 4 };

function pumpOf(inputs: Inputs<unknown>) {
  const chunks: ChunkToSend[] = [];
  const refusals = new Map<number, BurlaError>();
  let total: number | undefined;
  const pump = new InputPump(inputs, {
    push: (chunk) => chunks.push(chunk), refused: (index, error) => refusals.set(index, error), end: (count) => { total = count; }, inContext: (run) => run(),
  });
  return { pump, chunks, refusals, values: () => chunks.flatMap(({ body }) => decodeValues(body)), total: () => total };
}

async function pumped(inputs: Inputs<unknown>, credit = PLENTY) {
  const all = pumpOf(inputs);
  all.pump.allow(credit);
  await all.pump.run();
  return all;
}

test("every kind of iterable arrives whole, in order, in chunks of the asked size", async () => {
  const promise = (n: number) => new Promise<number>((resolve) => setImmediate(() => resolve(n)));
  const kinds: [string, () => Inputs<unknown>][] = [
    ["an array", () => [0, 1, 2, 3, 4, 5]],
    ["a set", () => new Set([0, 1, 2, 3, 4, 5])],
    ["a generator", function* () { yield* [0, 1, 2, 3, 4, 5]; }],
    ["an async generator", async function* () { for (let n = 0; n < 6; n++) yield await promise(n); }],
    ["a stream", () => Readable.from([0, 1, 2, 3, 4, 5])],
    ["promises", () => [0, 1, 2, 3, 4, 5].map(promise)],
    ["values and promises", () => [0, promise(1), 2, promise(3), 4, 5]],
    ["an iterator that gives promises of results", () => ({ [Symbol.asyncIterator]: () => { let n = 0; return { next: () => Promise.resolve(n < 6 ? { value: n++, done: false } : { value: undefined, done: true }) } as AsyncIterator<number>; } })],
  ];
  for (const [what, make] of kinds) {
    const { chunks, values, total } = await pumped(make());
    assert.deepEqual(values(), [0, 1, 2, 3, 4, 5], what);
    assert.equal(total(), 6, what);
    assert.deepEqual(chunks.map(({ chunkId }) => chunkId), chunks.map((_, at) => at), what);
    let first = 0;
    for (const chunk of chunks) {
      assert.equal(chunk.first, first, what);
      assert.ok(chunk.count <= PLENTY.chunkInputs, what);
      first += chunk.count;
    }
  }
});

test("large inputs travel alone, whether they are seen to be large or only turn out to be", async () => {
  const sizes = [3, 400_000, 5_000_000, 10, 20, 2_000_000, 7];
  for (const wrap of [(bytes: Buffer) => bytes, (bytes: Buffer) => ({ deep: [bytes] }), (bytes: Buffer) => bytes.toString("latin1")]) {
    const { chunks, values } = await pumped(sizes.map((size) => wrap(Buffer.alloc(size))), { ...PLENTY, chunkInputs: 100 });
    assert.deepEqual(values(), sizes.map((size) => wrap(Buffer.alloc(size))));
    assert.deepEqual(chunks.map(({ first }) => first), chunks.map((_, at) => chunks.slice(0, at).reduce((sum, { count }) => sum + count, 0)));
    for (const { count, body } of chunks) assert.ok(count === 1 || body.byteLength < 4_500_000, `${count} inputs of ${body.byteLength} bytes in one chunk`);
  }
});

test("an input that its generator uses again is sent as it was given", async () => {
  const [row, bytes] = [{ n: 0, list: [0] }, Buffer.alloc(2)];
  const { values } = await pumped((function* () {
    for (let n = 0; n < 10; n++) {
      row.n = row.list[0] = bytes[0] = n;
      yield n % 2 === 0 ? row : bytes;
    }
  })());
  assert.deepEqual(values(), Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? { n, list: [n] } : Buffer.from([n, 0]))));
});

test("no input at all is an end of zero", async () => {
  const { chunks, total } = await pumped([]);
  assert.deepEqual([chunks, total()], [[], 0]);
});

test("it pulls no further than its credit, in inputs and in bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 10 }), async (steps) => {
      let pulled = 0;
      const { pump, values } = pumpOf((function* () { for (;;) yield pulled++; })());
      const running = pump.run();
      let inputs = 0;
      for (const step of steps) {
        inputs += step;
        pump.allow({ inputs, bytes: 1e9, chunkInputs: 4 });
        while (values().length < inputs) await nextTurn();
        await nextTurn();
        assert.equal(pulled, inputs);
        assert.equal(values().length, inputs);
        assert.equal(pump.sent, inputs);
      }
      pump.stop();
      await running;
    }),
    { numRuns: 20 },
  );
  let pulled = 0;
  const { pump, chunks } = pumpOf((function* () { for (;;) { pulled++; yield "x".repeat(1000); } })());
  const running = pump.run();
  pump.allow({ inputs: 1e9, bytes: 10_000, chunkInputs: 4 });
  await nextTurn();
  assert.ok(pulled <= 16, `${pulled} were pulled`);
  assert.ok(chunks.reduce((sum, { body }) => sum + body.byteLength, 0) < 20_000);
  pump.stop();
  await running;
});

test("what a slow iterable has given is sent while the next is waited for", async () => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => { release = resolve; });
  const { pump, values } = pumpOf((async function* () { yield 1; yield 2; await gate; yield 3; })());
  pump.allow({ ...PLENTY, chunkInputs: 100 });
  const running = pump.run();
  while (values().length < 2) await nextTurn();
  assert.deepEqual(values(), [1, 2]);
  release();
  await running;
  assert.deepEqual(values(), [1, 2, 3]);
});

test("what the iterable throws, or a promise rejects with, is thrown, after what came before was pulled", async () => {
  const boom = new Error("boom");
  const kinds: Inputs<unknown>[] = [
    (function* () { yield 1; throw boom; })(),
    (async function* () { yield 1; throw boom; })(),
    [1, Promise.reject(boom)],
  ];
  for (const inputs of kinds) await assert.rejects(pumped(inputs), boom);
});

test("an iterator that gives something that is no object is a TypeError, not endless inputs", async () => {
  await assert.rejects(pumped({ [Symbol.iterator]: () => ({ next: () => 5 }) } as unknown as Iterable<number>), TypeError);
  await assert.rejects(pumped({ [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(null) }) } as unknown as AsyncIterable<number>), TypeError);
});

test("an input that cannot be copied is sent as such, named by its index and path, and the others beside it", async () => {
  const flaky = { calls: 0, get now() { if (this.calls++ % 2 === 0) throw new Error("not now"); return 1; } };
  const untouchable = new Proxy({}, { get: () => { throw new Error("get"); }, ownKeys: () => { throw new Error("keys"); }, getPrototypeOf: () => { throw new Error("prototype"); } });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const refused: [unknown, RegExp][] = [
    [{ owner: { callback() {} } }, /^inputs\[1\]\.owner\.callback is a function \(callback\), which/],
    [{ get broken() { throw new Error("boom"); } }, /^inputs\[3\]\.broken is a getter that throws/],
    [untouchable, /^inputs\[5\] is a Proxy/],
    [revoked.proxy, /^inputs\[7\] is a Proxy/],
    [Symbol("s"), /^inputs\[9\] is a symbol/],
    [new URL("https://x.org"), /^inputs\[11\] is a URL/],
    [new WeakMap(), /^inputs\[13\] is a WeakMap/],
    [flaky, /^inputs\[15\]/],
  ];
  for (const chunkInputs of [1, 3, 100]) {
    const inputs = refused.flatMap(([value], at) => [at, value]);
    const { chunks, refusals, total } = await pumped(inputs, { ...PLENTY, chunkInputs });
    assert.equal(total(), inputs.length);
    const isFlakyRefused = refusals.has(15);
    assert.deepEqual([...refusals.keys()], refused.map((_, at) => 2 * at + 1).filter((index) => index < 15 || isFlakyRefused));
    for (const [index, error] of refusals) {
      assert.deepEqual([error.code, error.inputIndex], ["BURLA_INPUT", index]);
      assert.match(error.message, refused[(index - 1) / 2]![1]);
    }
    assert.equal((refusals.get(3)?.cause as Error).message, "boom");
    for (const { first, count, body } of chunks) {
      const opened = openInputs(body, count, first);
      for (let at = 0; at < count; at++) {
        const failure = opened.failures.get(at);
        assert.equal(failure?.code, refusals.get(first + at)?.code);
        if (failure !== undefined) assert.ok(refusals.get(first + at)!.message.startsWith(failure.message));
        else if ((first + at) % 2 === 0) assert.equal(opened.values[at], (first + at) / 2);
      }
    }
  }
});

test("it is sent also while a slow iterable is waited for", async () => {
  async function* slow() {
    yield () => undefined;
    await new Promise(() => undefined);
  }
  const { pump, chunks, refusals } = pumpOf(slow());
  pump.allow({ ...PLENTY, chunkInputs: 100 });
  void pump.run();
  while (chunks.length === 0) await nextTurn();
  assert.equal(refusals.get(0)?.code, "BURLA_INPUT");
  pump.stop();
});

test("stopping lets the iterable clean up, once, and sends nothing more", async () => {
  for (const isAsync of [false, true]) {
    let cleaned = 0;
    const sync = function* () { try { for (let n = 0; ; n++) yield n; } finally { cleaned++; } };
    const { pump, values } = pumpOf(isAsync ? (async function* () { yield* sync(); })() : sync());
    pump.allow({ inputs: 5, bytes: 1e9, chunkInputs: 2 });
    const running = pump.run();
    await nextTurn();
    const sent = values().length;
    pump.stop();
    pump.stop();
    await running;
    await nextTurn();
    assert.equal(cleaned, 1);
    assert.equal(values().length, sent);
  }
});

test("an iterable that ended by itself is not asked to clean up", async () => {
  let returns = 0;
  let n = 0;
  const { pump } = await pumped({ [Symbol.iterator]: () => ({ next: () => ({ done: n++ >= 2, value: n }), return: () => { returns++; return { done: true, value: undefined }; } }) });
  pump.stop();
  assert.equal(returns, 0);
});

test("a cleaning up that throws concerns nobody", async () => {
  for (const broken of [() => { throw new Error("sync"); }, () => Promise.reject(new Error("async")), () => 5]) {
    const { pump } = pumpOf({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }), return: broken as never }) });
    const running = pump.run();
    pump.stop();
    await running;
  }
});

test("large inputs travel in small chunks, as soon as their size is known", async () => {
  const { chunks } = await pumped(Array.from({ length: 40 }, () => ({ text: "x".repeat(200_000) })), { ...PLENTY, chunkInputs: 8 });
  assert.equal(chunks[0]?.count, 8);
  assert.ok(chunks.slice(1).every(({ count }) => count <= 2));
});

/** An iterator that writes down what is asked of it. */
function watched(steps: (n: number) => IteratorResult<unknown> | Promise<IteratorResult<unknown>>, isAsync: boolean) {
  const asked: string[] = [];
  let n = 0;
  const iterator = {
    next: () => {
      asked.push("next");
      return steps(n++);
    },
    return: () => {
      asked.push("return");
      return isAsync ? Promise.resolve({ done: true, value: undefined }) : { done: true, value: undefined };
    },
  };
  const inputs = { [isAsync ? Symbol.asyncIterator : Symbol.iterator]: () => iterator } as unknown as Inputs<unknown>;
  return { inputs, returns: () => asked.filter((what) => what === "return").length };
}
const step = (value: unknown) => ({ done: false, value });

const endings: [string, number, (n: number) => IteratorResult<unknown> | Promise<IteratorResult<unknown>>, boolean, RegExp | null][] = [
  ["ends by itself", 0, (n) => (n < 3 ? step(n) : { done: true, value: undefined }), false, null],
  ["ends by itself, asynchronously", 0, async (n) => (n < 3 ? step(n) : { done: true, value: undefined }), true, null],
  ["throws", 0, (n) => { if (n === 2) throw new RangeError("mine"); return step(n); }, false, /mine/],
  ["rejects", 0, async (n) => { if (n === 2) throw new RangeError("mine"); return step(n); }, true, /mine/],
  ["gives a promise that rejects", 1, (n) => step(n === 2 ? Promise.reject(new RangeError("mine")) : n), false, /mine/],
];
for (const [how, returns, steps, isAsync, message] of endings) {
  test(`an iterator that ${how} is closed ${returns === 0 ? "by nobody else" : "once"}`, async () => {
    const iterator = watched(steps, isAsync);
    const { pump } = pumpOf(iterator.inputs);
    pump.allow({ ...PLENTY, chunkInputs: 1 });
    const error: unknown = await pump.run().then(() => null, (reason: unknown) => reason);
    assert.match(String(error), message ?? /^null$/);
    pump.stop();
    pump.stop();
    await nextTurn();
    assert.equal(iterator.returns(), returns);
  });
}

test("an iterable that ends its own job while it gives an input is closed, once", async () => {
  let closed = 0;
  let stop: () => void = () => undefined;
  const inputs = (function* () {
    try {
      yield 1;
      stop();
      yield 2;
    } finally {
      closed++;
    }
  })();
  const { pump, values } = pumpOf(inputs);
  stop = () => pump.stop();
  pump.allow({ ...PLENTY, chunkInputs: 1 });
  await pump.run();
  await nextTurn();
  assert.deepEqual([closed, values()], [1, [1]]);
});

test("what belongs to the iterable runs in the context that it is given", async () => {
  const where: string[] = [];
  let inside = false;
  const inContext = <Value>(run: () => Value): Value => {
    inside = true;
    try {
      return run();
    } finally {
      inside = false;
    }
  };
  const iterator = { next: () => { where.push(`next ${inside}`); return { done: false, value: 1 }; }, return: () => { where.push(`return ${inside}`); return { done: true, value: undefined }; } };
  const pump = new InputPump({ [Symbol.iterator]: () => { where.push(`open ${inside}`); return iterator as Iterator<number>; } }, { push: () => undefined, refused: () => undefined, end: () => undefined, inContext });
  pump.allow({ ...PLENTY, inputs: 2 });
  void pump.run();
  pump.stop();
  await nextTurn();
  assert.deepEqual(where, ["open true", "next true", "next true", "return true"]);
});
