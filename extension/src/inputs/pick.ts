/** Asks where the inputs come from. The last choice is the first line: Enter runs it again. */
import * as vscode from "vscode";
import type { FoundValue } from "../functions/outline.ts";
import type { InputSource } from "../runner/messages.ts";
import { clip } from "../runner/text.ts";
import { fits } from "./fit.ts";
import { FILE_FORMATS, formatOf, isConfiguration, OFFERED_ENDINGS, sourceDetail, sourceLabel } from "./sources.ts";

export interface PickOptions {
  /** What the function is called. */
  readonly label: string;
  /** Paths are told and searched from here. */
  readonly folder: vscode.Uri;
  /** What was chosen before, the newest first. */
  readonly recent: readonly InputSource[];
  /** The function's first parameter as it is written. */
  readonly parameter: string;
  readonly values: readonly FoundValue[];
}

const MAX_FILES = 500;
const MAX_FIRST_LENGTH = 80;
const EXCLUDE = "**/{node_modules,dist,out,build,.git,.vscode}/**";

type Step = () => Promise<InputSource | undefined>;

/** Undefined when the person goes away. */
export async function pickInputs(options: PickOptions): Promise<InputSource | undefined> {
  const { recent, folder, label } = options;
  const exported = options.values.filter((value) => !recent.some((source) => source.kind === "export" && source.name === value.name));
  const fitting = exported.filter((value) => fits(value, options.parameter));
  const items: (vscode.QuickPickItem & { step?: Step })[] = [];
  const known = (source: InputSource, icon: string): vscode.QuickPickItem & { step: Step } => ({
    label: `$(${icon}) ${sourceLabel(source, folder.fsPath)}`,
    description: sourceDetail(source),
    step: async () => source,
  });
  if (recent.length > 0) items.push({ label: "last inputs", kind: vscode.QuickPickItemKind.Separator }, ...recent.map((source) => known(source, "history")));
  if (fitting.length > 0) items.push({ label: "arrays of this file", kind: vscode.QuickPickItemKind.Separator });
  for (const { name, first } of fitting) {
    const detail = first === "" ? {} : { detail: `first ${clip(first, MAX_FIRST_LENGTH)}, for ${label}(${clip(options.parameter, MAX_FIRST_LENGTH)})` };
    items.push({ ...known({ kind: "export", name }, "symbol-array"), description: "array", ...detail });
  }
  items.push({ label: "inputs from", kind: vscode.QuickPickItemKind.Separator });
  items.push({ label: "$(file) A File…", description: "JSON, NDJSON, CSV, TSV or lines of text", step: () => pickFile(folder) });
  items.push({ label: "$(files) Files by a Pattern…", description: "each file is one input: its path, or what is in it", step: () => pickPattern(folder) });
  items.push({ label: "$(code) An Expression…", description: "such as Array.from({ length: 100 }, (_, i) => i)", step: () => askExpression(recent) });
  const others = exported.filter((value) => !fitting.includes(value));
  if (others.length > 0) items.push({ label: "other exports of this file", kind: vscode.QuickPickItemKind.Separator });
  for (const { name, isArray } of others) items.push({ ...known({ kind: "export", name }, isArray ? "symbol-array" : "symbol-variable"), description: isArray ? "array" : "if it can be iterated" });
  const picked = await vscode.window.showQuickPick(items, { title: `Run ${label} on Burla`, placeHolder: "Where do the inputs come from?", matchOnDescription: true });
  return picked?.step?.();
}

