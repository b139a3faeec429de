import assert from "node:assert/strict";
import { test } from "node:test";
import { notebookCells } from "./notebook-cells.ts";

test("a notebook of either language reads the results by their path", () => {
  const file = 'C:\\runs\\it"s.ndjson';
  const python = notebookCells({ label: "score", file, language: "python" });
  assert.deepEqual(python.map(({ kind, languageId }) => `${kind} ${languageId}`), ["markdown markdown", "code python", "code python"]);
  assert.match(python[1]?.text ?? "", /open\("C:\\\\runs\\\\it\\"s.ndjson", encoding="utf-8"\)/);
  const typescript = notebookCells({ label: "score", file, language: "typescript" });
  assert.match(typescript[1]?.text ?? "", /readFileSync\("C:\\\\runs\\\\it\\"s.ndjson", "utf8"\)\.trim\(\)\.split\("\\n"\)/);
});
