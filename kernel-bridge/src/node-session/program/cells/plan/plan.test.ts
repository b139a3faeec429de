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
  "const seen = [], note = (x) => seen.push(f(x));\nxs.map(a ? f : note)": [2, /changes `seen`/],
  "function counter() { let n = 0; return () => n++ }\nxs.map(counter())": [2, /remembers its calls/],
  "class M { w = 0; score(x) { this.w += x; return f(x) } }\nconst m = new M();\nxs.map(m.score.bind(m))": [3, /changes `m`/],
  "const seen = [];\nlet g = f;\ng = (x) => seen.push(f(x));\nif (a) { const out = []; while (a) out.push(f(1)) }": [4, /begins with/],
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

test("how many calls at once there may be", () => {
  const limit = Object.assign(() => 1, { activeCount: 0, pendingCount: 0 });
  assert.match(planned("xs.map((x) => limit(() => f(x)))", { limit }).text, /, \{ concurrency: limit\.concurrency \}\)/);
  assert.match(planned("import pLimit from 'p-limit'\nconst limit = pLimit(3)\nxs.map(async (x) => { return limit(f, x) })").text, /, \{ concurrency: 3 \}\)/);
  assert.match(planned("import pMap from 'p-map'\nawait pMap(xs, f, { concurrency: 3 })").text, /, \(\{ concurrency: 3 \}\|pMap all awaited>/);
  assert.equal(planned("import pMap from 'p-map'\nawait pMap(xs, f, { stopOnError: false })").plan.how, "call");
});

test("an iterator of the session gives its values in turn", () => {
  const ids = [1, 2].values();
  assert.match(planned("xs.map((x) => [ids.next().value, f(x)])", { ids }).plan.note, /changes `ids`/);
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

/** What the loop becomes: how its turns are given, what a turn is, what is done with what it collects. */
const LOOPS: Readonly<Record<string, [turns: string, turn: string, replay: string]>> = {
  "for (const x of xs) out.push(f(x));": ["for (const x of xs)  yield [x];", "$burla_out.push([0, [(f(x))]]);", "out.push($burla_values[0]);"],
  "for (const x of xs) { out.push(...await f(x), 1) }": ["for (const x of xs)  yield [x];", "$burla_out.push([0, [[...(await f(x))]]])", "out.push(...$burla_values[0], 1);"],
  "for (let i = 0; i < n; i++) sums[i] = f(i)": ["for (let i = 0; i < n; i++)  yield [i];", "$burla_out.push([0, [(i), (f(i))]])", "sums[$burla_values[0]] = $burla_values[1];"],
  "for (const a of as) { for (const b of bs) { total += f(a, b) } }": ["for (const a of as)   for (const b of bs)  yield [a, b];", "$burla_out.push([0, [(f(a, b))]])", "total += $burla_values[0];"],
  "for (const x of xs) (groups[f(x)] ??= []).push(x)": ["for (const x of xs)  yield [x];", "$burla_out.push([0, [(f(x)), (x)]])", "(groups[$burla_values[0]] ??= []).push($burla_values[1]);"],
  "for (const x of xs) best[x.k] = Math.max(best[x.k] ?? 0, f(x))": ["for (const x of xs)  yield [x];", "$burla_out.push([0, [(x.k), (x.k), (f(x))]])", "best[$burla_values[0]] = Math.max(best[$burla_values[1]] ?? 0, $burla_values[2]);"],
  "for await (const { id } of xs) { if (!id) continue; map.set(id, await f(id)) }": ["for await (const { id } of xs)  yield [id];", "if (!id) return; $burla_out.push([0, [(id), (await f(id))]])", "map.set($burla_values[0], $burla_values[1]);"],
  "xs.forEach((x, i) => { out[i] = f(x) })": ["(xs).forEach((x, i) => { $burla_turns.push([x, i]); });", "$burla_out.push([0, [(i), (f(x))]])", "out[$burla_values[0]] = $burla_values[1];"],
  "for (const x of xs) { const k = f(x); if (!map.has(k)) map.set(k, []); map.get(k)!.push(x) }": ["for (const x of xs)  yield [x];", "$burla_out.push([0, [(k), (k)]]);; $burla_out.push([1, [(k), (x)]])".replace(";;", ";"), "if ($burla_kind === 0) { if (!map.has($burla_values[0])) map.set($burla_values[1], []);; } else if ($burla_kind === 1) { map.get($burla_values[0])!.push($burla_values[1]); }"],
  "for (const x of xs) { if (!(x.k in groups)) { groups[x.k] = 0 } else groups[x.k]++; groups[x.k] += f(x) }": ["for (const x of xs)  yield [x];", "$burla_out.push([0, [(x.k), (x.k), (x.k)]]);", "if (!($burla_values[0] in groups)) { groups[$burla_values[1]] = 0 } else groups[$burla_values[2]]++;"],
  "xs.forEach(() => out.push(f()))": ["(xs).forEach(() => { $burla_turns.push([]); });", "$burla_out.push([0, [(f())]])", "out.push($burla_values[0]);"],
};

for (const [loop, [turns, turn, replay]] of Object.entries(LOOPS)) {
  test(`a loop that collects: ${loop}`, () => {
    const cell = `const out = [], map = new Map(), sums = [], groups = {}, best = {}; let total = 0;\n${loop}`;
    const { plan, text } = planned(cell);
    assert.equal(plan.how, "map", plan.note);
    for (const part of [turns, turn, replay]) assert.ok(text.includes(part), `${part} is not in ${text}`);
    assert.equal(ts.transpileModule(text, { reportDiagnostics: true, compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext } }).diagnostics?.length, 0, text);
  });
}

/** Why a loop is none. */
const CARRYING: Readonly<Record<string, RegExp>> = {
  "for (const x of xs) { if (f(x)) break; out.push(x) }": /`break`/,
  "for (const x of xs) { if (out.length < 3) out.push(f(x)) }": /depends on what earlier turns have left/,
  "for (const x of xs) { if (out.length < 3) { const y = f(x); out.push(y) } }": /looks at `out`/,
  "for (const x of xs) { const y = f(last, x); last = y; out.push(y) }": /looks at `last`/,
  "for (const x of xs) { x.y = f(x); out.push(x) }": /changes its input `x`/,
  "for (const x of xs) f(x)": /collects nothing/,
  "for (const x of xs) { bar.tick(); out.push(f(x)) }": /calls `bar.tick`/,
  "for (var i = 0; i < 3; i++) out.push(f(i))": /lives on/,
  "for (let i = 0; i < 3; i++) { out.push(f(i)); i += last }": /counts with/,
  "for (const x of out) out.push(f(x))": /looks at `out`/,
  "outer: for (const x of xs) { for (const y of f(x)) { if (y) continue outer; out.push(y) } }": /label `outer`/,
  "for (const x of xs) { if (!seen[x]) seen[x] = f(x) }": /depends on what earlier turns have left/,
  "for (const x of xs) { if (!seen[x]) { last = f(x); seen[x] = last } }": /looks at `seen`|depends on/,
  "for (const x of xs) { seen[x] ??= f(x) }": /depends on what earlier turns have left/,
  "xs.forEach(async (x) => { out.push(await f(x)) })": /nobody waits/,
  "function size() { return out.length }\nfor (const x of xs) { out.push(f(x) + size()) }": /`size` looks at `out`/,
  "for (const x of xs) { var y = f(x); out.push(y) }": /`var`/,
  "for (const x of xs) { ({ last } = f(x)); out.push(x) }": /assigns `last`/,
};

for (const [loop, reason] of Object.entries(CARRYING)) {
  test(`a loop that has to run in one place: ${loop}`, () => {
    const { plan } = planned(`const out = [], seen = {}, bar = make(); let last = 0;\n${loop}`);
    assert.equal(plan.how, "call");
    assert.match(plan.note, reason);
  });
}

test("names mean what they were given last, and those of a block are the block's", () => {
  const session = { out: "a text", note: (x: number) => x };
  assert.equal(planned("if (a) {\n  const out = [];\n  for (const x of xs) out.push(f(x));\n}", session).plan.how, "map");
  assert.match(planned("const seen = [];\nnote = (x) => { seen.push(x); return f(x) };\nxs.map(note)", session).plan.note, /changes `seen`/);
});

test("a loop that only reads runs here", () => {
  assert.deepEqual(planned("const names = [];\nconst pages = xs.map(load);\nfor (const page of pages) names.push(page.name)").plan.steps.map(({ where }) => where), ["here", "map", "here"]);
});

test("which map takes up a job that was begun before", () => {
  const cell = "const out = [], a = xs.map(f).map(g);\nfor (const x of a) out.push(h(x));";
  const { plan } = planned(cell);
  const text = (step: number) => cut(cell, 0, cell.length, plan.edits(step)).map((piece) => piece.text).join("");
  assert.match(text(0), /"attach":true\}, null, null\)\)\), \(g\)/);
  assert.match(text(1), /a = \(await \$burla_session\.map\(\{[^}]*"attach":true\}, null, null\)\);/);
  assert.match(text(2), /loop\(\{[^}]*"attach":true\}, null, null\)\) \{ if \(\$burla_kind === 0\) \{ out\.push\(\$burla_values\[0\]\); \} \}/);
  assert.equal(plan.isStraight, true);
  assert.equal(planned("if (a) xs.map(f)").plan.isStraight, false);
});

