import assert from "node:assert/strict";
import { test } from "node:test";
import { checkArguments, checkAttachOptions, compileOptions, ramToMiB } from "./options.ts";
import type { AttachOptions, MapOptions } from "./types.ts";

test("without options every value is complete", () => {
  assert.deepEqual(compileOptions(), {
    image: null, cpu: 1, ramMiB: null, grow: 0, maxParallelism: null, concurrency: 1, order: "completion", lookahead: Infinity, onError: "throw", retries: 0, timeoutMs: null,
    setup: undefined, setupTimeoutMs: null, signal: undefined, detach: false, name: undefined, env: {}, onLog: undefined, progress: false, cluster: undefined,
  });
  assert.deepEqual(compileOptions({ cpu: undefined } as unknown as MapOptions), compileOptions({}));
});

test("what is given is taken, in the units of the wire", () => {
  const { signal } = new AbortController();
  const onLog = () => undefined;
  const given: MapOptions = {
    image: "node:22-slim", cpu: 0.5, ram: "2 GiB", grow: 4, maxParallelism: 3, concurrency: 2, order: "input", lookahead: Infinity, onError: "continue", retries: 2, timeoutMs: 1.5, signal,
    detach: true, name: "n", env: { A: "1" }, setup: onLog, setupTimeoutMs: 7, onLog, progress: onLog, cluster: { url: "http://x", token: "t" },
  };
  const { ram: _ram, ...same } = given;
  assert.deepEqual(compileOptions(given), { ...same, ramMiB: 2048 });
});

test("calls at once in one worker are no more than calls at once", () => {
  assert.equal(compileOptions({ concurrency: 10, maxParallelism: 4 }).concurrency, 4);
});

const ram: [number | string, number | null][] = [
  [1, 1024], [0.5, 512], [0.0001, 1], ["512 MiB", 512], ["512MB", 512], ["2g", 2048], ["1.5 GiB", 1536], [" 3 GB ", 3072],
  [0, null], [-1, null], [Number.NaN, null], [Infinity, null], ["", null], ["512", null], ["0 MiB", null], ["-1 GiB", null], ["1 TiB", null], ["lots", null],
];
for (const [given, expected] of ram) {
  test(`ram ${JSON.stringify(given)} is ${expected ?? "refused"}`, () => assert.equal(ramToMiB(given), expected));
}

const wholeAndMore = [0, -0, -1, 1.5, Number.NaN, -Infinity, "2", null, true, {}, 2n];
/** For each option, values that it cannot be. */
const WRONG: Record<keyof MapOptions, readonly unknown[]> = {
  image: ["", "No Such", "a b", 5, null],
  cpu: [0, -1, Number.NaN, Infinity, 5000, "2", null, {}],
  ram: [0, "512", "much", null, {}, true],
  grow: [-1, 1.5, "2", 1001, null],
  maxParallelism: wholeAndMore,
  concurrency: [...wholeAndMore, 100_001],
  order: ["inputs", "", 1, null],
  onError: ["ignore", true, null],
  lookahead: wholeAndMore,
  retries: [-1, 1.5, 1001, "1", null],
  timeoutMs: [0, -5, Number.NaN, 2 ** 31, -Infinity, "100", null],
  setup: ["fn", {}, null, 5],
  setupTimeoutMs: [0, -5, Number.NaN, 2 ** 31, "100", null],
  signal: [{}, "abort", new AbortController(), null],
  detach: ["yes", 1, null],
  name: ["", 5, "x".repeat(257), null],
  env: [null, "A=1", [], new Map([["A", "1"]]), { A: "x\0y" }, { A: 1 }, { "A=B": "1" }, { "": "1" }, { A: "x".repeat(200_000) }],
  onLog: ["print", {}, null, true],
  progress: ["yes", 1, null, {}],
  cluster: ["", "My Cluster", "ftp://x", "http://user:secret@x", 5, null, { url: "http://x" }, { url: 1, token: "t" }, { url: "here", token: "t" }, { url: "ftp://x", token: "t" }, { url: "http://x", token: "" }, { url: "http://x", token: "t", more: 1 }],
};
for (const [option, values] of Object.entries(WRONG)) {
  test(`${option}: what it cannot be is a TypeError that names it, and shows what it was`, () => {
    for (const value of values) {
      assert.throws(
        () => compileOptions({ [option]: value } as MapOptions),
        (error: unknown) => error instanceof TypeError && error.message.startsWith(`remoteParallelMap: the option "${option}`) && / must .*, not /.test(error.message) && error.message.length < 400,
        `${option}: ${String(value)}`,
      );
    }
  });
}

