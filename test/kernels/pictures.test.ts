/** Figures, images and frames that come from workers: shown as if they had been made here. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KernelEvent } from "@burla/kernel-bridge";
import { outcomeOf, valueOf } from "../contract/live-kernel.ts";
import { errorText, useArmedKernel } from "./armed-kernel.ts";

const { here, armed } = useArmedKernel();

const SETUP = `
import time
def bare(k):
    from matplotlib.figure import Figure
    figure = Figure()
    figure.subplots().plot([0, k])
    return figure
def plotted(k):
    import matplotlib.pyplot as plt
    time.sleep(0.3 if k == 1 else 0)
    figure, axes = plt.subplots()
    axes.plot([0, k])
    return figure
def closed(k):
    import matplotlib.pyplot as plt
    figure = plotted(k)
    plt.close(figure)
    return figure
def image(k):
    from PIL import Image
    return Image.new("RGB", (8, 8), (k, 0, 0))
def frame(k):
    import pandas as pd
    return pd.DataFrame({"k": [k]})
class Badge:
    def __init__(self, k): self.k = k
    def _repr_html_(self): return f"<b>{self.k}</b>"
`;

/** What the last expression is shown as. */
function shownValue(events: readonly KernelEvent[]): unknown {
  return events.find((event) => event.type === "value")?.data;
}

/** What the cell displays beside it. */
function pictures(events: readonly KernelEvent[]): unknown[] {
  return events.flatMap((event) => (event.type === "display" && "image/png" in event.data ? [event.data["image/png"]] : []));
}

// The first one is tried in a kernel that has not imported pyplot.
for (const [maker, type] of [["bare", "image/png"], ["closed", "image/png"], ["plotted", "image/png"], ["image", "image/png"], ["frame", "text/html"], ["Badge", "text/html"]] as const) {
  test(`shown as if made here, in the same cell and later: ${maker}`, async () => {
    await here(SETUP);
    if (maker === "bare") assert.equal(valueOf(await here("import sys\n'matplotlib.pyplot' in sys.modules")), "False");
    const within = await armed(`made = [${maker}(k) for k in (1, 2, 3)]\nmade[2]`);
    assert.equal(outcomeOf(within), "ok", errorText(within));
    const later = shownValue(await here("made[2]"));
    await here(`import matplotlib.pyplot\nmade = [${maker}(k) for k in (1, 2, 3)]`);
    const expected = shownValue(await here("made[2]"));
    assert.ok(typeof expected === "object" && expected !== null && type in expected);
    const parts = (shown: unknown) => (shown as Record<string, unknown> | undefined)?.[type];
    assert.equal(parts(later), parts(expected));
    assert.equal(parts(shownValue(within)), parts(expected));
  });
}

test("figures of pyplot are shown at the end of their cell, in order of the inputs", async () => {
  await here(SETUP);
  const expected = pictures(await here("made = [plotted(k) for k in (1, 2, 3)]"));
  assert.equal(new Set(expected).size, 3);
  assert.deepEqual(pictures(await armed("made = [plotted(k) for k in (1, 2, 3)]")), expected);
});

test("a figure of a cell that is one call, and of an executor", async () => {
  await here(SETUP);
  assert.match(JSON.stringify(shownValue(await armed("a = 3\nplotted(a)"))), /image\/png/);
  assert.match(JSON.stringify(shownValue(await armed("from concurrent.futures import ProcessPoolExecutor\nwith ProcessPoolExecutor() as pool:\n    made = list(pool.map(bare, [1, 2]))\nmade[1]"))), /image\/png/);
});
