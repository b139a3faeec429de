/** Which function a command is for: the one of its lens, or the one at the cursor. */
import * as vscode from "vscode";
import { Declined } from "../failure.ts";
import type { FunctionRef } from "../runner/messages.ts";
import type { LensTarget } from "./lens.ts";
import { saveDocument } from "./save-sources.ts";
import { functionIn, languageOf, outlineOf, type LanguageId } from "./languages.ts";
import type { FoundValue } from "./outline.ts";

/** A function in a file. */
export interface RunnableFunction {
  readonly uri: vscode.Uri;
  readonly ref: FunctionRef;
  readonly label: string;
}

/** One that a person has chosen, in a saved file, with what its inputs may be. */
export interface ChosenFunction extends RunnableFunction {
  /** Its first parameter as it is written; empty when it has none or it is not known. */
  readonly parameter: string;
  /** What the file exports beside functions. */
  readonly values: readonly FoundValue[];
}

/**
 * @param target of a lens, or the file of a menu; else what the active editor shows.
 * @throws Declined when the person goes away; Error when there is no function.
 */
export async function chooseFunction(target: LensTarget | vscode.Uri | undefined): Promise<ChosenFunction> {
  const document = await saved(await documentOf(target));
  const language = knownLanguageOf(document);
  const text = document.getText();
  const { functions, values } = outlineOf(text, language);
  const chosen = { uri: document.uri, values };
  const parameterOf = (name: string) => functions.find((found) => found.name === name)?.parameter ?? "";
  if (isLensTarget(target)) return { ...chosen, ref: { kind: "named", name: target.name }, label: target.label, parameter: parameterOf(target.name) };
  const editor = vscode.window.activeTextEditor;
  const at = editor?.document === document ? functionIn(text, language, { start: document.offsetAt(editor.selection.start), end: document.offsetAt(editor.selection.end) }) : null;
  if (at !== null) return { ...chosen, ...at, parameter: at.ref.kind === "named" ? parameterOf(at.ref.name) : "" };
  if (functions.length === 0) throw new Error("this file has no function that could be run; a generator or a method cannot");
  const picked = await vscode.window.showQuickPick(functions.map((found) => ({ label: `$(symbol-function) ${found.label}`, found })), { title: "Run on Burla", placeHolder: "Which function?" });
  if (picked === undefined) throw new Declined("no function was chosen");
  return { ...chosen, ref: { kind: "named", name: picked.found.name }, label: picked.found.label, parameter: picked.found.parameter };
}

async function documentOf(target: LensTarget | vscode.Uri | undefined): Promise<vscode.TextDocument> {
  const uri = isLensTarget(target) ? target.uri : target;
  if (uri !== undefined) return vscode.workspace.openTextDocument(uri);
  const active = vscode.window.activeTextEditor?.document;
  if (active === undefined) throw new Error("open a TypeScript, JavaScript or Python file first");
  return active;
}

/** What is run is what is on the disk. */
async function saved(document: vscode.TextDocument): Promise<vscode.TextDocument> {
  if (document.isUntitled) {
    const uri = await vscode.workspace.save(document.uri);
    if (uri === undefined) throw new Declined("the file was not saved");
    return vscode.workspace.openTextDocument(uri);
  }
  if (document.uri.scheme !== "file") throw new Error("only functions of files on a disk can be run");
  await saveDocument(document);
  return document;
}

function knownLanguageOf(document: vscode.TextDocument): LanguageId {
  const found = languageOf(document.languageId);
  if (found === undefined) throw new Error("only functions of TypeScript, JavaScript and Python files can be run");
  return found;
}

function isLensTarget(target: unknown): target is LensTarget {
  return typeof (target as Partial<LensTarget> | undefined)?.name === "string" && (target as LensTarget).uri instanceof vscode.Uri;
}
