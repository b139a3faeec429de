import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { LOG_BURST_LINES, LOG_LINES_PER_SECOND, MAX_LOG_LINE_BYTES } from "@burla/protocol";
import * as pace from "./pace.ts";

test("workers for Python keep to the same numbers", () => {
  const source = readFileSync(new URL("../python/burla_worker/pace.py", import.meta.url), "utf8");
  const numbers = new Map([...source.matchAll(/^([A-Z_]+) = ([\d_.]+)(?: (<<|\*) ([\d_]+))?$/gm)].map(([, name = "", a = "", operator, b = ""]) => [name, valueOf(a, operator, b)]));
  const shared = { ...pace, LOG_BURST_LINES, LOG_LINES_PER_SECOND, MAX_LOG_LINE_BYTES };
  for (const [name, value] of Object.entries(shared)) assert.equal(numbers.get(name), value, name);
});

function valueOf(a: string, operator: string | undefined, b: string): number {
  const [left, right] = [a, b].map((text) => Number(text.replaceAll("_", ""))) as [number, number];
  if (operator === undefined) return left;
  return operator === "<<" ? left << right : left * right;
}
