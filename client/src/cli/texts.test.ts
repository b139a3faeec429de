import assert from "node:assert/strict";
import { test } from "node:test";
import { tableText } from "./table.ts";
import { bytesText, countText, durationText } from "./texts.ts";

test("durations, sizes and counts", () => {
  assert.deepEqual([-5, 340.4, 1500, 12_400, 300_000, 9_000_000, 300_000_000].map(durationText), ["0 ms", "340 ms", "1.5 s", "12 s", "5 min", "2.5 h", "3 days"]);
  assert.deepEqual([512, 4096, 12 * 2 ** 20, 1.5 * 2 ** 40].map(bytesText), ["512 B", "4.0 KiB", "12 MiB", "1.5 TiB"]);
  assert.deepEqual([countText(1, "job"), countText(1200, "job"), countText(0, "process", "processes")], ["1 job", "1,200 jobs", "0 processes"]);
});

test("a table has no borders and no blanks at the ends of its lines", () => {
  assert.equal(tableText(["name", "why"], [["a", ""], ["longer", "x y"]]), "NAME    WHY\na\nlonger  x y");
});
