/** Texts that are in no file: what would be sent, and whole results. They can be read and not be changed. */
import * as vscode from "vscode";

const SCHEME = "burla";
const MAX_KEPT = 20;

export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.toString()) ?? "This text is not kept any more.";
  }

  /** @param title the name of its tab. */
  async open(title: string, text: string, language: string, beside = false): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${title.replaceAll("/", "∕")}` });
    const key = uri.toString();
    this.#texts.delete(key);
    this.#texts.set(key, text);
    for (const old of this.#texts.keys()) if (this.#texts.size > MAX_KEPT) this.#texts.delete(old);
    this.#changed.fire(uri);
    const document = await vscode.languages.setTextDocumentLanguage(await vscode.workspace.openTextDocument(uri), language);
    await vscode.window.showTextDocument(document, { preview: true, viewColumn: beside ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active });
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}
