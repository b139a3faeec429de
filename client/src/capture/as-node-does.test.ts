/** What a module imports and says of itself is the same in a bundle as where Node runs it from its file. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundleCapture } from "./bundle.ts";
import { captureFunction, type CaptureOptions } from "./capture.ts";
import { folder, load, runElsewhere, there, type AnyFunction } from "./harness/elsewhere.ts";
import { importConditions } from "./import-conditions.ts";

const options: CaptureOptions = { entryScript: fileURLToPath(import.meta.url) };
const MODULE = JSON.stringify({ type: "module" });
const COMPILED = { "node_modules/compiled/package.json": JSON.stringify({ name: "compiled", version: "1.0.0", main: "i.js" }), "node_modules/compiled/i.js": 'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = 1; exports.named = 2;' };

test("import.meta and __dirname are the file's own, and texts that only name them stay", async () => {
  const root = folder({
    "package.json": MODULE,
    "place.ts": `export const told = (): string => "set import.meta.url or __dirname" + \`, \${import.meta.dirname}\`;
      export const keys = (): unknown => { const { url, filename } = import.meta; return [url, filename, { __dirname: 1 }.__dirname, import.meta.resolve("./a.txt"), import.meta.resolve("fs")].join(); };`,
    "place.cjs": `exports.place = (__filename) => [__dirname, __filename, "__dirname"].join();`,
  });
  const { told, keys } = await load<{ told: AnyFunction; keys: AnyFunction }>(root, "place.ts");
  assert.equal(await there(told, 0, options), `set import.meta.url or __dirname, ${root}`);
  const [file, asset] = [join(root, "place.ts"), join(root, "a.txt")];
  assert.equal(await there(keys, 0, options), [pathToFileURL(file), file, 1, pathToFileURL(asset), "node:fs"].join());
  const { place } = (await load<{ default: { place: (name: string) => string } }>(root, "place.cjs")).default;
  assert.equal(await there((x: string) => place(x), "given", options), `${root},given,__dirname`);
});

test("a compiled package's default import is what Node gives, in each module that a function imports", async () => {
  const use = 'import main from "compiled"; export const read = () => typeof main + main.default;';
  const root = folder({ ...COMPILED, "package.json": MODULE, "use.js": use, "use.ts": use, "both.ts": 'import { read as a } from "./use.js"; import { read as b } from "./use.ts"; export const all = ((k) => () => [a(), b(), k].join())(3);' });
  assert.equal(await there((await load<{ all: AnyFunction }>(root, "both.ts")).all, 0, options), "object1,object1,3");
});

test("the tsconfig.json beside a module that a function imports decides its decorators", async () => {
  const root = folder({
    "package.json": MODULE,
    "tsconfig.json": JSON.stringify({ compilerOptions: { experimentalDecorators: true, useDefineForClassFields: false } }),
    "plain.mjs": "export const make = (module) => (x) => new module.Service().run(x);",
    "service.ts": `const note = (target: any, key: string): void => { (target.notes ??= []).push(key); };
      export class Service { @note field!: number; run(x: number): string { return [(this as any).notes, "field" in this, x].join(); } }
      export const run = (x: number): string => new Service().run(x);`,
  });
  const source = folder({ "package.json": MODULE, "use.mjs": `const run = async (x) => (await import(${JSON.stringify(join(root, "service.ts"))})).run(x); export const made = ((k) => (x) => run(x + k))(1);` });
  assert.equal(await there((await load<{ made: AnyFunction }>(source, "use.mjs")).made, 1, options), "field,false,2");
});

test("a module that is imported for its effects runs, whatever the user's own package.json tells bundlers", async () => {
  const root = folder({
    "package.json": JSON.stringify({ type: "module", sideEffects: false }),
    "register.ts": "(globalThis as any).registered = 7;",
    "use.ts": 'import "./register.ts"; export const read = () => (globalThis as any).registered;',
  });
  assert.equal(await there((await load<{ read: AnyFunction }>(root, "use.ts")).read, 0, options), "7");
});

test("classes and functions keep their names where two modules use the same", async () => {
  const text = `export class Mistake extends Error { name = this.constructor.name; } export const make = () => new (class Inner {})().constructor.name;
    export class Named { static name() { return "its own"; } }
    export function helper() { return helper.name; } `;
  const root = folder({
    "package.json": MODULE, "a.js": `${text} export const arrow = (x) => x;`, "b.js": `${text} export const arrow = (x) => x;`, "c.cjs": text.replaceAll("export ", "") + "; Object.assign(exports, { Mistake, Named, make, helper });",
    "use.js": `import * as a from "./a.js"; import * as b from "./b.js"; import c from "./c.cjs";
      export const read = () => [a, b, c].map((m) => [new m.Mistake("x").name, String(new m.Mistake("y")), m.make(), m.Named.name(), m.helper()].join(" ")).concat(a.arrow.name, b.arrow.name).join();`,
  });
  const { read } = await load<{ read: () => string }>(root, "use.js");
  const expected = "Mistake Mistake: y Inner its own helper";
  assert.equal(read(), [expected, expected, expected, "arrow", "arrow"].join());
  assert.equal(await there(read, 0, options), read());
});

test("a package is read by the conditions of Node and of this program, not by those of bundlers", async () => {
  const entry = { source: "./source.js", module: "./module.js", default: "./main.js" };
  const root = folder({
    "package.json": MODULE,
    "node_modules/many/package.json": JSON.stringify({ name: "many", version: "1.0.0", type: "module", exports: { ".": entry } }),
    ...Object.fromEntries(["source", "module", "main"].map((name) => [`node_modules/many/${name}.js`, `export const which = "${name}";`])),
    "use.js": 'import { which } from "many"; export const read = () => which;',
  });
  const { read } = await load<{ read: () => string }>(root, "use.js");
  assert.deepEqual([read(), await there(read, 0, options)], ["main", "main"]);
  const before = process.env["NODE_OPTIONS"];
  process.env["NODE_OPTIONS"] = "--conditions=source";
  try {
    assert.equal(await there(read, 0, options), "source");
  } finally {
    if (before === undefined) delete process.env["NODE_OPTIONS"];
    else process.env["NODE_OPTIONS"] = before;
  }
});

test("conditions are read as Node reads them", () => {
  const own = importConditions([], "");
  assert.deepEqual(importConditions(["--import", "tsx", "-C", "a", "--conditions", "b"], "--max-old-space-size=99 --conditions=c -C a"), [...own, "c", "a", "b"]);
});

test("a loader may change one function of a JavaScript file and leave those before it alone", async () => {
  const root = folder({
    "package.json": MODULE, "lib.js": "export const two = 2;",
    "use.js": 'export const use = (capture) => [capture((x) => x + 1), capture(async (x) => x + (await import("./lib.js")).two)];',
  });
  const { use } = await load<{ use: (capture: (fn: AnyFunction) => unknown) => ReturnType<typeof captureFunction>[] }>(root, "use.js");
  const results = use((fn) => captureFunction(fn, options)).map(async (capture) => runElsewhere(capture, await bundleCapture(capture), 1));
  assert.deepEqual(await Promise.all(results), ["2", "3"]);
});

test("columns in a stack are the user's own, behind an import on the same line too", async () => {
  const line = 'export const fail = ((k) => async (x) => { const { two } = await import("./lib.cjs"); throw new Error(`no ${x + two + k}`); })(1);';
  const root = folder({ "package.json": MODULE, "lib.cjs": "exports.two = 2;" });
  writeFileSync(join(root, "use.js"), line);
  const stack = await there((await load<{ fail: AnyFunction }>(root, "use.js")).fail, 1, options);
  assert.match(stack, /^Error: no 4\n/);
  assert.ok(stack.includes(`use.js:1:${line.indexOf("new Error") + 1}`), stack);
});
