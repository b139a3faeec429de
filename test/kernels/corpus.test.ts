/** Cells as people write them: each runs here, then on a cluster, and leaves the same. What was mapped, and why not, is part of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CellView, KernelEvent } from "@burla/kernel-bridge";
import { outcomeOf, valueOf } from "../contract/live-kernel.ts";
import { lastView, useArmedKernel } from "./armed-kernel.ts";
import { PYTHON_CORPUS, type CorpusCell } from "./corpus/python.ts";

const { here, armed } = useArmedKernel();

/** What a user has from it. */
async function outcome({ look }: CorpusCell, events: readonly KernelEvent[]): Promise<unknown> {
  const error = events.find((event) => event.type === "error");
  const printed = events.flatMap((event) => (event.type === "stream" && event.name === "stdout" ? [event.text] : [])).join("");
  const names = await here(look);
  return { outcome: outcomeOf(events), value: valueOf(events), error: error === undefined ? undefined : [error.name, error.message], printed, names: [outcomeOf(names), valueOf(names)] };
}

for (const one of PYTHON_CORPUS) {
  test(`as here, so on the cluster: ${one.name}`, async () => {
    await here(`%reset -f\n${one.setup ?? ""}`);
    const expected = await outcome(one, await here(one.cell));
    await here(`%reset -f\n${one.setup ?? ""}`);
    const events = await armed(one.cell);
    assert.deepEqual(await outcome(one, events), expected);
    const view = lastView(events);
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
  await here("%reset -f\ncalled = []\nlimit = 2\ndef f(x): return x * 10\ndef g(x):\n    if x > limit: raise ValueError(x)\n    return -x");
  const cell = "first = [f(x) for x in range(5)]\nsecond = [g(x) for x in range(5)]\nlen(second)";
  const failed = lastView(await armed(cell));
  assert.deepEqual([failed.step, failed.failed, failed.steps.map(({ line, done, failed: bad }) => [line, done, bad])], [1, 2, [[1, 5, 0], [2, 3, 2], [3, 0, 0]]]);
  await here("limit = 9");
  const again = await armed(cell, { onlyInputs: [] });
  assert.equal(outcomeOf(again), "ok");
  assert.deepEqual([lastView(again).done, lastView(again).total], [2, 2]);
  assert.equal(valueOf(await here("first, second")), "([0, 10, 20, 30, 40], [0, -1, -2, -3, -4])");
});

test("a loop that fails has collected what came before the failure, and runs the failed turns again", async () => {
  await here("%reset -f\nbad = 2\ndef f(x):\n    if x == bad: raise ValueError(x)\n    return x");
  const cell = "rows = []\nfor x in range(4):\n    rows.append(f(x))";
  assert.equal(outcomeOf(await armed(cell)), "error");
  assert.equal(valueOf(await here("rows")), "[0, 1]");
  await here("bad = -1");
  assert.equal(outcomeOf(await armed(cell, { onlyInputs: [2] })), "ok");
  assert.equal(valueOf(await here("rows, x")), "([0, 1, 2, 3], 3)");
});

test("threads that share a list run here", async () => {
  await here("%reset -f\nfrom concurrent.futures import ThreadPoolExecutor\nshared = []\ndef note(x):\n    shared.append(x)\n    return x");
  assert.equal(outcomeOf(await armed("with ThreadPoolExecutor(2) as ex:\n    r = list(ex.map(note, [1, 2]))")), "ok");
  assert.equal(valueOf(await here("r, sorted(shared)")), "([1, 2], [1, 2])");
});
