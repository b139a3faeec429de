/** Each cell runs here and then on a cluster: its value, what it binds and how it fails must be the same. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CELL_VIEW_MIME, type CellView, type KernelEvent, type LiveKernel } from "@burla/kernel-bridge";
import { outcomeOf, run, valueOf } from "../contract/live-kernel.ts";
import { useCluster } from "../support/cluster.ts";
import { NotebookFolder } from "./notebook-folder.ts";
import { errorText, plain, runArmed, startSession } from "./session.ts";

interface Case {
  readonly cell: string;
  /** What the cluster gets: so many inputs, or the cell as one call; null where the language alone says what is wrong. */
  readonly inputs: number | "call" | null;
  /** What is read afterwards. */
  readonly read?: string;
  /** Runs before the cell, both times. */
  readonly setup?: string;
}

/** Cells that all cases share. */
const EARLIER = [
  `import kindOf, { score, table, Kind, Counter, type Options } from "./score.ts";
import * as scores from "./score";
import { shout } from "./shout.mjs";
import data from "./data.json";
import Box, { half } from "esm-package";
import plusOne, { twice } from "cjs-package";
import { basename } from "node:path";
import crypto from "node:crypto";`,
  `const xs = [1, 2, 3]; const offset = 100;
const add = (x: number): number => x + offset;
async function slowly(x: number): Promise<number> { await null; return add(x) }
class Scale { static unit = 7; readonly #by: number; constructor(by: number) { this.#by = by } apply(x: number) { return x * this.#by + Scale.unit } }
const scale = new Scale(3);
const holder = { deep: { list: [4, 5, 6] }, fns: { add }, out: null as unknown };
function* counting(n: number) { for (let i = 0; i < n; i++) yield i }
function fails(x: number): number {
  if (x === 2) throw new RangeError("no " + x);
  return x;
}`,
];

