/** The cells of a notebook that begins with the results of a run. Pure. */

export type NotebookLanguage = "python" | "typescript";

export interface NotebookCellText {
  readonly kind: "code" | "markdown";
  readonly languageId: string;
  readonly text: string;
}

/** @param file its lines are results: `{ index, input, value }`, or `error` in place of `value`. */
export function notebookCells({ label, file, language }: { readonly label: string; readonly file: string; readonly language: NotebookLanguage }): NotebookCellText[] {
  const code = language === "python" ? pythonCells(file) : typescriptCells(file);
  return [
    { kind: "markdown", languageId: "markdown", text: `# Results of ${label}\n\nOne result for each input, in the order of the inputs.` },
    ...code.map((text): NotebookCellText => ({ kind: "code", languageId: language, text })),
  ];
}

/** Objects become columns, `value.words` and the like; without pandas they stay a list of dicts. */
function pythonCells(file: string): string[] {
  return [
    ["import json", "", `with open(${pythonText(file)}, encoding="utf-8") as lines:`, '    results = sorted((json.loads(line) for line in lines), key=lambda result: result["index"])', "len(results)"].join("\n"),
    ["try:", "    import pandas as pd", '    frame = pd.json_normalize(results).set_index("index")', "except ModuleNotFoundError:", "    frame = results[:10]", "frame"].join("\n"),
    ['failed = [result for result in results if "error" in result]', "len(failed)"].join("\n"),
  ];
}

function typescriptCells(file: string): string[] {
  return [
    ['import { readFileSync } from "node:fs";', "", `const results = readFileSync(${JSON.stringify(file)}, "utf8").trim().split("\\n").map((line) => JSON.parse(line));`, "results.sort((a, b) => a.index - b.index);", "results.slice(0, 10)"].join("\n"),
    ['const failed = results.filter((result) => "error" in result);', "failed.length"].join("\n"),
  ];
}

/** A text of JSON is one of Python, but for pairs of surrogates, which paths do not have escaped. */
function pythonText(text: string): string {
  return JSON.stringify(text);
}
