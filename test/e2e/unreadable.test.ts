/** Values that can be written and not read: each is rejected alone, at either end, and the job ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { attach, BurlaError, remoteParallelMap } from "burla";
import { useCluster } from "../support/cluster.ts";
import { drain, numbers } from "../support/inputs.ts";

useCluster();

const DEPTH = 2_500;

function deepList(): unknown {
  let last: unknown = null;
  for (let v = 0; v < DEPTH; v++) last = { v, next: last };
  return last;
}

/** Nothing that can be read, whatever it lies in. */
const HOLDERS: Record<string, () => unknown> = {
  "a linked list": () => deepList(),
  "in a Map": () => new Map([["deep", deepList()]]),
  "in a Set": () => new Set([deepList()]),
  "in an array": () => [1, deepList()],
};

const rejected = (entries: readonly { index: number; status: string }[]) => entries.filter(({ status }) => status === "rejected").map(({ index }) => index);

for (const [name, make] of Object.entries(HOLDERS)) {
  test(`an input that cannot be read is rejected alone: ${name}`, async () => {
    const inputs = Array.from({ length: 60 }, (_, index) => (index % 20 === 7 ? { index, value: make() } : { index, value: null }));
    const { values, error } = await drain(remoteParallelMap(({ index }: { index: number }) => index, inputs, { timeoutMs: 60_000 }).settled());
    assert.equal(error, undefined);
    assert.equal(values.length, 60);
    assert.deepEqual(rejected(values).sort((a, b) => a - b), [7, 27, 47]);
    for (const entry of values) {
      if (entry.status === "fulfilled") assert.equal(entry.value, entry.index);
      else assert.ok(entry.reason instanceof BurlaError && entry.reason.code === "BURLA_INPUT" && entry.reason.inputIndex === entry.index, String(entry.reason));
    }
  });
}

const deepAt7 = (index: number): unknown => {
  if (index % 20 !== 7) return { index };
  let last: unknown = null;
  for (let v = 0; v < 2_500; v++) last = { v, next: last };
  return new Map([["deep", last]]);
};

function isDeep(reason: unknown, index: number): boolean {
  return reason instanceof BurlaError && reason.code === "BURLA_RESULT" && reason.inputIndex === index;
}

function tooDeep(): unknown {
  let last: unknown = null;
  for (let v = 0; v < 4_000; v++) last = { v, next: last };
  return last;
}

const throwing = () => { throw new Error("boom"); };
const UNWRITABLE: Record<string, () => unknown> = {
  "nested 4,000 levels deep": tooDeep,
  "a getter that throws": () => ({ get broken() { return throwing() as unknown; } }),
  "a proxy whose traps throw": () => new Proxy({}, { get: throwing, ownKeys: throwing, getPrototypeOf: throwing }),
  "a function": () => ({ deep: [() => 1] }),
  "a handle": () => new Map([["port", new MessageChannel().port1]]),
  "a symbol": () => Symbol("s"),
  "what would arrive empty": () => [new URL("https://x.org")],
};
const isRefused = (reason: unknown, index: number) => reason instanceof BurlaError && reason.code === "BURLA_INPUT" && reason.inputIndex === index;

for (const [name, make] of Object.entries(UNWRITABLE)) {
  test(`an input that cannot be written is rejected alone: ${name}`, async () => {
    const called = ({ index }: { index: number }) => index;
    const inputs = () => Array.from({ length: 60 }, (_, index) => (index % 20 === 7 ? { index, value: make() } : { index, value: null }));
    const atEnd = [...inputs(), make() as { index: number }];
    for (const [given, refused] of [[inputs(), [7, 27, 47]], [inputs().values(), [7, 27, 47]], [atEnd, [7, 27, 47, 60]]] as const) {
      const { values, error } = await drain(remoteParallelMap(called, given, { retries: 50 }).settled());
      assert.equal(error, undefined);
      assert.equal(values.length, given === atEnd ? 61 : 60);
      assert.deepEqual(rejected(values).sort((a, b) => a - b), refused);
      for (const entry of values) {
        if (entry.status === "fulfilled") assert.equal(entry.value, entry.index);
        else assert.ok(isRefused(entry.reason, entry.index), String(entry.reason));
      }
    }
  });
}

test("an input that cannot be written is one in every view, and for whoever attaches", async () => {
  const inputs = () => numbers(30).map((index) => (index % 20 === 7 ? { get broken() { return throwing() as unknown; } } : index));
  const inOrder = await drain(remoteParallelMap((x) => x, inputs(), { order: "input", concurrency: 4 }).settled());
  assert.deepEqual(inOrder.values.map(({ index, status }) => [index, status]), numbers(30).map((index) => [index, index % 20 === 7 ? "rejected" : "fulfilled"]));
  await assert.rejects(remoteParallelMap((x) => x, inputs(), { onError: "continue" }).toArray(), (error: AggregateError) => error.errors.length === 2 && error.errors.every((each: BurlaError) => isRefused(each, each.inputIndex ?? -1)));
  const { error } = await drain(remoteParallelMap((x) => x, inputs()));
  assert.ok(error instanceof BurlaError && isRefused(error, error.inputIndex ?? -1), String(error));
  assert.equal((error.cause as Error).message, "boom");
  const job = remoteParallelMap((x) => x, inputs(), { detach: true, retries: 50, timeoutMs: 60_000 });
  await job.uploaded;
  const { values } = await drain(attach<number>(job.jobId).settled());
  assert.deepEqual(rejected(values).sort((a, b) => a - b), [7, 27]);
  for (const entry of values) if (entry.status === "rejected") assert.ok(isRefused(entry.reason, entry.index) && /\.broken is a getter that throws/.test(String(entry.reason)));
});