const CASES: Readonly<Record<string, Case>> = {
  "a map": { cell: "xs.map(add)", inputs: 3 },
  "an arrow": { cell: "xs.map((x) => add(x) * 2)", inputs: 3 },
  "a function expression": { cell: "xs.map(function (x) { return x + offset })", inputs: 3 },
  "a method": { cell: "xs.map(holder.fns.add)", inputs: 3 },
  "an instance of a class": { cell: "xs.map((x) => scale.apply(x))", inputs: 3 },
  "a bound function": { cell: "xs.map(add.bind(null))", inputs: 3 },
  "a native function": { cell: "['1', '2'].map(Number)", inputs: 2 },
  "a native function that looks at the index": { cell: "['1', '2', '3'].map(parseInt)", inputs: "call" },
  "the index": { cell: "xs.map((x, i) => x * 10 + i)", inputs: 3 },
  "the whole array": { cell: "xs.map((x, i, all) => x + all.length)", inputs: "call" },
  "a rest parameter": { cell: "xs.map((...all) => all.length)", inputs: "call" },
  "arguments": { cell: "xs.map(function () { return arguments.length })", inputs: "call" },
  "Promise.all": { cell: "await Promise.all(xs.map(slowly))", inputs: 3 },
  "Promise.all in parentheses": { cell: "(await Promise.all(xs.map(slowly)))", inputs: 3 },
  "an await with parentheses": { cell: "await (Promise.all((xs.map(slowly))))", inputs: 3 },
  "Promise.allSettled": { cell: "(await Promise.allSettled(xs.map(async (x) => fails(x)))).map((one) => one.status)", inputs: 3 },
  "Promise.allSettled alone": { cell: "const settled = await Promise.allSettled(xs.map(async (x) => fails(x)))", read: "settled.map(({ status, value, reason }: any) => [status, value, reason?.name, reason?.message])", inputs: 3 },
  "promises that nobody awaits": { cell: "const promises = xs.map(slowly)", read: "[promises.every((one) => one instanceof Promise), await Promise.all(promises)]", inputs: 3 },
  "Promise.all that nobody awaits": { cell: "const later = Promise.all(xs.map(slowly))", read: "[later instanceof Promise, await later]", inputs: 3 },
  "Array.from with a function": { cell: "Array.from(xs, add)", inputs: 3 },
  "Array.from with an index": { cell: "Array.from({ length: 4 }, (_, i) => i * i)", inputs: 4 },
  "Array.from over a generator": { cell: "Array.from(counting(5), add)", inputs: 5 },
  "Array.from over a Set": { cell: "Array.from(new Set([1, 1, 2]), add)", inputs: 2 },
  "Array.from over a text": { cell: "Array.from('aé😀', (c) => c.length)", inputs: 3 },
  "a spread generator": { cell: "[...counting(4)].map(add)", inputs: 4 },
  "a filter before": { cell: "xs.filter((x) => x > 1).map(add)", inputs: 2 },
  "a filter after": { cell: "xs.map(add).filter((x) => x > 101)", inputs: 3 },
  "nested properties": { cell: "holder.deep.list.map(add)", inputs: 3 },
  "bound to a const": { cell: "const bound = xs.map(add)", read: "bound", inputs: 3 },
  "bound to a let with a type": { cell: "let typed: number[] = xs.map(add)", read: "typed", inputs: 3 },
  "bound to a var": { cell: "var old = xs.map(add)", read: "old", inputs: 3 },
  "destructured": { cell: "const [first, ...others] = xs.map(add)", read: "[first, others]", inputs: 3 },
  "assigned to a name that is there": { setup: "let taken: unknown = 0", cell: "taken = xs.map(add)", read: "taken", inputs: 3 },
  "assigned to a property": { cell: "holder.out = await Promise.all(xs.map(slowly))", read: "holder.out", inputs: 3 },
  "destructured into names that are there": { setup: "let a1 = 0, a2 = 0", cell: "[a1, a2] = xs.map(add)", read: "[a1, a2]", inputs: 3 },
  "exported": { cell: "export const exported = xs.map(add)", read: "exported", inputs: 3 },
  "a default export": { cell: "export default xs.map(add)", inputs: 3 },
  "a cast": { cell: "const cast = xs.map(add) as readonly number[]", read: "cast", inputs: 3 },
  "a non-null assertion": { cell: "xs!.map(add)!", inputs: 3 },
  "satisfies": { cell: "xs.map(add) satisfies number[]", inputs: 3 },
  "type arguments": { cell: "xs.map<number>(add)", inputs: 3 },
  "an optional chain": { cell: "(xs as number[] | undefined)?.map(add)", inputs: 3 },
  "an optional chain over nothing": { setup: "let nothing: number[] | undefined = undefined", cell: "nothing?.map(add)", inputs: null },
  "a map over nothing": { setup: "let nothing: any = undefined", cell: "nothing.map(add)", inputs: null },
  "a map of no function": { setup: "let noFunction: any = 5", cell: "xs.map(noFunction)", inputs: null },
  "statements before": { cell: "const before = xs.map(x => x + 1);\nconst k = 5;\nbefore.map((x) => x * k)", inputs: 3 },
  "a typed array": { cell: "Float64Array.from([1.5, 2.5]).map((v, i) => v * 2 + i)", inputs: 2 },
  "a typed array that rounds": { cell: "new Uint8Array([1, 2, 255]).map((v) => v + 0.9)", inputs: 3 },
  "BigInts": { cell: "[1n, 2n].map((v) => v ** 70n)", inputs: 2 },
  "values of all kinds": { cell: "[new Date(0), new Map([[1, new Set([2])]]), undefined, null, NaN, -0, /x/g].map((v) => v)", inputs: 7 },
  "an array with gaps": { cell: "[1, , 3].map((x, i) => [x, i])", inputs: 2 },
  "an empty array": { cell: "[].map(add)", inputs: 0 },
  "an own map": { setup: "const mapper = { map: (f: (x: number) => number) => [f(7)] }", cell: "mapper.map((x) => x + 1)", inputs: "call" },
  "a subclass of Array": { setup: "class Rows extends Array<number> { get sum() { let sum = 0; for (const x of this) sum += x; return sum } }; var rows = Rows.from([1, 2])", cell: "rows.map((x) => x + 1).length", inputs: "call" },
  "a map with two arguments": { cell: "xs.map(function (this: any, x) { return x + this.y }, { y: 1 })", inputs: "call" },
  "an export of a file of the user's": { cell: "xs.map((x) => score(x))", inputs: 3 },
  "an export by itself": { cell: "xs.map(twice)", inputs: 3 },
  "all that was imported": { cell: "xs.map((x) => [score(x, { factor: 3 }), kindOf(x), Kind.High, table.low, shout('a'), data.weights[0], half(x), new Box(x).get(), plusOne(x), twice(x), basename('/a/b'), scores.score(1), crypto.createHash('sha1').update('x').digest('hex')])", inputs: 3 },
  "an imported class": { cell: "xs.map((x) => new Counter().add(x))", inputs: 3 },
  "require": { cell: "xs.map((x) => require('cjs-package').twice(x))", inputs: 3 },
  "a dynamic import": { cell: "await Promise.all(xs.map(async (x) => (await import('esm-package')).half(x)))", inputs: 3 },
  "the folder": { cell: "xs.map(() => [__dirname, import.meta.dirname, process.cwd()])", inputs: 3 },
  "a function of the cell itself": { cell: "function own(x: number): number { return x <= 1 ? 1 : x * own(x - 1) }\nxs.map(own)", inputs: 3 },
  "functions that call one another": { cell: "function even(n: number): boolean { return n === 0 || odd(n - 1) }\nfunction odd(n: number): boolean { return n !== 0 && even(n - 1) }\nxs.map(even)", inputs: 3 },
  "an enum of the cell": { cell: "enum Size { S = 1, L = 2 }\nxs.map((x) => x * Size.L)", inputs: 3 },
  "a redefined function": { setup: "function shifting(x: number) { return x + 1 }\nconst uses = (x: number) => shifting(x);", cell: "function shifting(x: number) { return x + 2 }\nxs.map((x) => uses(x))", inputs: 3 },
  "a name that means something else": { setup: "const performance = { now: () => 'mine' };", cell: "xs.map(() => performance.now())", inputs: 3 },
  "a failure": { cell: "xs.map(fails)", inputs: 3 },
  "a failure in the cell": { cell: "const never = xs.map((x) => {\n  const y = x * 2;\n  return fails(y);\n})", read: "typeof never", inputs: 3 },
  "objects of a class": { setup: "const scales = [new Scale(2), new Scale(5)]", cell: "scales.map((one, i) => one.apply(i))", inputs: 2 },
  "objects of a class within others": { setup: "const scales = [new Scale(2), new Scale(5)]", cell: "const applied = scales.map((by) => ({ by, offset })).map(({ by }) => by.apply(1))", read: "applied", inputs: 2 },
  "functions": { cell: "[add, half].map((fn) => fn(4))", inputs: 2 },
  "a loop over objects of a class": { setup: "const scales = new Map([['a', new Scale(2)], ['b', new Scale(5)]]), scaled: unknown[] = []", cell: "for (const [key, by] of scales) scaled.push([key, by.apply(1)])", read: "scaled", inputs: 2 },
  "a loop over promises": { setup: "const awaitedOnes: number[] = []", cell: "const ones = xs.map(slowly);\nfor (const one of ones) {\n  const x = await one;\n  awaitedOnes.push(add(x));\n}", read: "awaitedOnes", inputs: 3 },
  "promises of a function that is not async": { setup: "function starts(x: number) { return slowly(x) }", cell: "const started = xs.map(starts)", read: "[started.every((one) => one instanceof Promise), await Promise.all(started)]", inputs: 3 },
  "a promise that fails, and a call that does": { setup: "async function failsLater(x: number) { await null; return fails(x) }", cell: "const outcomes = await Promise.allSettled(xs.map((x) => failsLater(x)))", read: "outcomes.map((one) => one.status)", inputs: 3 },
  "Promise.allSettled of a function that fails at once": { cell: "const never2 = await Promise.allSettled(xs.map((x) => fails(x)))", read: "typeof never2", inputs: 3 },
  "a failure that somebody waits for later": { cell: "const pending = xs.map(async (x) => fails(x));\nconst states = await Promise.allSettled(pending);", read: "states.map((one) => one.status)", inputs: 3 },
  "a failure that is caught where it is awaited": { cell: "await Promise.all(xs.map(async (x) => fails(x))).catch((error) => error.message)", inputs: 3 },
  "a filter by an async test": { cell: "xs.filter(async (x) => x > 100)", inputs: "call" },
  "flatMap": { cell: "xs.flatMap((x) => [add(x), [x]])", inputs: 3 },
  "flatMap over gaps": { cell: "[1, , 3].flatMap((x, i) => [i, add(x)])", inputs: 2 },
  "filter keeps what it was given": { setup: "const kept = [{ n: 1 }, { n: 2 }]", cell: "const left = kept.filter((one) => add(one.n) > 101)", read: "left[0] === kept[1]", inputs: 2 },
  "an index behind a gap": { cell: "const spaced = [1, , 3];\nspaced.forEach((x, i) => { spaced2.push([x, i, add(x)]) })", setup: "const spaced2: unknown[] = []", read: "spaced2", inputs: 2 },
  "something else thrown": { cell: "xs.map((x) => { throw { code: x } })", inputs: 3 },
  "a failure of a file of the user's": { cell: "[-1].map((x) => score(x))", inputs: 1 },
  "one call: an expression": { cell: "xs.reduce((a, b) => a + b, offset)", inputs: "call" },
  "one call: what it declares": { cell: "const total = add(1);\nlet label: string = `is ${total}`;\nconst { a = 3, b: [c] } = { b: [4] } as any;\nlabel.length", read: "[total, label, a, c]", inputs: "call" },
  "one call: what it assigns": { setup: "let sum = 1, other = 'x'", cell: "sum = add(sum);\nother += '!'", read: "[sum, other]", inputs: "call" },
  "one call: functions and classes": { cell: "const base = 5;\nfunction withBase(x: number) { return x + base }\nclass Pair { constructor(readonly x: number) {} sum() { return withBase(this.x) } }\nconst arrow = (x: number) => withBase(x) * 2;\nconst made = withBase(1);", read: "[base, withBase(2), new Pair(3).sum(), arrow(4), made]", inputs: "call" },
  "one call: imports": { cell: "import { half as halve } from 'esm-package';\nconst halved = halve(9);", read: "[halved, halve(3)]", inputs: "call" },
  "one call: await": { cell: "const awaited = await slowly(1);\nawaited + 1", read: "awaited", inputs: "call" },
  "one call: for await": { cell: "let seen = 0;\nfor await (const x of counting(4)) { seen += x; if (seen > 5) break }", read: "seen", inputs: "call" },
  "one call: a failure": { cell: "const x1 = 1;\nfails(\n  x1 + 1,\n);", inputs: "call" },
  "a map in a block": { cell: "let inBlock: number[] = []\nif (xs.length > 2) {\n  inBlock = [9]\n  xs.map(add).forEach((x) => inBlock.push(x))\n}", read: "inBlock", inputs: 3 },
  "one call: a loop that counts": { setup: "let counted = 0", cell: "while (counted < 6) counted += 2;\nfor (var j = 0; j < 2; j++) counted++", read: "counted", inputs: "call" },
  "one call: arrays, maps, sets and objects that it changes": { setup: "const rows: unknown[] = [1], also = rows, byKey = new Map(), seen = new Set(), box: any = { list: [], gone: 1 }, inner = box.list", cell: "for (const x of xs) { if (rows.length > 50) break; rows.push(add(x)); byKey.set(x, rows.length); seen.add(x); box.list.push(x) }\ndelete box.gone", read: "[rows, also === rows, byKey, seen, box, inner === box.list]", inputs: "call" },
  "a loop that puts values in arrays, maps, sets and objects": { setup: "const rows: unknown[] = [1], also = rows, byKey = new Map(), seen = new Set(), box: any = { list: [], gone: 1 }, inner = box.list", cell: "for (const x of xs) { rows.push(add(x)); byKey.set(x, rows.length); seen.add(x); box.list.push(x) }\ndelete box.gone", read: "[rows, also === rows, byKey, seen, box, inner === box.list]", inputs: 3 },
  "one call: an array in another order": { setup: "class Tally { constructor(readonly x: number) {} twice() { return this.x * 2 } } const tallies = [new Tally(1), new Tally(2)], [firstOne] = tallies", cell: "const turned = tallies.reverse().length", read: "[turned, tallies[1] === firstOne, tallies[0]!.twice()]", inputs: "call" },
  "one call: what a value is taken from": { setup: "const stack = [3, 1, 2]", cell: "const popped = stack.sort().pop()", read: "[stack, popped]", inputs: "call" },
  "one call: an object that a method changes": { setup: "class Model { w = 0; fit(x: number) { this.w += x; return this } }; const model = new Model()", cell: "const fitted = model.fit(3)", read: "[model.w, fitted === model, model instanceof Model]", inputs: "call" },
  "one call: variables that functions change": { setup: "let n = 0, made: unknown; function inc() { n++; made = n * 10; return n }", cell: "n = 5;\nconst r = inc() + inc() + n", read: "[r, n, made]", inputs: "call" },
  "a map that changes a session's array": { setup: "const outs: number[] = []", cell: "xs.map((x) => outs.push(add(x)))", read: "outs", inputs: "call" },
  "a map that changes a variable of the cell": { cell: "let sumUp = 0; const parts: number[] = [];\nconst sums = xs.map((x) => { parts.push(x); sumUp += x; return sumUp })", read: "[sums, sumUp, parts]", inputs: "call" },
  "a map that changes what is its own": { cell: "xs.map((x) => { const parts: any = []; parts.push(x); parts.x = x; let y = 0; y += x; return [parts.length, y] })", inputs: 3 },
  "one call: nothing": { cell: "", inputs: "call" },
};

