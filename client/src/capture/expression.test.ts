import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { bundleCapture } from "./bundle.ts";
import type { Capture } from "./types.ts";
import { explainText } from "./explain.ts";
import { captureExpression, captureRange } from "./expression.ts";

const root = mkdtempSync(join(tmpdir(), "burla-expression-"));

function write(name: string, text: string): string {
  writeFileSync(join(root, name), text);
  return join(root, name);
}

async function load(capture: Capture): Promise<unknown> {
  const bundle = await bundleCapture(capture);
  const file = write(`bundle-${bundle.id}.mjs`, Buffer.from(bundle.code).toString());
  const { default: restore } = (await import(pathToFileURL(file).href)) as { default: (values: Uint8Array) => Promise<unknown> };
  return await restore(capture.values);
}

write("lib.ts", "export const weight: number = 2;\n");
const text = `\uFEFFimport { weight } from "./lib.ts";
type Row = { x: number };
const rows: Row[] = [{ x: 1 }, { x: 2 }];
export function outer(limit: number) {
  return rows.map((row: Row): number => row.x * weight).filter((value) => value > limit);
}
throw new Error("must not run");
`;
const script = write("script.ts", text);

function rangeOf(part: string): { start: number; end: number } {
  const start = text.replace(/^\uFEFF/, "").indexOf(part);
  return { start, end: start + part.length };
}

test("an expression uses the top level of its file, and nothing else of it runs", async () => {
  assert.deepEqual(await load(await captureExpression(script, "rows.map(({ x }) => x * weight) // doubled")), [2, 4]);
  assert.deepEqual(await load(await captureExpression(script, "(await Promise.resolve([1, 2] as number[]))")), [1, 2]);
});

test("what is not one expression is refused", async () => {
  for (const expression of ["1, 2", "", "...rows"]) {
    await assert.rejects(captureExpression(script, expression), { code: "BURLA_CAPTURE", message: /not one expression/ }, expression);
  }
  await assert.rejects(captureExpression(script, "rows.("), { code: "BURLA_CAPTURE", message: /cannot be compiled/ });
});

test("a function expression within a function, with its types", async () => {
  const fn = (await load(await captureRange(script, rangeOf("(row: Row): number => row.x * weight")))) as (row: { x: number }) => number;
  assert.equal(fn({ x: 21 }), 42);
});

test("a variable of the function around it is refused by name", async () => {
  await assert.rejects(captureRange(script, rangeOf("(value) => value > limit")), { code: "BURLA_CAPTURE", message: /"limit" belongs to a function around it/ });
});

test("the explanation tells what is sent of the file and what is not", async () => {
  const capture = await captureExpression(script, "rows.length");
  const lines = explainText(capture, await bundleCapture(capture));
  assert.match(lines, /sent of its file, by line:\n +3 {2}const rows = \[/);
  assert.match(lines, /left out of its file, by line:\n +1 {2}import .*\n +4 {2}export function outer\(limit\) \{\n +7 {2}throw new Error/);
  assert.doesNotMatch(lines, /marked/);
});