/** What cannot come back as it is. */
const STAYING: Readonly<Record<string, RegExp>> = {
  "xs.map((x) => new Model(f(x)))": /class `Model`/,
  "xs.map((x) => ({ x, model: made(f(x)) }))": /class `Model`/,
  "xs.map((x) => { const model = new Model(f(x)); return model.fit(x) })": /class `Model`/,
  "await Promise.all(xs.map((x) => fetch(x)))": /responses/,
  "await Promise.all(xs.map(fetch))": /responses/,
  "xs.map((x) => { const y = f(x); return () => y })": /gives functions/,
  "xs.map((x) => ({ y: f(x), again() { return f(x) } }))": /gives functions/,
  "const out = [];\nfor (const x of xs) out.push(new Model(f(x)))": /class `Model`/,
  "new Map(xs.map((x) => [x, { run: () => f(x) }]))": /gives functions/,
};

for (const [cell, reason] of Object.entries(STAYING)) {
  test(`what it gives has to stay: ${cell}`, () => {
    const { plan } = planned(`class Model { constructor(readonly w) {} fit(x) { return this } }\nfunction made(w) { return new Model(w) }\n${cell}`);
    assert.equal(plan.how, "call");
    assert.match(plan.note, reason);
  });
}

for (const cell of [
  "await Promise.all(xs.map((x) => fetch(x).then((response) => response.json())))", "xs.map((x) => new Date(f(x)))", "xs.map((x) => new Model(f(x)).w)", "xs.map((x) => f(x, () => 1))",
  "xs.map((x) => { const model = new Model(f(x)); return model.score(x) })", "xs.filter((x) => new Model(f(x)))",
]) test(`what it gives is a copy anyway: ${cell}`, () => assert.equal(planned(`class Model { constructor(readonly w) {} score(x) { return x } }\n${cell}`).plan.how, "map"));
