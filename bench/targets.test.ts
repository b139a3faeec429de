import assert from "node:assert/strict";
import { test } from "node:test";
import type { Row } from "./harness/results.ts";
import { judge } from "./targets.ts";

const row = (scenario: string, system: string, metric: string, value: number): Row => ({ scenario, system, metric, value, unit: "" });

test("a bar may be another system's figure of the same run", () => {
  const rows = [row("noop", "burla", "calls_per_second", 10), row("noop", "joblib", "calls_per_second", 11)];
  const verdicts = judge(rows);
  assert.deepEqual(verdicts.map(({ target, bar, met }) => [target.title, bar, met]), [["no-op calls faster than joblib", 11, false]]);
});

test("lower is better where the target says so", () => {
  const [verdict] = judge([row("first-result", "burla", "cold", 499)]);
  assert.equal(verdict?.met, true);
});
