import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { bundleCapture } from "./bundle.ts";
import { captureFunction, type Capture } from "./capture.ts";
import { explainJson, explainText } from "./explain.ts";
import { captureExport, captureFromSource } from "./from-source.ts";

const root = mkdtempSync(join(tmpdir(), "burla-source-"));

function write(name: string, text: string): string {
  writeFileSync(join(root, name), text);
  return join(root, name);
}

async function load(capture: Capture): Promise<(input: unknown) => unknown> {
  const bundle = await bundleCapture(capture);
  const file = write(`bundle-${bundle.id}.mjs`, Buffer.from(bundle.code).toString());
  const { default: restore } = (await import(pathToFileURL(file).href)) as { default: (values: Uint8Array) => Promise<(input: unknown) => unknown> };
  return await restore(capture.values);
}

write("lib.ts", "export const weight: number = 2;\nexport const unused = () => { throw new Error(); };\n");

const script = write(
  "script.ts",
  `import { weight } from "./lib.ts";
import { join } from "node:path";
import { gone } from "./not-there.ts";
type Input = { x: number };
const table = new Map<string, number>([["a", 1]]);
function helper(x: number): number { return x * weight + helper.extra + table.get("a")!; }
helper.extra = 10;
console.log("must not run here");
throw new Error("nor this");
export function score(input: Input): string { return join("s", String(helper(input.x))); }
export const place = () => import.meta.url;
await gone();
`,
);

test("a function of a script comes without the script's other statements", async () => {
  assert.equal(await (await load(await captureFromSource(script, "score")))({ x: 3 }), join("s", "17"));
  assert.equal(await (await load(await captureFromSource(script, "place")))(0), pathToFileURL(script).href);
});

test("a CommonJS script too", async () => {
  const file = write("script.cjs", `const { join } = require("node:path"); const lib = require("./data.json");\nmodule.exports = { f };\nfunction f(x) { return join(__dirname, String(lib.a + x)); }\nthrow 1;`);
  write("data.json", `{"a": 1}`);
  assert.equal(await (await load(await captureFromSource(file, "f")))(2), join(root, "3"));
});

test("a name that is not there is refused", async () => {
  await assert.rejects(captureFromSource(script, "nothing"), { code: "BURLA_CAPTURE", message: /nothing/ });
});

test("an export of a module, by name", async () => {
  const file = write("module.ts", `import { weight } from "./lib.ts";\nexport default (x: number): number => x * weight;\n`);
  assert.equal(await (await load(captureExport(file, "default")))(4), 8);
});

test("an explanation names functions, imports, values with sizes, and what is left out", async () => {
  const numbers = [1, 2, 3];
  const helper = (x: number): number => x + numbers.length;
  const fn = (x: number): string => join(String(helper(x)), String(Math.abs(numbers[0] ?? 0)));
  const capture = captureFunction(fn, { explain: true, entryScript: import.meta.filename });
  const bundle = await bundleCapture(capture);
  const text = explainText(capture, bundle);
  assert.match(text, /^fn {2}function {2}.*from-source\.test\.ts:\d+/);
  assert.match(text, /─ join {2}import {2}join from node:path/);
  assert.match(text, /─ helper {2}function/);
  assert.match(text, /─ numbers {2}value {2}array of 3 {2}\d+ B/);
  assert.match(text, /left out, every worker has it: Math, String/);
  assert.doesNotThrow(() => JSON.stringify(explainJson(capture, bundle)));
});
