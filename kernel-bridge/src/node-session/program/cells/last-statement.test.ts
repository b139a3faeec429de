import assert from "node:assert/strict";
import { test } from "node:test";
import ts from "typescript";
import { planLast } from "./last-statement.ts";
import { parseCell } from "./parse.ts";
import { cut } from "./pieces.ts";

/** The cell with its map rewritten; null when it is one call. */
function rewritten(cell: string): string | null {
  const file = parseCell(ts, cell, { label: "cell 1", language: "typescript" });
  const last = file.statements.at(-1);
  const plan = last === undefined ? { kind: "call" as const } : planLast(ts, last);
  if (plan.kind === "call") return null;
  const text = cut(cell, 0, cell.length, plan.edits(file)).map((piece) => piece.text).join("");
  return text.replaceAll(/\$burla_session\.map\(\((.*?)\), (.*?), (\{[^}]*\})\)/gs, (_all, receiver: string, fn: string, shape: string) => {
    const { from, around, isAwaited, isOptional } = JSON.parse(shape) as Record<string, unknown>;
    return `MAP<${receiver}|${fn}|${[from, around, ...(isAwaited === true ? ["awaited"] : []), ...(isOptional === true ? ["optional"] : [])].join(" ")}>`;
  });
}

const MAPS: Readonly<Record<string, string>> = {
  "xs.map(f)": "(await MAP<xs|f|map none>)",
  "const a = xs.map(f);": "const a = (await MAP<xs|f|map none>);",
  "a.b = xs.c.map(f)": "a.b = (await MAP<xs.c|f|map none>)",
  "[a, b] = xs.map(f)": "[a, b] = (await MAP<xs|f|map none>)",
  "export default xs.map(f)": "export default (await MAP<xs|f|map none>)",
  "await Promise.all(xs.map(f))": "(await MAP<xs|f|map all awaited>)",
  "(await Promise.allSettled(xs.map(f)))!": "((await MAP<xs|f|map allSettled awaited>))!",
  "Promise.all(xs.map(f))": "Promise.resolve(await MAP<xs|f|map all>)",
  "await (xs.map(f))": "await ((await MAP<xs|f|map none awaited>))",
  "xs?.map(f)": "(await MAP<xs|f|map none optional>)",
  "Array.from(xs, f) as number[]": "(await MAP<xs|f|from none>) as number[]",
  "xs.filter(ok).map(f)": "(await MAP<xs.filter(ok)|f|map none>)",
};

for (const [cell, expected] of Object.entries(MAPS)) test(`a map: ${cell}`, () => assert.equal(rewritten(cell), expected));

for (const cell of [
  "xs.map(f).filter(g)", "xs.map(f, self)", "xs.map(...fs)", "xs.map()", "xs['map'](f)", "a += xs.map(f)", "const a = xs.map(f), b = 1", "Promise.all(xs.map(f), 1)",
  "Promise.race(xs.map(f))", "await Promise.all([f(1)])", "Array.from(xs)", "Array.from(xs, f, self)", "xs.flatMap(f)", "xs.map?.(f)", "for (const x of xs) f(x)", "if (a) xs.map(f)", "new Foo(xs.map(f))", "f(xs)", "",
]) test(`one call: ${cell}`, () => assert.equal(rewritten(cell), null));
