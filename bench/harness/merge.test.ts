import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeFigures, type Figures } from "./merge.ts";

const ORDER = ["burla", "docker", "piscina"];

function figures(date: string, versions: Record<string, string>, cells: readonly (readonly [string, string, number])[], notes: Figures["context"]["notes"] = []): Figures {
  return {
    rows: cells.map(([scenario, system, value]) => ({ scenario, system, metric: "m", value, unit: "" })),
    context: { date, commit: `commit of ${date}`, quick: false, machine: {}, versions, notes },
  };
}

const earlier = figures("d1", { burla: "1", piscina: "5" }, [["noop", "burla", 10], ["noop", "piscina", 9], ["cancel", "burla", 8]], [{ scenario: "noop", system: "burla", text: "kept" }]);
const later = figures("d2", { docker: "1, Engine 2" }, [["noop", "docker", 7]]);

test("a system that is added stands in its place, and when it was measured is told", () => {
  const { rows, context } = mergeFigures(earlier, later, ORDER);
  assert.deepEqual(rows.map(({ scenario, system, value }) => [scenario, system, value]), [["noop", "burla", 10], ["cancel", "burla", 8], ["noop", "docker", 7], ["noop", "piscina", 9]]);
  assert.deepEqual([context.date, context.commit, context.versions], ["d1", "commit of d1", { burla: "1", piscina: "5", docker: "1, Engine 2" }]);
  assert.deepEqual(context.notes, [{ scenario: "noop", system: "burla", text: "kept" }, { scenario: "all", system: "docker", text: "was measured on d2 at commit of d2" }]);
});

test("what is measured again takes the place of what was, and is told once", () => {
  const merged = mergeFigures(earlier, later, ORDER);
  const again = mergeFigures(merged, figures("d3", { docker: "1, Engine 3" }, [["noop", "docker", 6]], [{ scenario: "noop", system: "docker", text: "busy" }]), ORDER);
  assert.deepEqual(again.rows.filter(({ system }) => system === "docker").map(({ value }) => value), [6]);
  assert.deepEqual(again.context.notes.filter(({ system }) => system === "docker").map(({ text }) => text), ["busy", "was measured on d3 at commit of d3"]);
  assert.equal(again.context.versions["docker"], "1, Engine 3");
});
