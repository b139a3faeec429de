import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { notebookCells } from "./notebook-cells.ts";

test("a notebook of either language reads the results by their path", () => {
  const file = 'C:\\runs\\it"s.ndjson';
  const python = notebookCells({ label: "score", file, language: "python" });
  assert.deepEqual(python.map(({ kind, languageId }) => `${kind} ${languageId}`), ["markdown markdown", "code python", "code python", "code python"]);
  assert.match(python[1]?.text ?? "", /open\("C:\\\\runs\\\\it\\"s.ndjson", encoding="utf-8"\)/);
  const typescript = notebookCells({ label: "score", file, language: "typescript" });
  assert.match(typescript[1]?.text ?? "", /readFileSync\("C:\\\\runs\\\\it\\"s.ndjson", "utf8"\)\.trim\(\)\.split\("\\n"\)/);
});

test("the cells run: in order of the inputs, and without pandas as a list", () => {
  const folder = mkdtempSync(join(tmpdir(), "burla-notebook-"));
  try {
    const file = join(folder, "results ü.ndjson");
    writeFileSync(file, '{"index":1,"input":"b","error":{"name":"RangeError","message":"no"}}\n{"index":0,"input":"a","value":{"words":2}}\n');
    const code = notebookCells({ label: "score", file, language: "python" }).filter(({ kind }) => kind === "code").map(({ text }) => text).join("\n");
    // Isolated and without site packages: no pandas.
    const { stdout, stderr } = spawnSync("python3", ["-I", "-S", "-X", "utf8", "-c", `${code}\nprint([result["index"] for result in frame], failed[0]["index"])`], { encoding: "utf8" });
    assert.equal(stdout.trim(), "[0, 1] 1", stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