test("an iterator that throws ends its job, also behind inputs that cannot be written", async () => {
  function* inputs() {
    yield () => 1;
    throw new RangeError("no more");
  }
  const { error } = await drain(remoteParallelMap((x: unknown) => x, inputs()).settled());
  assert.ok(error instanceof RangeError && error.message === "no more", String(error));
});

test("a result that does not let itself be asked is rejected alone", async () => {
  const { values } = await drain(remoteParallelMap((index: number) => {
    const refuse = (): never => { throw new Error("trap"); };
    return index === 3 ? { held: new Proxy({}, { get: refuse, ownKeys: refuse, getPrototypeOf: refuse }) } : index;
  }, numbers(10)).settled());
  assert.equal(values.length, 10);
  assert.deepEqual(rejected(values), [3]);
});

test("a result that cannot be read is rejected alone, in every view", async () => {
  const { values } = await drain(remoteParallelMap(deepAt7, numbers(60)).settled());
  assert.deepEqual(rejected(values).sort((a, b) => a - b), [7, 27, 47]);
  for (const entry of values) {
    if (entry.status === "rejected") assert.ok(isDeep(entry.reason, entry.index), String(entry.reason));
    else assert.deepEqual(entry.value, { index: entry.index });
  }
  const inOrder = await drain(remoteParallelMap(deepAt7, numbers(30), { order: "input" }).settled());
  assert.deepEqual(inOrder.values.map(({ index }) => index), numbers(30));
  await assert.rejects(remoteParallelMap(deepAt7, numbers(30), { onError: "continue" }).toArray(), (error: AggregateError) => error.errors.length === 2 && error.errors.every((each: BurlaError) => isDeep(each, each.inputIndex ?? -1)));
  const { error } = await drain(remoteParallelMap(deepAt7, [7]));
  assert.ok(isDeep(error, 0) || error instanceof BurlaError, String(error));
  await assert.rejects(remoteParallelMap(deepAt7, numbers(8)).toArray(), (reason: unknown) => isDeep(reason, 7));
});

test("whoever attaches to a detached job gets the others as well", async () => {
  const job = remoteParallelMap(deepAt7, numbers(40), { detach: true });
  await job.uploaded;
  const { values } = await drain(attach<{ index: number }>(job.jobId).settled());
  assert.deepEqual(rejected(values).sort((a, b) => a - b), [7, 27]);
  assert.equal(values.length, 40);
});

test("what is thrown and cannot be read is an error of its own input", async () => {
  const { values } = await drain(remoteParallelMap((index: number) => {
    if (index !== 3) return index;
    let last: unknown = null;
    for (let v = 0; v < 2_500; v++) last = { v, next: last };
    throw last;  
  }, numbers(10)).settled());
  assert.equal(values.length, 10);
  assert.deepEqual(rejected(values), [3]);
});

test("errors that lead back to themselves travel whole, as inputs, results and thrown", async () => {
  const ring = Object.assign(new RangeError("ring"), { code: 5 });
  ring.cause = ring;
  const { values } = await drain(remoteParallelMap((error: Error) => [error.cause === error, error], [ring, ring]).settled());
  for (const entry of values) {
    assert.ok(entry.status === "fulfilled", String((entry as { reason?: unknown }).reason));
    const [wasRing, error] = entry.value as [boolean, typeof ring];
    assert.ok(wasRing && error.cause === error && error instanceof RangeError);
    assert.equal(error.code, 5);
  }
  const { error } = await drain(remoteParallelMap(() => {
    const own = new Error("own") as Error & { me: unknown };
    own.me = { list: [own] };
    own.cause = own;
    throw own;
  }, [1]));
  assert.equal((error as { me: { list: unknown[] } }).me.list[0], error);
});

test("errors as values keep what they carry", async () => {
  const results = await remoteParallelMap(async () => {
    class ApiError extends TypeError {
      override name = "ApiError";
      readonly status = 503;
    }
    const hidden = new Error("hidden");
    Object.defineProperty(hidden, "issues", { value: [{ path: ["a"] }], enumerable: false });
    const settled = await Promise.allSettled([Promise.reject(Object.assign(new ApiError("down"), { code: "E_DOWN" })), Promise.reject(hidden)]);
    return { settled, all: new AggregateError([new SyntaxError("one")], "all"), stop: new DOMException("stop", "AbortError"), map: new Map([["e", new URIError("u", { cause: 7 })]]) };
  }, [1]).toArray();
  const { settled, all, stop, map } = results[0]!;
  const [api, hidden] = (settled as PromiseSettledResult<unknown>[]).map((each) => (each as PromiseRejectedResult).reason as Error & Record<string, unknown>);
  assert.ok(api instanceof TypeError);
  assert.deepEqual([api.name, api["status"], api["code"]], ["ApiError", 503, "E_DOWN"]);
  assert.match(api.stack ?? "", /unreadable\.test\.ts/);
  assert.doesNotMatch(api.stack ?? "", /worker\.mjs|node:internal/);
  assert.deepEqual(hidden?.["issues"], [{ path: ["a"] }]);
  assert.ok(all.errors[0] instanceof SyntaxError && stop instanceof DOMException && stop.code === 20);
  assert.deepEqual([map.get("e")?.name, map.get("e")?.cause], ["URIError", 7]);
});
