import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_LOG_LINE_BYTES } from "./limits.ts";
import { loggedLine, overwritten } from "./overwritten.ts";
import { PrintedDecoder } from "./printed.ts";
import { unpack } from "./frame.ts";

for (const [text, rest, isNew, hasReturned] of [
  ["plain", "plain", false, false],
  ["\u001b[31mred\u001b[0m", "\u001b[31mred\u001b[0m", false, false],
  ["1%\r2%", "2%", true, false],
  ["\r2%", "2%", true, false],
  ["2%\r", "2%", false, true],
  ["1%\r2%\r\r", "2%", true, true],
  ["\r", "", false, true],
  ["a\u001b[2K\u001b[1Gb", "b", true, false],
  ["a\u001b[Gb\u001b[K", "b", true, false],
  ["a\r\u001b[0K", "a", false, true],
  ["1%\u001b[1K", "1%", false, true],
] as const) {
  test(`written over: ${JSON.stringify(text)}`, () => assert.deepEqual(overwritten(text), { rest, isNew, hasReturned }));
}

test("a line as the log takes it: what was written last, cut behind that", () => {
  const long = "x".repeat(MAX_LOG_LINE_BYTES + 1);
  assert.equal(loggedLine(`${long}\rend\r`), "end");
  assert.equal(loggedLine(`1%\r${long}`), `${long.slice(1)}… (${long.length} characters)`);
});

test("what a worker left behind without an end is its last state", () => {
  const decoder = new PrintedDecoder();
  decoder.add(3, 2, 0, "1%\r2%\r");
  const entries = unpack(decoder.take()?.body ?? new Uint8Array());
  assert.deepEqual(entries, [[3, 2, 0, "2%"]]);
});
