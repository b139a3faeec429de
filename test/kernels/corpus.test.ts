/** Cells as people write them: each runs here, then on a cluster, and leaves the same. What was mapped, and why not, is part of it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as v from "valibot";
import { CELL_VIEW_MIME, cellViewSchema, type CellView, type KernelEvent, type LiveKernel } from "@burla/kernel-bridge";
import { interpreter, KernelHost, startKernel } from "@burla/kernel-bridge/jupyter";
import { outcomeOf, run, valueOf } from "../contract/live-kernel.ts";
import { useCluster } from "../support/cluster.ts";
import { PYTHON } from "../../scripts/jupyter/install.ts";
import { PYTHON_CORPUS, type CorpusCell } from "./corpus/python.ts";

const host = new KernelHost();
let kernel: LiveKernel;
// Before the cluster ends, which waits for all who use it.
after(async () => {
  await kernel.dispose();
  await host.dispose();
});
const cluster = useCluster();
before(async () => (kernel = await startKernel(host.endpoint, interpreter(PYTHON))));

test("the cluster is that of this file", () => assert.ok(cluster.isAnnounced));

function lastView(events: readonly KernelEvent[]): CellView | undefined {
  const shown = events.findLast((event) => (event.type === "display" || event.type === "displayUpdate") && CELL_VIEW_MIME in event.data);
  return shown === undefined || !("data" in shown) ? undefined : v.parse(cellViewSchema, shown.data[CELL_VIEW_MIME]);
}

/** What a user has from it. */
async function outcome({ look }: CorpusCell, events: readonly KernelEvent[]): Promise<unknown> {
  const error = events.find((event) => event.type === "error");
  const printed = events.flatMap((event) => (event.type === "stream" && event.name === "stdout" ? [event.text] : [])).join("");
  const names = await run(kernel, look);
  return { outcome: outcomeOf(events), value: valueOf(events), error: error === undefined ? undefined : [error.name, error.message], printed, names: [outcomeOf(names), valueOf(names)] };
}

for (const one of PYTHON_CORPUS) {
  test(`as here, so on the cluster: ${one.name}`, async () => {
    await run(kernel, `%reset -f\n${one.setup ?? ""}`);
    const here = await outcome(one, await run(kernel, one.cell));
    await run(kernel, `%reset -f\n${one.setup ?? ""}`);
    await kernel.arm({ cellId: "the cell", cluster: null, clusterName: "local", onlyInputs: null, attachTo: null });
    const events = await run(kernel, one.cell, { cellId: "the cell" });
    assert.deepEqual(await outcome(one, events), here);
    const view = lastView(events);
    assert.ok(view !== undefined, "the cell has shown no run");
    assert.deepEqual(mappedLines(view), one.mapped, view.note);
    assert.equal(view.phase, "done");
    if (one.why !== undefined) assert.match(view.note, one.why);
  });
}

/** A cell of one statement has no list of them. */
function mappedLines({ how, steps }: CellView): number[] {
  if (steps.length === 0) return how === "map" ? [1] : [];
  return steps.filter(({ where }) => where === "map").map(({ line }) => line);
}

test("a cell with two maps whose second one fails runs only that one again, and keeps the first", async () => {
  await run(kernel, "%reset -f\ncalled = []\nlimit = 2\ndef f(x): return x * 10\ndef g(x):\n    if x > limit: raise ValueError(x)\n    return -x");
  const cell = "first = [f(x) for x in range(5)]\nsecond = [g(x) for x in range(5)]\nlen(second)";
  const arm = { cellId: "two", cluster: null, clusterName: "local", onlyInputs: null, attachTo: null };
  await kernel.arm(arm);
  const failed = lastView(await run(kernel, cell, { cellId: "two" }));
  assert.deepEqual([failed?.step, failed?.failed, failed?.steps.map(({ line, done, failed: bad }) => [line, done, bad])], [1, 2, [[1, 5, 0], [2, 3, 2], [3, 0, 0]]]);
  await run(kernel, "limit = 9");
  await kernel.arm({ ...arm, onlyInputs: [] });
  const again = await run(kernel, cell, { cellId: "two" });
  assert.equal(outcomeOf(again), "ok");
  assert.deepEqual([lastView(again)?.done, lastView(again)?.total], [2, 2]);
  assert.equal(valueOf(await run(kernel, "first, second")), "([0, 10, 20, 30, 40], [0, -1, -2, -3, -4])");
});

test("a loop that fails has collected what came before the failure, and runs the failed turns again", async () => {
  await run(kernel, "%reset -f\nbad = 2\ndef f(x):\n    if x == bad: raise ValueError(x)\n    return x");
  const cell = "rows = []\nfor x in range(4):\n    rows.append(f(x))";
  const arm = { cellId: "loop", cluster: null, clusterName: "local", onlyInputs: null, attachTo: null };
  await kernel.arm(arm);
  assert.equal(outcomeOf(await run(kernel, cell, { cellId: "loop" })), "error");
  assert.equal(valueOf(await run(kernel, "rows")), "[0, 1]");
  await run(kernel, "bad = -1");
  await kernel.arm({ ...arm, onlyInputs: [2] });
  assert.equal(outcomeOf(await run(kernel, cell, { cellId: "loop" })), "ok");
  assert.equal(valueOf(await run(kernel, "rows, x")), "([0, 1, 2, 3], 3)");
});

test("threads that share a list run here", async () => {
  await run(kernel, "%reset -f\nfrom concurrent.futures import ThreadPoolExecutor\nshared = []\ndef note(x):\n    shared.append(x)\n    return x");
  await kernel.arm({ cellId: "s", cluster: null, clusterName: "local", onlyInputs: null, attachTo: null });
  assert.equal(outcomeOf(await run(kernel, "with ThreadPoolExecutor(2) as ex:\n    r = list(ex.map(note, [1, 2]))", { cellId: "s" })), "ok");
  assert.equal(valueOf(await run(kernel, "r, sorted(shared)")), "([1, 2], [1, 2])");
});
