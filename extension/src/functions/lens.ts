/** The lens "Run on Burla" above functions of the top level. */
import * as vscode from "vscode";
import { COMMANDS, SETTINGS } from "../contributions.ts";
import { hasCodeLens } from "../settings.ts";
import { LANGUAGES, outlineOf, type LanguageId } from "./languages.ts";

/** Files on a disk, and new ones that were not saved yet. */
export const SELECTOR: vscode.DocumentSelector = LANGUAGES.flatMap((language) => ["file", "untitled"].map((scheme) => ({ language, scheme })));
/** Parsing takes about 2 ms per 1,000 characters. Larger files are mostly machine-made: their functions run from the palette. */
const MAX_LENGTH = 150_000;

/** What the lens hands to the command. */
export interface LensTarget {
  readonly uri: vscode.Uri;
  readonly name: string;
  readonly label: string;
}

export class RunLens implements vscode.CodeLensProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.#changed.event;
  readonly #listener = vscode.workspace.onDidChangeConfiguration((event) => (event.affectsConfiguration(SETTINGS.codeLens) ? this.#changed.fire() : undefined));

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    if (!hasCodeLens()) return [];
    const text = document.getText();
    if (text.length > MAX_LENGTH) return [];
    return outlineOf(text, document.languageId as LanguageId).functions.flatMap(({ name, label, start }) => {
      const position = document.positionAt(start);
      const range = new vscode.Range(position, position);
      const target: LensTarget = { uri: document.uri, name, label };
      return [
        new vscode.CodeLens(range, { command: COMMANDS.runFunction, title: "$(play) Run on Burla", tooltip: `Run ${label} over many inputs on the cluster`, arguments: [target] }),
        new vscode.CodeLens(range, { command: COMMANDS.tryFunction, title: "Try on 3", tooltip: `Run ${label} on the first three inputs, and estimate the time of all`, arguments: [target] }),
      ];
    });
  }

  dispose(): void {
    this.#changed.dispose();
    this.#listener.dispose();
  }
}
