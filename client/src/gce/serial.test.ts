import assert from "node:assert/strict";
import { test } from "node:test";
import { lastLines } from "./serial.ts";

test("of a serial console the last lines are told, without what would paint a terminal, each of a bounded length", () => {
  const text = `${Array.from({ length: 40 }, (_, at) => `line ${at}`).join("\r\n")}\r\n\u001b[31mred\u001b[0m\u0007\n\n${"x".repeat(5_000)}\n`;
  const lines = lastLines(text).split("\n");
  assert.equal(lines.length, 15);
  assert.deepEqual(lines.slice(12, 14), ["line 39", "red"]);
  assert.ok(lines[14]!.length < 400);
  assert.equal(lastLines(""), "");
});
