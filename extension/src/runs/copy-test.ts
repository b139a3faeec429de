/** Puts a test that fails as an input did on the clipboard. */
import * as vscode from "vscode";
import { languageOf, outlineOf } from "../functions/languages.ts";
import { parseLine } from "../runner/spool-line.ts";
import type { Run } from "./run.ts";
import { readLine } from "./spool-file.ts";
import { testCaseOf } from "./test-case.ts";

/** @throws Error when the input has not failed, or its result is gone. */
export async function copyTest({ record, rows }: Run, index: number): Promise<void> {
  const row = rows.get(index);
  const line = row === undefined ? null : parseLine(await readLine(record.spool, row));
  if (line?.error === undefined) throw new Error(`input ${index} has not failed`);
  const { file, fn, label, sourceLabel } = record;
  const isExported = fn.kind === "named" && (await exportsOf(file)).has(fn.name);
  await vscode.env.clipboard.writeText(testCaseOf({ file, fn, label, isExported, index, input: line.input, sourceLabel, error: line.error }));
  void vscode.window.setStatusBarMessage(`$(check) A test of input ${index} is on the clipboard`, SHOWN_MS);
}

const SHOWN_MS = 5_000;

/** The functions that the file exports, as it is now; none of a file that is gone. */
async function exportsOf(file: string): Promise<ReadonlySet<string>> {
  try {
    const document = await vscode.workspace.openTextDocument(file);
    const language = languageOf(document.languageId);
    const found = language === undefined ? [] : outlineOf(document.getText(), language).functions;
    return new Set(found.filter(({ isExported }) => isExported).map(({ name }) => name));
  } catch {
    return new Set();
  }
}
