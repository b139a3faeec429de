/** Cells as people write them in TypeScript: each runs here, then on a cluster, and leaves the same. What was mapped, and why not, is part of it. */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { CELL_VIEW_MIME, cellViewSchema, type ArmedRun, type CellView, type KernelEvent, type LiveKernel } from "@burla/kernel-bridge";
import { outcomeOf, run, valueOf } from "../contract/live-kernel.ts";
import { useCluster } from "../support/cluster.ts";
import { PYTHON_CORPUS, type CorpusCell } from "./corpus/python.ts";
import { TYPESCRIPT_CORPUS } from "./corpus/typescript.ts";
import { NotebookFolder } from "./notebook-folder.ts";
import { errorText, plain, runArmed, startSession } from "./session.ts";

const shop = createServer(({ url = "" }, response) => {
  const item = Number(url.slice(1));
  if (Number.isNaN(item)) response.statusCode = 404;
  response.end(`<title>Item ${item}</title><b>${item * 3} EUR</b>`);
});
const folder = new NotebookFolder();
let session: LiveKernel;
// Before the cluster ends, which waits for all who use it.
after(async () => {
  await (session as LiveKernel | undefined)?.dispose();
  folder.remove();
  shop.close();
});
const cluster = useCluster();
before(async () => {
  for (const name of ["p-map", "p-limit", "yocto-queue"]) symlinkSync(fileURLToPath(new URL(`../../node_modules/${name}`, import.meta.url)), join(folder.path, "node_modules", name));
  await new Promise<void>((resolve) => shop.listen(0, "127.0.0.1", resolve));
  session = await startSession(folder.path);
  assert.equal(errorText(await run(session, `const shop = "http://127.0.0.1:${(shop.address() as AddressInfo).port}"`)), "");
});

test("the cluster is that of this file", () => assert.ok(cluster.isAnnounced));

function lastView(events: readonly KernelEvent[]): CellView | undefined {
  const shown = events.findLast((event) => (event.type === "display" || event.type === "displayUpdate") && CELL_VIEW_MIME in event.data);
  return shown === undefined || !("data" in shown) ? undefined : v.parse(cellViewSchema, shown.data[CELL_VIEW_MIME]);
}

/** What a user has from it. */
async function outcome({ look }: CorpusCell, events: readonly KernelEvent[]): Promise<{ readonly outcome: string; readonly [part: string]: unknown }> {
  const error = events.find((event) => event.type === "error");
  const printed = events.flatMap((event) => (event.type === "stream" && event.name === "stdout" ? [event.text] : [])).join("");
  const names = await run(session, look);
  const value = valueOf(events);
  return {
    outcome: outcomeOf(events), printed, value: value === undefined ? undefined : plain(value),
    error: error === undefined ? undefined : [error.name, error.message],
    place: errorText(events).match(/cell \d+(:\d+:\d+)/)?.[1],
    names: outcomeOf(names) === "ok" ? plain(valueOf(names)) : errorText(names).replaceAll(/cell \d+/g, "cell"),
  };
}

for (const one of TYPESCRIPT_CORPUS) {
  test(`as here, so on the cluster: ${one.name}`, async () => {
    await prepare(one);
    const here = await outcome(one, await run(session, one.cell));
    await prepare(one);
    const events = await runArmed(session, one.cell);
    assert.deepEqual(await outcome(one, events), here);
    const view = lastView(events);
    assert.ok(view !== undefined, "the cell has shown no run");
    assert.deepEqual(mappedLines(view), one.mapped, view.note);
    assert.equal(view.phase, view.failed === 0 ? "done" : "failed");
    if (one.why !== undefined) assert.match(view.note, one.why);
  });
}

async function prepare({ setup }: CorpusCell): Promise<void> {
  assert.equal(errorText(await run(session, setup ?? "")), "");
}

/** A cell of one statement has no list of them. */
function mappedLines({ how, steps }: CellView): number[] {
  if (steps.length === 0) return how === "map" ? [1] : [];
  return steps.filter(({ where }) => where === "map").map(({ line }) => line);
}

test("the corpus has at least sixty cells, in both languages", () => {
  assert.ok(TYPESCRIPT_CORPUS.length >= 25 && PYTHON_CORPUS.length >= 25 && TYPESCRIPT_CORPUS.length + PYTHON_CORPUS.length >= 60);
  for (const corpus of [TYPESCRIPT_CORPUS, PYTHON_CORPUS]) assert.equal(new Set(corpus.map(({ name }) => name)).size, corpus.length);
});

const order = (cellId: string, rest: Partial<ArmedRun> = {}): Partial<ArmedRun> => ({ cellId, ...rest });

