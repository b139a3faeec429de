import assert from "node:assert/strict";
import { test } from "node:test";
import type { InputSource } from "../runner/messages.ts";
import { InputMemory, withChoice } from "./memory.ts";
import { fits } from "./fit.ts";
import { formatOf, isConfiguration, sourceDetail, sourceLabel } from "./sources.ts";

test("the ending of a file says how it holds inputs", () => {
  assert.deepEqual(["a.json", "a.NDJSON", "a.jsonl", "a.csv", "a.tsv", "a.txt", "a.md", "a"].map(formatOf), ["json", "ndjson", "ndjson", "csv", "tsv", "lines", null, null]);
});

test("files that hold settings are not offered as inputs", () => {
  assert.deepEqual(["package.json", "/x/tsconfig.build.json", "a/.eslintrc.json", "vite.config.json"].map(isConfiguration), [true, true, true, true]);
  assert.deepEqual(["documents.json", "packages.json"].map(isConfiguration), [false, false]);
});

test("sources in words", () => {
  const words = (source: InputSource) => `${sourceLabel(source, "/work")} (${sourceDetail(source)})`;
  assert.equal(words({ kind: "file", path: "/work/data/rows.csv", format: "csv" }), "data/rows.csv (CSV)");
  assert.equal(words({ kind: "file", path: "/else/rows.csv", format: "csv" }), "/else/rows.csv (CSV)");
  assert.equal(words({ kind: "glob", pattern: "docs/*.md", read: "text" }), "docs/*.md (texts of files)");
  assert.equal(words({ kind: "export", name: "default" }), "the default export (export of the module)");
  assert.equal(sourceLabel({ kind: "expression", text: "x".repeat(100) }, "/").length, 60);
});

test("choices are remembered per function, the newest first, and not without end", () => {
  const named = (name: string): InputSource => ({ kind: "export", name });
  let memory: ReturnType<typeof withChoice> = [];
  for (const name of ["a", "b", "a", "c", "d", "e"]) memory = withChoice(memory, "f.ts#f", named(name));
  memory = withChoice(memory, "g.ts#g", named("x"));
  assert.deepEqual(memory.map(({ key, sources }) => [key, sources.map((source) => (source.kind === "export" ? source.name : ""))]), [["g.ts#g", ["x"]], ["f.ts#f", ["e", "d", "c", "a"]]]);
  for (let i = 0; i < 300; i++) memory = withChoice(memory, `${i}`, named("x"));
  assert.equal(memory.length, 200);
});

test("what another version remembered counts as nothing", async () => {
  const state = new Map<string, unknown>([["burla.inputs", [{ key: "f", sources: [{ kind: "telepathy" }] }]]]);
  const memory = new InputMemory({ keys: () => [...state.keys()], get: (key: string) => state.get(key), update: async (key: string, value: unknown) => void state.set(key, value) } as never);
  assert.deepEqual(memory.of("f"), []);
  await memory.remember("f", { kind: "export", name: "a" });
  assert.deepEqual(memory.of("f"), [{ kind: "export", name: "a" }]);
});

test("an array is offered for a function unless they are plainly of different kinds", () => {
  const fit = (first: string, parameter: string) => fits({ isArray: true, first }, parameter);
  for (const [first, parameter] of [["1", "x: number"], ["{ id: 1 }", "{ id }: Row"], ["{ id: 1 }", "row: { id: number }"], ["[1, 2]", "[a, b]"], ["[1]", "xs: number[]"], ["'a'", "x"], ["", "x: number"], ["load()", "x: number"], ["1", "x: string | number"], ["'a'", "x: string = 'b'"]] as const) {
    assert.ok(fit(first, parameter), `${first} for ${parameter}`);
  }
  for (const [first, parameter] of [["1", "x: string"], ["'a'", "{ id }: Row"], ["{ id: 1 }", "xs: number[]"], ["1", ""], ["true", "x: number"]] as const) {
    assert.ok(!fit(first, parameter), `${first} for ${parameter}`);
  }
  assert.ok(!fits({ isArray: false, first: "1" }, "x: number"));
});
