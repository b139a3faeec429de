/** Findings as diagnostics: files that cannot be compiled, and what calls have thrown for those who want it in Problems. */
import * as vscode from "vscode";
import { showsErrorsInProblems } from "../settings.ts";
import { inputsText, rangeOf, type Finding, type Findings } from "./findings.ts";

export class Problems implements vscode.Disposable {
  readonly #findings: Findings;
  readonly #collection = vscode.languages.createDiagnosticCollection("burla");
  readonly #listeners: vscode.Disposable;

  constructor(findings: Findings) {
    this.#findings = findings;
    this.#listeners = vscode.Disposable.from(
      this.#collection,
      findings.onDidChange(() => this.#show()),
      vscode.workspace.onDidChangeConfiguration(() => this.#show()),
    );
  }

  dispose(): void {
    this.#listeners.dispose();
  }

  #show(): void {
    const isMeant = ({ input }: Finding) => input === null || showsErrorsInProblems();
    const meant = this.#findings.all.filter(isMeant);
    this.#collection.clear();
    for (const file of new Set(meant.map(({ place }) => place.file))) {
      this.#collection.set(vscode.Uri.file(file), meant.filter(({ place }) => place.file === file).map(diagnosticOf));
    }
  }
}

function diagnosticOf(finding: Finding): vscode.Diagnostic {
  const inputs = inputsText(finding);
  const diagnostic = new vscode.Diagnostic(rangeOf(finding), inputs === "" ? finding.message : `${finding.message} (${inputs})`, vscode.DiagnosticSeverity.Error);
  diagnostic.source = "Burla";
  return diagnostic;
}
