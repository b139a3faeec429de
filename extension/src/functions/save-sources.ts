/** What is run is what is on the disk: the function's file, and what it imports. */
import * as vscode from "vscode";
import { LANGUAGES } from "./languages.ts";

/** Saves what is edited of the folder's code and data. @throws Error when a file cannot be saved. */
export async function saveSources(folder: string): Promise<void> {
  const isMeant = ({ uri, isDirty, languageId }: vscode.TextDocument) => isDirty && uri.scheme === "file" && isWithin(folder, uri) && SOURCES.includes(languageId);
  for (const document of vscode.workspace.textDocuments.filter(isMeant)) {
    await saveDocument(document);
  }
}

/** @throws Error when it is edited and cannot be saved. */
export async function saveDocument(document: vscode.TextDocument): Promise<void> {
  if (document.isDirty && !(await document.save())) throw new Error(`${vscode.workspace.asRelativePath(document.uri)} could not be saved, and what runs is what is on the disk`);
}

const SOURCES: readonly string[] = [...LANGUAGES, "json", "jsonl", "csv", "tsv", "plaintext"];

function isWithin(folder: string, uri: vscode.Uri): boolean {
  return `${uri.path}/`.startsWith(`${vscode.Uri.file(folder).path}/`);
}
