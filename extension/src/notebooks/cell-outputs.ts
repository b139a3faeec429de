/** Outputs of a kernel as the notebook's own. Their metadata is what the editor's own reader of .ipynb files writes back. */
import * as vscode from "vscode";
import { QUESTION_MIME } from "./renderer-protocol.ts";
import type { Question } from "../clusters/questions.ts";
import type { Output } from "../keeper/messages.ts";
import { mimeItems } from "./mime-items.ts";

export function cellOutput(output: Output): vscode.NotebookCellOutput {
  return new vscode.NotebookCellOutput(cellItems(output), metadataOf(output));
}

export function cellItems(output: Output): vscode.NotebookCellOutputItem[] {
  switch (output.kind) {
    case "stream":
      return [streamItem(output.name, output.text)];
    case "error":
      return [errorItem(output.name, output.message, output.traceback)];
    case "display":
    case "value":
      return mimeItems(output.data).map(({ mime, data }) => new vscode.NotebookCellOutputItem(data, mime));
  }
}

export function streamItem(name: "stdout" | "stderr", text: string): vscode.NotebookCellOutputItem {
  return name === "stdout" ? vscode.NotebookCellOutputItem.stdout(text) : vscode.NotebookCellOutputItem.stderr(text);
}

export function errorItem(name: string, message: string, traceback: readonly string[] = []): vscode.NotebookCellOutputItem {
  const error = { name, message, stack: traceback.length === 0 ? `${name}: ${message}` : traceback.join("\n") };
  return vscode.NotebookCellOutputItem.error(error);
}

/** A question on which a cell waits, drawn by our renderer. Elsewhere it is a text. */
export function questionOutput(question: Question): vscode.NotebookCellOutput {
  const items = [vscode.NotebookCellOutputItem.json(question, QUESTION_MIME), vscode.NotebookCellOutputItem.text(question.text)];
  return new vscode.NotebookCellOutput(items, { outputType: "display_data" });
}

function metadataOf(output: Output): Record<string, unknown> {
  switch (output.kind) {
    case "stream":
      return { outputType: "stream" };
    case "error":
      return { outputType: "error", originalError: { output_type: "error", ename: output.name, evalue: output.message, traceback: output.traceback } };
    case "display":
      return { outputType: "display_data", metadata: output.metadata, ...(output.displayId !== null && { transient: { display_id: output.displayId } }) };
    case "value":
      return { outputType: "execute_result", metadata: output.metadata, executionCount: output.executionCount };
  }
}