const folder = new NotebookFolder();
let session: LiveKernel;
// Before the cluster, which counts every program of this file that is left.
after(async () => {
  await (session as LiveKernel | undefined)?.dispose();
  folder.remove();
});
const cluster = useCluster();
before(async () => {
  session = await startSession(folder.path);
  for (const cell of EARLIER) assert.equal(outcomeOf(await run(session, cell)), "ok");
});

test("the cluster is that of this file", () => assert.ok(cluster.isAnnounced));

for (const [name, { cell, inputs, read, setup }] of Object.entries(CASES)) {
  test(`${name}: the same here and on the cluster`, async () => {
    const here = await outcome(() => run(session, cell), setup, read);
    const there = await outcome(() => runArmed(session, cell), setup, read);
    assert.deepEqual(there.seen, here.seen);
    const view = there.view;
    assert.equal(view === undefined ? null : view.how === "call" ? "call" : view.done + view.failed, inputs);
  });
}

/** What a user sees of a cell, without the numbers that differ from run to run. */
async function outcome(execute: () => Promise<KernelEvent[]>, setup: string | undefined, read: string | undefined): Promise<{ seen: unknown; view: CellView | undefined }> {
  if (setup !== undefined) assert.equal(outcomeOf(await run(session, setup)), "ok");
  const events = await execute();
  const error = events.find((event) => event.type === "error");
  const value = valueOf(events);
  const after = read === undefined ? undefined : await run(session, read);
  const places = errorText(events).match(/cell \d+:\d+|score\.ts:\d+/g)?.map((place) => place.replace(/cell \d+/, "cell"));
  const views = events.flatMap((event) => (event.type === "display" || event.type === "displayUpdate" ? [event.data[CELL_VIEW_MIME] as CellView] : []));
  return {
    seen: {
      outcome: outcomeOf(events),
      value: value === undefined ? undefined : plain(value),
      error: error === undefined ? undefined : { name: error.name, message: error.message },
      places: places?.slice(0, 1),
      read: after === undefined ? undefined : outcomeOf(after) === "ok" ? plain(valueOf(after)) : errorText(after),
    },
    view: views.at(-1),
  };
}
