/** What calls on the cluster display: it is shown in the cell, as if the calls had run here, in order of the inputs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CELL_VIEW_MIME, type KernelEvent } from "@burla/kernel-bridge";
import { outcomeOf, streamOf, valueOf } from "../contract/live-kernel.ts";
import { errorText, lastView, useArmedKernel } from "./armed-kernel.ts";

const { here, armed } = useArmedKernel();

const SETUP = `
%reset -f
import time
import pandas as pd
from IPython.display import HTML
def tell(x):
    time.sleep(0.3 if x == 0 else 0)
    display(HTML(f"<b>{x}</b>"), x * 10)
    return x * 2
def imports(x):
    from IPython.display import display as show, display
    display(pd.DataFrame({"x": [x]}))
    return x
async def waits(x):
    display(x)
    return x
class Teller:
    def tell(self, x):
        tell(x)
        return x
teller = Teller()
def draws(x):
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots()
    axes.plot([0, x])
    display(figure)
    plt.close(figure)
`;

/** Outputs that are no card. */
function displayed(events: readonly KernelEvent[]): unknown[] {
  return events.flatMap((event) => (event.type === "display" && !(CELL_VIEW_MIME in event.data) ? [event.data] : []));
}

for (const [name, cell, how] of [
  ["a function of an element", "r = [tell(x) for x in range(3)]", "map"],
  ["the function of a map", "r = list(map(tell, range(3)))", "map"],
  ["IPython imported in the function", "r = [imports(x) for x in range(2)]", "map"],
  ["an async function", "r = [await waits(x) for x in range(2)]", "map"],
  ["a method", "r = [teller.tell(x) for x in range(2)]", "map"],
  ["a loop that collects", "r = []\nfor x in range(3):\n    r.append(tell(x))", "map"],
  ["apply of pandas", "r = pd.Series([1, 2]).apply(tell).tolist()", "map"],
  ["a figure that is closed", "r = [draws(x) for x in range(2)]", "map"],
  ["an element that displays", "r = [display(tell(x)) for x in range(2)]", "call"],
  ["a cell that is one call", "r = 0\nfor x in range(2):\n    display(r)\n    r = r * 2 + tell(x)", "call"],
] as const) {
  test(`displayed as if it had run here: ${name}`, async () => {
    await here(SETUP);
    const expected = displayed(await here(cell));
    const value = valueOf(await here("r"));
    assert.ok(expected.length > 1);
    await here(SETUP);
    const events = await armed(cell);
    assert.equal(outcomeOf(events), "ok", errorText(events));
    assert.deepEqual(displayed(events), expected);
    assert.equal(valueOf(await here("r")), value);
    assert.equal(lastView(events).how, how);
    assert.equal(streamOf(events), "");
  });
}

test("where the session has imported `display` by its name", async () => {
  await here(`${SETUP}\nfrom IPython.display import display\ndef named(x):\n    display(x, {'x': x})\n    print("plain", x)
    return x`);
  const cell = "r = [named(x) for x in range(2)]";
  const expected = displayed(await here(cell));
  assert.equal(expected.length, 4);
  assert.deepEqual(displayed(await armed(cell)), expected);
});

test("what a call displays before it fails is shown, too", async () => {
  await here(`${SETUP}\ndef fails(x):\n    display(x)\n    return 1 // x`);
  const events = await armed("r = [fails(x) for x in range(2)]");
  assert.deepEqual(displayed(events), [{ "text/plain": "0" }, { "text/plain": "1" }]);
  assert.match(errorText(events), /ZeroDivisionError/);
  assert.doesNotMatch(errorText(events), /<burla/);
});

test("what cannot travel is printed, and the others are shown", async () => {
  await here(`${SETUP}\nimport threading\ndef shows(x):\n    display(threading.Lock())\n    display(x)\n    print("plain", x)
    return x`);
  const events = await armed("r = [shows(x) for x in range(2)]");
  assert.deepEqual(displayed(events), [{ "text/plain": "0" }, { "text/plain": "1" }]);
  assert.match(lastView(events).log.lines.map(([, , text]) => text).join("\n"), /unlocked _thread\.lock/);
});

test("a bar of progress in a mapped function is one line of the card", async () => {
  await here(`%reset -f
import sys, time
def bar(x):
    for at in range(300):
        print(f"\\r{at / 3:.0f}%|{'#' * (at // 30)}", end="", file=sys.stderr, flush=True)
    time.sleep(0.2)
    print("\\r100%", file=sys.stderr)
    return x`);
  const events = await armed("r = [bar(x) for x in range(2)]");
  assert.equal(outcomeOf(events), "ok", errorText(events));
  assert.equal(lastView(events).how, "map");
  const { lines, total } = lastView(events).log;
  assert.deepEqual([lines.toSorted(([a], [b]) => a - b), total], [[[0, 2, "100%"], [1, 2, "100%"]], 2]);
});