test("a detached job has no reader to keep up with", () => {
  assert.throws(() => compileOptions({ detach: true, lookahead: 4 }), { name: "TypeError", message: /"lookahead" must not be given together with "detach"/ });
});

test("Infinity is no limit", () => {
  const { maxParallelism, concurrency, timeoutMs, setupTimeoutMs } = compileOptions({ maxParallelism: Infinity, concurrency: Infinity, timeoutMs: Infinity, setup: () => 1, setupTimeoutMs: Infinity });
  assert.deepEqual({ maxParallelism, concurrency, timeoutMs, setupTimeoutMs }, { maxParallelism: null, concurrency: 100_000, timeoutMs: null, setupTimeoutMs: null });
  assert.equal(compileOptions({ setup: () => 1 }).setupTimeoutMs, 600_000);
});

test("variables of any name are kept, and undefined takes one away", () => {
  const env = { constructor: "a", prototype: "b", A: "", B: undefined };
  assert.deepEqual(compileOptions({ env } as unknown as MapOptions).env, env);
});

test("the culprit is shown, not what holds it", () => {
  assert.throws(() => compileOptions({ env: { A: "ok", B: 5 } } as unknown as MapOptions), { message: 'remoteParallelMap: the option "env.B" must be text, not 5' });
});

test("an unknown option is named, with those that there are", () => {
  assert.throws(() => compileOptions({ paralellism: 2 } as MapOptions), (error: Error) =>
    error instanceof TypeError && error.message === `remoteParallelMap: there is no option "paralellism"; the options are ${Object.keys(WRONG).sort().join(", ")}`);
  assert.throws(() => compileOptions([1] as MapOptions), TypeError);
});

test("options that are no object are a TypeError", () => {
  for (const options of [null, 5, "fast", () => undefined]) assert.throws(() => compileOptions(options as MapOptions), TypeError);
});

test("attach has its own options", () => {
  assert.deepEqual(checkAttachOptions({ from: 5, order: "input" }), { from: 5, order: "input" });
  for (const from of [-1, 1.5, "1"]) assert.throws(() => checkAttachOptions({ from } as AttachOptions), /attach: the option "from" must/);
  assert.throws(() => checkAttachOptions({ cpu: 1 } as AttachOptions), /attach: there is no option "cpu"/);
});

test("the function and the inputs are checked", () => {
  const fn = () => undefined;
  for (const inputs of [[], "text", new Set(), new Map(), (function* () {})(), (async function* () {})(), new Uint8Array(1)]) checkArguments(fn, inputs);
  for (const inputs of [undefined, null, 5, {}, fn]) assert.throws(() => checkArguments(fn, inputs), /the inputs must be iterable/);
  assert.throws(() => checkArguments(fn, Promise.resolve([1])), /not a promise; await it first$/);
  assert.throws(() => checkArguments(fn, null), /not null$/);
  for (const wrong of [undefined, "fn", {}, null]) assert.throws(() => checkArguments(wrong, []), /the first argument must be a function/);
  for (const generator of [function* () {}, async function* () {}]) assert.throws(() => checkArguments(generator, []), /is a generator function, .* return an array/);
  assert.throws(() => checkArguments(class Model { score = 1; }, []), /is a class, which cannot be called/);
});