test("a cell with two maps whose second one fails runs only that one again, and keeps the first", async () => {
  await run(session, "let limit = 2; function f(x: number) { return x * 10 }\nfunction g(x: number) { if (x > limit) throw new RangeError(String(x)); return -x }");
  const cell = "const first = [0, 1, 2, 3, 4].map(f)\nconst second = [0, 1, 2, 3, 4].map(g)\nsecond.length";
  const failed = lastView(await runArmed(session, cell, order("two")));
  assert.deepEqual([failed?.step, failed?.failed, failed?.steps.map(({ line, done, failed: bad }) => [line, done, bad])], [1, 2, [[1, 5, 0], [2, 3, 2], [3, 0, 0]]]);
  await run(session, "limit = 9");
  const again = await runArmed(session, cell, order("two", { onlyInputs: [] }));
  assert.equal(errorText(again), "");
  assert.deepEqual([lastView(again)?.done, lastView(again)?.total, lastView(again)?.steps[0]?.done], [2, 2, 5]);
  assert.equal(plain(valueOf(await run(session, "[...first, ...second].join()"))), "'0,10,20,30,40,0,-1,-2,-3,-4'");
});

test("a loop that fails has collected what came before the failure, and runs the failed turns again", async () => {
  await run(session, "let bad = 2; function f(x: number) { if (x === bad) throw new RangeError(String(x)); return x }");
  const cell = "const rows: number[] = []\nfor (let x = 0; x < 4; x++)\n  rows.push(\n    f(x),\n  )";
  const failed = await runArmed(session, cell, order("loop"));
  assert.match(errorText(failed), /RangeError: 2/);
  assert.deepEqual([lastView(failed)?.failures.map(({ index, source }) => [index, source]), lastView(failed)?.name], [[[2, "let bad = 2; function f(x: number) { if (x === bad) throw new RangeError(String(x)); return x }"]], "for (let x = 0; x < 4; x++)"]);
  assert.equal(plain(valueOf(await run(session, "rows"))), "[ 0, 1 ]");
  await run(session, "bad = -1");
  assert.equal(errorText(await runArmed(session, cell, order("loop", { onlyInputs: [2] }))), "");
  assert.equal(plain(valueOf(await run(session, "rows"))), "[ 0, 1, 2, 3 ]");
});

test("a job that was left is taken up by the map that has begun it, and what stands before and after runs here", async () => {
  const setup = "let ran = 0; function f(x: number) { return x + 0.5 }";
  await run(session, setup);
  const cell = "ran++;\nconst first = [1, 2].map(f);\nconst rows: number[] = [];\nfor (const x of first) rows.push(f(x));\nrows.length";
  const left = lastView(await runArmed(session, cell));
  assert.deepEqual([left?.step, left?.steps.map(({ where }) => where)], [1, ["here", "map", "here", "map", "here"]]);
  await run(session, `${setup}; const rows = []`);
  const again = await runArmed(session, cell, { attachTo: left?.jobId ?? null, attachStep: 1 });
  assert.equal(errorText(again), "");
  assert.deepEqual([lastView(again)?.jobId, lastView(again)?.step], [left?.jobId, 1]);
  assert.equal(plain(valueOf(await run(session, "[ran, rows]"))), "[ 1, [ 2, 3 ] ]");
});

test("jobs of a cell are shown in one place, one after the other", async () => {
  await run(session, "function f(x: number) { return x + 1 }");
  const events = await runArmed(session, "let total = 0;\nfor (const n of [1, 2]) {\n  if (total > 100) break;\n  total += [n, n].map(f).reduce((a, b) => a + b);\n}\ntotal");
  const shown = events.filter((event) => event.type === "display" || event.type === "displayUpdate");
  assert.equal(new Set(shown.map(({ displayId }) => displayId)).size, 1);
  assert.deepEqual(shown.filter(({ type }) => type === "display").length, 1);
  assert.deepEqual(lastView(events)?.steps.map(({ line, where, jobs, done }) => [line, where, jobs, done]), [[1, "here", 0, 0], [2, "map", 2, 4], [6, "here", 0, 0]]);
  assert.equal(valueOf(events), "10");
});

test("what cannot be sent back is named, the rest is bound", async () => {
  const events = await runArmed(session, "let n = 1;\nconst make = (() => () => n)();\nwhile (n < 3) n++;\nconst m = n + 1");
  assert.equal(errorText(events), "");
  assert.match(events.map((event) => (event.type === "stream" && event.name === "stderr" ? event.text : "")).join(""), /`make` cannot be sent back/);
  assert.equal(plain(valueOf(await run(session, "[n, m]"))), "[ 3, 4 ]");
});

for (const [name, cell] of [
  ["p-map", "import pMap from 'p-map';\nconst spans = await pMap([0, 1, 2, 3], span, { concurrency: 1 });"],
  ["p-limit", "import pLimit from 'p-limit';\nconst limit = pLimit(1);\nconst spans = await Promise.all([0, 1, 2, 3].map((x) => limit(() => span(x))));"],
] as const) {
  test(`calls at once are as many as ${name} allows`, async () => {
    await run(session, "async function span(x: number) { const begun = Date.now(); await new Promise((resolve) => setTimeout(resolve, 20)); return [begun, Date.now()] as const }");
    const events = await runArmed(session, cell);
    assert.equal(errorText(events), "");
    assert.equal(lastView(events)?.how, "map");
    assert.equal(plain(valueOf(await run(session, "spans.toSorted((a, b) => a[0] - b[0]).every(([begun], at, all) => at === 0 || begun >= all[at - 1]![1])"))), "true");
  });
}
