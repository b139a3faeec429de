import assert from "node:assert/strict";
import { utimesSync, writeFileSync } from "node:fs";
import inspector from "node:inspector";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createContext, runInContext, runInThisContext } from "node:vm";
import { bundleCapture } from "./bundle.ts";
import { captureFunction, type CaptureOptions } from "./capture.ts";
import { folder, runElsewhere, there as runThere, type AnyFunction } from "./harness/elsewhere.ts";

const here = fileURLToPath(import.meta.url);
const options: CaptureOptions = { entryScript: here };
const there = (fn: AnyFunction, input: unknown, more: CaptureOptions = {}): Promise<string> => runThere(fn, input, { ...options, ...more });

function fail(value: number): never {
  // A few lines, so that the lines of the compiled script are not those of this file.
  throw new RangeError(`bad ${value}`);
}

test("an error's stack names the user's file and line, also through a compiler's source map", async () => {
  const line = Number(/bundle\.test\.ts:(\d+)/.exec(new Error().stack ?? "")?.[1]);
  const stack = await there((value: number) => {
    fail(value);
  }, 3);
  assert.match(stack, /^RangeError: bad 3/);
  assert.match(stack, new RegExp(`at fail .*bundle\\.test\\.ts:${line - 4}:`));
  assert.match(stack, new RegExp(`bundle\\.test\\.ts:${line + 2}:`));
});

test("the same holds when esbuild made the bundle", async () => {
  const root = folder({ "lib.ts": `interface A { a: number }\n\nexport const use = (x: A): number => {\n  throw new Error("in lib " + x.a);\n};\n` });
  const { use } = (await import(pathToFileURL(join(root, "lib.ts")).href)) as { use: (x: { a: number }) => number };
  const stack = await there((a: number) => use({ a }), 1);
  assert.match(stack, /lib\.ts:4:/);
  assert.match(stack, /bundle\.test\.ts:\d+/);
});

test("the bundle stays the same when only values change, and the values are those at the call", async () => {
  let factor = 2;
  const scale = (x: number): number => x * factor;
  const first = captureFunction(scale, options);
  factor = 3;
  const second = captureFunction(scale, options);
  const [one, two] = [await bundleCapture(first), await bundleCapture(second)];
  assert.equal(one.id, two.id);
  assert.equal(runElsewhere(first, one, 5), "10");
  assert.equal(runElsewhere(second, two, 5), "15");
});

test("the cache forgets a bundle when a file in it changes", async () => {
  const cacheDirectory = folder();
  const root = folder({ "value.mjs": "export const read = () => 1;\n" });
  const { read } = (await import(pathToFileURL(join(root, "value.mjs")).href)) as { read: () => number };
  const capture = captureFunction(read, options);
  const first = await bundleCapture(capture, { cacheDirectory });
  assert.equal((await bundleCapture(capture, { cacheDirectory })).id, first.id);
  writeFileSync(join(root, "value.mjs"), "export const read = () => 2;\n");
  utimesSync(join(root, "value.mjs"), new Date(1e9), new Date(1e9));
  const second = await bundleCapture(capture, { cacheDirectory });
  assert.notEqual(second.id, first.id);
  assert.equal(runElsewhere(capture, second, 0), "2");
});

const packageFiles = {
  "node_modules/native-thing/package.json": JSON.stringify({ name: "native-thing", version: "1.2.3", main: "index.js", dependencies: { "plain-thing": "^0.1.0" }, optionalDependencies: { "other-system": "1.0.0" } }),
  "node_modules/native-thing/binding.gyp": "{}",
  "node_modules/native-thing/index.js": "exports.twice = (x) => require('./impl.js').times(x, 2);",
  "node_modules/native-thing/impl.js": "exports.times = (a, b) => a * b;",
  "node_modules/asset-thing/package.json": JSON.stringify({ name: "asset-thing", version: "3.0.0", main: "index.js" }),
  "node_modules/asset-thing/index.js": "exports.text = require('fs').readFileSync(require('path').join(__dirname, 'a.txt'), 'utf8');",
  "node_modules/asset-thing/a.txt": "asset",
  "node_modules/plain-thing/package.json": JSON.stringify({ name: "plain-thing", version: "0.1.0", exports: { ".": { import: "./i.mjs", require: "./r.cjs" } } }),
  "node_modules/plain-thing/i.mjs": "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); export default (x) => 'esm' + x + typeof require('os').cpus;",
  "node_modules/plain-thing/r.cjs": "module.exports = (x) => 'cjs' + x + typeof require('node:os').cpus;",
  "node_modules/burla/package.json": JSON.stringify({ name: "burla", version: "9.9.9", main: "index.js" }),
  "node_modules/burla/index.js": "exports.remoteParallelMap = () => 'the worker\\'s own';",
};

test("packages with native code or files of their own stay outside, others are bundled in the right build", async () => {
  const root = folder({
    ...packageFiles,
    "use.mjs": `import native from "native-thing"; import { text } from "asset-thing"; import plain from "plain-thing";
      import { createRequire } from "node:module"; const required = createRequire(import.meta.url)("plain-thing");
      const make = () => (x) => [native.twice(x), text, plain(x)].join();
      export const fn = make();`,
  });
  const { fn } = (await import(pathToFileURL(join(root, "use.mjs")).href)) as { fn: AnyFunction };
  const capture = captureFunction(fn, options);
  const bundle = await bundleCapture(capture);
  assert.deepEqual(bundle.externals, [
    { name: "asset-thing", version: "3.0.0", directory: join(root, "node_modules/asset-thing"), needs: [] },
    { name: "native-thing", version: "1.2.3", directory: join(root, "node_modules/native-thing"), needs: ["plain-thing@0.1.0"] },
  ]);
  assert.equal(runElsewhere(capture, bundle, 4), "8,asset,esm4function");
});

