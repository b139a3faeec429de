/** What calls have thrown, behind the line that has thrown it. The code is right as far as a compiler can tell: it is no problem of the file's. */
import * as vscode from "vscode";
import { clip } from "../runner/text.ts";
import { showsErrorsInProblems } from "../settings.ts";
import { inputsText, rangeOf, type Finding, type Findings } from "./findings.ts";

const MAX_SHOWN_LENGTH = 140;

export class InlineErrors implements vscode.Disposable {
  readonly #findings: Findings;
  readonly #type = vscode.window.createTextEditorDecorationType({
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedOpen,
    overviewRulerLane: vscode.OverviewRulerLane.Right,
    overviewRulerColor: new vscode.ThemeColor("editorError.foreground"),
    after: { color: new vscode.ThemeColor("editorError.foreground"), margin: "0 0 0 2em", fontStyle: "italic" },
  });
  readonly #listeners: vscode.Disposable;

  constructor(findings: Findings) {
    this.#findings = findings;
    const show = () => this.#show();
    this.#listeners = vscode.Disposable.from(this.#type, findings.onDidChange(show), vscode.window.onDidChangeVisibleTextEditors(show), vscode.workspace.onDidChangeConfiguration(show));
  }

  dispose(): void {
    this.#listeners.dispose();
  }

  #show(): void {
    const isMeant = ({ input }: Finding) => input !== null && !showsErrorsInProblems();
    const meant = this.#findings.all.filter(isMeant);
    for (const editor of vscode.window.visibleTextEditors) {
      const here = meant.filter(({ place }) => place.file === editor.document.uri.fsPath);
      editor.setDecorations(this.#type, here.map((finding) => optionsOf(finding, editor.document)));
    }
  }
}

function optionsOf(finding: Finding, document: vscode.TextDocument): vscode.DecorationOptions {
  return {
    range: document.validateRange(rangeOf(finding)),
    hoverMessage: hoverOf(finding),
    renderOptions: { after: { contentText: inlineText(finding) } },
  };
}

/** Such as `RangeError: no score for 142 · input 141 and 9 more · {"id":142}`. */
function inlineText(finding: Finding): string {
  const parts = [finding.message.split("\n", 1)[0] ?? "", inputsText(finding), finding.input?.text ?? ""];
  return clip(parts.filter((part) => part !== "").join(" · "), MAX_SHOWN_LENGTH);
}

function hoverOf(finding: Finding): vscode.MarkdownString {
  const hover = new vscode.MarkdownString();
  hover.appendText(finding.message);
  hover.appendMarkdown("\n\n");
  hover.appendText(inputsText(finding));
  if (finding.input !== null) hover.appendCodeblock(finding.input.text, "json");
  return hover;
}