async function pickFile(folder: vscode.Uri): Promise<InputSource | undefined> {
  const found = await vscode.workspace.findFiles(new vscode.RelativePattern(folder, `**/*.{${OFFERED_ENDINGS.join(",")}}`), EXCLUDE, MAX_FILES);
  const files = found.filter(({ fsPath }) => !isConfiguration(fsPath)).sort((a, b) => a.fsPath.localeCompare(b.fsPath));
  const items: (vscode.QuickPickItem & { uri?: vscode.Uri })[] = files.map((uri) => ({
    label: `$(file) ${sourceLabel({ kind: "file", path: uri.fsPath, format: "json" }, folder.fsPath)}`,
    description: FILE_FORMATS.find(({ format }) => format === formatOf(uri.fsPath))?.detail ?? "",
    uri,
  }));
  items.push({ label: "$(folder-opened) Browse…", description: "any file" });
  const picked = await vscode.window.showQuickPick(items, { title: "Inputs from a File", placeHolder: files.length === 0 ? "This folder has no JSON, NDJSON, CSV or text files" : "Choose a file" });
  if (picked === undefined) return undefined;
  const uri = picked.uri ?? (await vscode.window.showOpenDialog({ title: "Inputs", openLabel: "Use as Inputs", defaultUri: folder, canSelectMany: false }))?.[0];
  if (uri === undefined) return undefined;
  const format = formatOf(uri.fsPath) ?? (await askFormat());
  return format === undefined ? undefined : { kind: "file", path: uri.fsPath, format };
}

async function askFormat(): Promise<(typeof FILE_FORMATS)[number]["format"] | undefined> {
  const items = FILE_FORMATS.map(({ format, label, detail }) => ({ label, description: detail, format }));
  return (await vscode.window.showQuickPick(items, { title: "Inputs from a File", placeHolder: "How does the file hold its inputs?" }))?.format;
}

async function pickPattern(folder: vscode.Uri): Promise<InputSource | undefined> {
  const pattern = await vscode.window.showInputBox({
    title: "Inputs from Files (1/2)",
    prompt: "Each file that fits is one input. Patterns know *, **, ?, [ab] and {a,b}.",
    placeHolder: "docs/**/*.md",
    validateInput: (text) => describeMatches(folder, text),
  });
  if (pattern === undefined || pattern.trim() === "") return undefined;
  const ways = [
    { label: "Its path", description: "relative to the folder", read: null },
    { label: "Its text", description: "as UTF-8", read: "text" as const },
    { label: "Its JSON", description: "parsed", read: "json" as const },
    { label: "Its bytes", description: "as a Buffer", read: "buffer" as const },
  ];
  const picked = await vscode.window.showQuickPick(ways, { title: "Inputs from Files (2/2)", placeHolder: "What of each file does the function get?" });
  return picked === undefined ? undefined : { kind: "glob", pattern: pattern.trim(), read: picked.read };
}

async function describeMatches(folder: vscode.Uri, pattern: string): Promise<vscode.InputBoxValidationMessage | undefined> {
  if (pattern.trim() === "") return undefined;
  const found = await vscode.workspace.findFiles(new vscode.RelativePattern(folder, pattern.trim()), "**/node_modules/**", MAX_FILES);
  if (found.length === 0) return { message: "No file fits.", severity: vscode.InputBoxValidationSeverity.Warning };
  const count = found.length === MAX_FILES ? `${MAX_FILES} or more` : String(found.length);
  return { message: `${count} ${found.length === 1 ? "file fits" : "files fit"}, such as ${vscode.workspace.asRelativePath(found[0] as vscode.Uri)}`, severity: vscode.InputBoxValidationSeverity.Info };
}

async function askExpression(recent: readonly InputSource[]): Promise<InputSource | undefined> {
  const last = recent.find((source) => source.kind === "expression");
  const text = await vscode.window.showInputBox({
    title: "Inputs from an Expression",
    prompt: "TypeScript or JavaScript that gives an array or something else to iterate. It may use the names at the top of the file, and await.",
    placeHolder: "Array.from({ length: 100 }, (_, i) => i)",
    value: last?.kind === "expression" ? last.text : "",
  });
  return text === undefined || text.trim() === "" ? undefined : { kind: "expression", text: text.trim() };
}