test("our own package is imported, never copied", async () => {
  const root = folder({
    ...packageFiles,
    "nested.mjs": `import { remoteParallelMap } from "burla"; export const fn = ((k) => (x) => remoteParallelMap((y) => y + k, [x]))(1);`,
  });
  const { fn } = (await import(pathToFileURL(join(root, "nested.mjs")).href)) as { fn: AnyFunction };
  assert.equal(await there(fn, 1, { directory: root }), "the worker's own");
  writeFileSync(join(root, "nested.cjs"), `const { remoteParallelMap } = require("burla"); const lib = require("burla"); exports.make = (k) => (x) => [remoteParallelMap(k), lib.remoteParallelMap()].join();`);
  const { make } = ((await import(pathToFileURL(join(root, "nested.cjs")).href)) as { default: { make: (k: number) => AnyFunction } }).default;
  assert.equal(await there(make(1), 1), "the worker's own,the worker's own");
  const own = (): string => "a copy";
  const capture = captureFunction(((call: () => string) => () => call())(own), { ...options, ownExports: { remoteParallelMap: own } });
  const { code, externals } = await bundleCapture(capture);
  assert.match(Buffer.from(code).toString(), /import \{ remoteParallelMap as \S+ \} from "burla"/);
  assert.deepEqual(externals.map(({ name }) => name), ["burla"]);
});

test("a function of a bundle can be captured again", async () => {
  const inner = folder({ "lib.mjs": "export const add = (a, b) => a + b;\nexport class Box { constructor(v) { this.v = v; } }" });
  const { add } = (await import(pathToFileURL(join(inner, "lib.mjs")).href)) as { add: (a: number, b: number) => number };
  const base = { n: 10 };
  const outer = captureFunction((x: number) => (y: number) => add(x, y) + base.n, options);
  const bundle = await bundleCapture(outer);
  const root = folder();
  writeFileSync(join(root, "bundle.mjs"), bundle.code);
  const { default: restore } = (await import(pathToFileURL(join(root, "bundle.mjs")).href)) as { default: (values: Uint8Array) => Promise<(x: number) => AnyFunction> };
  const fn = await restore(outer.values);
  assert.equal(await there(fn(5), 7), "22");
});

test("functions whose script is not a file: vm, another context, a cell with its own imports", async () => {
  const root = folder({ "node_modules/tiny/package.json": JSON.stringify({ name: "tiny", version: "1.0.0", main: "i.js" }), "node_modules/tiny/i.js": "exports.one = 1;" });
  const cell = runInThisContext(`(async () => { const { one } = await Promise.resolve({ one: 1 }); const k = 2; return (x) => x + k + one; })()`) as Promise<AnyFunction>;
  assert.equal(await there(await cell, 3), "6");
  const context = createContext({});
  const foreign = runInContext("const list = [{ f: (x) => x + 1 }]; const map = new Map([[1, list]]); (x) => map.get(1)[0].f(x)", context) as AnyFunction;
  assert.equal(await there(foreign, 3), "4");
  const importing = runInThisContext(`(require) => { const { one } = require("tiny"); return (x) => x + one; }`, { filename: "cell-3" }) as (r: unknown) => AnyFunction;
  assert.equal(await there(importing(() => ({ one: 1 })), 3, { directory: root }), "4");
  runInThisContext("let sessionVariable = 40; function sessionFunction(x) { return x + sessionVariable; }");
  assert.equal(await there(runInThisContext("(x) => sessionFunction(x)") as AnyFunction, 2), "42");
});

test("capture works while a debugger listens, and leaves nothing behind that keeps the process alive", async () => {
  class Model {
    weight = 3;
    scorer(): AnyFunction {
      return (x: number) => this.weight * x;
    }
  }
  inspector.open(0, "127.0.0.1");
  try {
    assert.equal(await there(new Model().scorer(), 4), "12");
  } finally {
    inspector.close();
  }
});

test("an import that does not exist is refused with its name", async () => {
  const root = folder({ "bad.cjs": `module.exports.make = (k) => (x) => require("./gone.cjs").f(x) + k;` });
  const { make } = ((await import(pathToFileURL(join(root, "bad.cjs")).href)) as { default: { make: (k: number) => AnyFunction } }).default;
  await assert.rejects(bundleCapture(captureFunction(make(1), options)), { code: "BURLA_CAPTURE", message: /\.\/gone\.cjs/ });
});

test("what a package notes of its objects in a WeakMap goes along with them", async () => {
  const root = folder({
    "node_modules/notes/package.json": '{ "name": "notes", "version": "1.0.0", "type": "module" }',
    "node_modules/notes/index.js": `const notes = new WeakMap(); const known = new WeakSet();
      export const make = (text) => { const made = { read: () => [notes.get(made).text, known.has(made)].join() }; notes.set(made, { text }); known.add(made); return made; };`,
  });
  const { make } = (await import(pathToFileURL(join(root, "node_modules/notes/index.js")).href)) as { make: (text: string) => { read: () => string } };
  const [first, second] = [make("first"), make("second")];
  make("not captured");
  assert.equal(await there(() => `${first?.read()} ${second?.read()}`, 0, { directory: root }), "first,true second,true");
});

test("a file that knows its place may begin with a directive without a semicolon", async () => {
  const root = folder({
    "node_modules/strict/package.json": '{ "name": "strict", "version": "1.0.0" }',
    "node_modules/strict/index.js": "'use strict'\n\nvar place = __dirname\nexports.place = () => place",
  });
  const { place } = (await import(pathToFileURL(join(root, "node_modules/strict/index.js")).href)) as { place: () => string };
  assert.equal(await there(() => place(), 0, { directory: root }), join(root, "node_modules/strict"));
});
