import assert from "node:assert/strict";
import { test } from "node:test";
import ts from "typescript";
import { parseCell } from "../parse.ts";
import { cut } from "../pieces.ts";
import { Meaning } from "./meaning.ts";
import { planCell, type CellPlan } from "./plan.ts";

interface Planned {
  readonly plan: CellPlan;
  /** The cell with its maps rewritten, in short. */
  readonly text: string;
}

function planned(cell: string, session: Readonly<Record<string, unknown>> = {}): Planned {
  const file = parseCell(ts, cell, { label: "cell 1", language: "typescript" });
  const plan = planCell(ts, file, [...file.statements], new Meaning(ts, file, { session, imports: new Map(), shadowed: new Set() }));
  const text = cut(cell, 0, cell.length, plan.edits(null)).map((piece) => piece.text).join("");
  return { plan, text: shortened(text) };
}

/** `$burla_session.map({…}, (xs), (f))` -> `MAP<…|xs|f>`, the innermost first. */
function shortened(text: string): string {
  const made = text.replaceAll(/await \$burla_session\.map\((\{[^}]*\}), \(((?:(?!\$burla_session).)*?)\), \(((?:(?!\$burla_session).)*?)\)\)/gs, (_all, site: string, receiver: string, fn: string) => {
    const { from, around, isAwaited, isOptional } = JSON.parse(site) as Record<string, unknown>;
    return `MAP<${receiver}|${fn}|${[from, around, ...(isAwaited === true ? ["awaited"] : []), ...(isOptional === true ? ["optional"] : [])].join(" ")}>`;
  });
  return made === text ? text : shortened(made);
}

const MAPS: Readonly<Record<string, string>> = {
  "xs.map(f)": "MAP<xs|f|map none>",
  "const a = xs.map(f);": "const a = (MAP<xs|f|map none>);",
  "a.b = xs.c.map(f)": "a.b = (MAP<xs.c|f|map none>)",
  "[a, b] = xs.map(f)": "[a, b] = (MAP<xs|f|map none>)",
  "a += xs.map(f).length": "a += (MAP<xs|f|map none>).length",
  "export default xs.map(f)": "export default (MAP<xs|f|map none>)",
  "await Promise.all(xs.map(f))": "MAP<xs|f|map all awaited>",
  "(await Promise.allSettled(xs.map(f)))!": "((MAP<xs|f|map allSettled awaited>))!",
  "Promise.all(xs.map(f))": "0, (MAP<xs|f|map all>).later",
  "await Promise.all(xs.map(f)).catch(g)": "await (MAP<xs|f|map all>).later.catch(g)",
  "await (xs.map(f))": "await ((MAP<xs|f|map none awaited>))",
  "xs?.map(f)": "MAP<xs|f|map none optional>",
  "Array.from(xs, f) as number[]": "0, (MAP<xs|f|from none>) as number[]",
  "a = xs.filter(ok).map(f)": "a = (MAP<(MAP<xs|ok|filter none>)|f|map none>)",
  "xs.flatMap(f)": "MAP<xs|f|flatMap none>",
  "Object.fromEntries(await Promise.all(xs.map(f)))": "Object.fromEntries((MAP<xs|f|map all awaited>))",
  "const a = xs.map(f), b = 1": "const a = (MAP<xs|f|map none>), b = 1",
  "if (a) xs.map(f).forEach(g)": "if (a) 0, (MAP<xs|f|map none>).forEach(g)",
  "const m = new Map(xs.map((x) => [x, f(x)]))\nm.get(1)": "const m = new Map((MAP<xs|(x) => [x, f(x)]|map none>))\nm.get(1)",
};

for (const [cell, expected] of Object.entries(MAPS)) test(`a map: ${cell}`, () => assert.equal(planned(cell).text, expected));

for (const cell of [
  "xs.map(f, self)", "xs.map(...fs)", "xs.map()", "xs['map'](f)", "Promise.race(xs)", "await Promise.all([f(1)])", "Array.from(xs)", "Array.from(xs, f, self)",
  "xs.map?.(f)", "xs?.map(f).length", "function g() { return xs.map(f) }\ng()", "f(xs)", "", "const Array = { from: f };\nArray.from(xs, f)",
]) test(`one call: ${cell}`, () => assert.equal(planned(cell).plan.how, "call"));

/** Line that is named, and the reason. */
const REFUSED: Readonly<Record<string, [line: number, reason: RegExp]>> = {
  "const out = [];\nxs.map((x) => out.push(f(x)))": [2, /changes `out`/],
  "let n = 0;\nxs.map((x) => { n += f(x); return n })": [2, /assigns `n`/],
  "xs.map((row) => { row.y = f(row.x); return row })": [1, /changes its input `row`/],
  "xs.map((row) => { const { items } = row; items.sort(); return f(items) })": [1, /changes its input `row`/],
  "xs.map(({ items }) => { for (const item of items) item.y = f(item); return items })": [1, /changes its input `items`/],
  "function clean(row) { row.y = 1; return row }\nxs.map((x) => clean(x))": [2, /changes its input `x`/],
  "function note(x) { seen.push(x) }\nconst seen = [];\nxs.map((x) => { note(x); return f(x) })": [3, /calls `note`, which changes `seen`/],
  "function rng(a) { return () => (a = a * 2) }\nconst next = rng(1);\nxs.map((x) => f(x) + next())": [3, /takes what `next` gives in turn/],
  "class Rng { s = 1; next() { return (this.s *= 2) } }\nconst r = new Rng();\nxs.map((x) => f(x) + r.next())": [3, /changes `r`/],
  "xs.map((x, i, all) => f(x, all))": [1, /whole array/],
};

for (const [cell, [line, reason]] of Object.entries(REFUSED)) {
  test(`one call, and why: ${cell}`, () => {
    const { plan } = planned(cell);
    assert.deepEqual([plan.how, plan.noteLine], ["call", line]);
    assert.match(plan.note, reason);
  });
}

for (const cell of [
  "xs.map((row) => { const copy = { ...row }; copy.y = f(copy); return copy })",
  "xs.map((row) => { row = { ...row }; row.y = f(row); return row })",
  "xs.map((x) => { const out = []; out.push(f(x)); let n = 0; n++; return out })",
  "xs.map((text) => text.split(' ').sort().map(f))",
]) test(`a map that changes what is its own: ${cell}`, () => assert.equal(planned(cell).plan.how, "map"));

test("values of the session say what a name holds", () => {
  const seen = new Map<string, number>();
  assert.match(planned("xs.map((x) => seen.set(x, f(x)))", { seen }).plan.note, /changes `seen`/);
  assert.equal(planned("xs.map((x) => seen.set(x, f(x)))", { seen: { set: () => 1 }.set }).plan.how, "map");
});

test("what only reads runs here, unless it is all that the cell has", () => {
  const { plan } = planned("const pages = xs.map(load);\nconst names = pages.map((page) => page.name.toLowerCase());\nnames");
  assert.deepEqual(plan.steps, [
    { line: 1, text: "const pages = xs.map(load);", where: "map" },
    { line: 2, text: "const names = pages.map((page) => page.name.toLowerCase());", where: "here" },
    { line: 3, text: "names", where: "here" },
  ]);
  assert.equal(planned("xs.map((x) => x.name)").plan.how, "map");
  assert.equal(planned("const xs = load(1);\nxs.map((x) => x.name)").plan.how, "call");
});
