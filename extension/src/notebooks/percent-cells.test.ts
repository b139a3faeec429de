import assert from "node:assert/strict";
import { test } from "node:test";
import { percentCells } from "./percent-cells.ts";

test("cells stand between their markers; prose and empty ones are none", () => {
  const text = "import os\n# %% load\nxs = [1]\n\n#%%\ny = 2\nz = 3\n# %% [markdown]\n# # Title\n# %%\n\n#  %%last\nlen(xs)\n# %%% not a marker of ours\n";
  assert.deepEqual(percentCells(text), [
    { line: 1, text: "xs = [1]" },
    { line: 4, text: "y = 2\nz = 3" },
    { line: 11, text: "len(xs)\n# %%% not a marker of ours" },
  ]);
  assert.deepEqual(percentCells("x = 1\n"), []);
  assert.deepEqual(percentCells("# %%\r\nx = 1\r\n"), [{ line: 0, text: "x = 1" }]);
});
