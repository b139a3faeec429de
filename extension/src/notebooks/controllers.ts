/** Burla's own kernels in the editor's list: one for Python, one for TypeScript and JavaScript. */
import * as vscode from "vscode";
import type { Language } from "@burla/kernel-bridge";
import { requireTrust } from "../trust.ts";

export const NOTEBOOK_TYPE = "jupyter-notebook";
const SELECT_TIMEOUT_MS = 15_000;

export type ControllerKind = "python" | "node";

/** What a controller is called, and which cells it runs. */
const KINDS: Readonly<Record<ControllerKind, { readonly id: string; readonly label: string; readonly description: string; readonly languages: readonly Language[] }>> = {
  python: { id: "burla.python", label: "Python (Burla)", description: "Cells run here, or on a cluster", languages: ["python"] },
  node: { id: "burla.node", label: "TypeScript and JavaScript (Burla)", description: "Cells run here, or on a cluster", languages: ["typescript", "javascript"] },
};

export interface ControllerParts {
  readonly extensionId: string;
  execute(kind: ControllerKind, cells: readonly vscode.NotebookCell[], controller: vscode.NotebookController): void;
  interrupt(notebook: vscode.NotebookDocument): Promise<void>;
  /** Another kernel was chosen for the notebook. */
  onDeselected(notebook: vscode.NotebookDocument, kind: ControllerKind): void;
}

export class Controllers implements vscode.Disposable {
  readonly #parts: ControllerParts;
  readonly #controllers: ReadonlyMap<ControllerKind, vscode.NotebookController>;
  readonly #selected = new Map<string, ControllerKind>();
  readonly #changed = new vscode.EventEmitter<vscode.NotebookDocument>();
  readonly #listener: vscode.Disposable;

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    this.#controllers = new Map((["python", "node"] as const).map((kind) => [kind, this.#create(kind)]));
    for (const notebook of vscode.workspace.notebookDocuments) this.#recommend(notebook);
    this.#listener = vscode.workspace.onDidOpenNotebookDocument((notebook) => this.#recommend(notebook));
  }

  dispose(): void {
    this.#listener.dispose();
    this.#changed.dispose();
    for (const controller of this.#controllers.values()) controller.dispose();
  }

  get(kind: ControllerKind): vscode.NotebookController {
    const controller = this.#controllers.get(kind);
    if (controller === undefined) throw new Error(`there is no controller ${kind}`);
    return controller;
  }

  /** Which of ours runs the notebook, if one does. */
  selected(notebook: vscode.NotebookDocument): ControllerKind | undefined {
    return this.#selected.get(notebook.uri.toString());
  }

  /** Chooses one of ours for a notebook that is shown. @throws Error when the editor does not take it. */
  async select(editor: vscode.NotebookEditor, kind: ControllerKind): Promise<void> {
    const { notebook } = editor;
    if (this.selected(notebook) === kind) return;
    const chosen = this.untilSelected(notebook, kind);
    await vscode.commands.executeCommand("notebook.selectKernel", { notebookEditor: editor, id: KINDS[kind].id, extension: this.#parts.extensionId });
    await chosen;
  }

  /** Resolves when the controller runs the notebook. */
  untilSelected(notebook: vscode.NotebookDocument, kind: ControllerKind): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        listener.dispose();
        act();
      };
      const look = () => (this.selected(notebook) === kind ? settle(resolve) : undefined);
      const timer = setTimeout(() => settle(() => reject(new Error(`The editor did not choose the kernel ${KINDS[kind].label}.`))), SELECT_TIMEOUT_MS);
      const listener = this.#changed.event(look);
      look();
    });
  }

  #create(kind: ControllerKind): vscode.NotebookController {
    const { id, label, description, languages } = KINDS[kind];
    const controller = vscode.notebooks.createNotebookController(id, NOTEBOOK_TYPE, label);
    controller.description = description;
    controller.supportedLanguages = [...languages];
    controller.supportsExecutionOrder = true;
    controller.executeHandler = (cells) => {
      requireTrust("Running a cell");
      this.#parts.execute(kind, cells, controller);
    };
    controller.interruptHandler = (notebook) => this.#parts.interrupt(notebook);
    controller.onDidChangeSelectedNotebooks(({ notebook, selected }) => this.#onSelected(kind, notebook, selected));
    return controller;
  }

  #onSelected(kind: ControllerKind, notebook: vscode.NotebookDocument, selected: boolean): void {
    const key = notebook.uri.toString();
    if (selected) this.#selected.set(key, kind);
    else if (this.#selected.get(key) === kind) this.#selected.delete(key);
    if (!selected && !notebook.isClosed) this.#parts.onDeselected(notebook, kind);
    this.#changed.fire(notebook);
  }

  /** The one for the notebook's language stands first in the list, and is chosen when nobody else offers one. */
  #recommend(notebook: vscode.NotebookDocument): void {
    if (notebook.notebookType !== NOTEBOOK_TYPE) return;
    const kind = kindOf(languageOf(notebook));
    if (kind !== undefined) this.get(kind).updateNotebookAffinity(notebook, vscode.NotebookControllerAffinity.Preferred);
  }
}

/** The controller for cells of a language. */
export function kindOf(language: string): ControllerKind | undefined {
  return (["python", "node"] as const).find((kind) => (KINDS[kind].languages as readonly string[]).includes(language));
}

/** What the file says, else what its first cell of code is written in. */
function languageOf(notebook: vscode.NotebookDocument): string {
  const { metadata } = notebook.metadata as { metadata?: { language_info?: { name?: string }; kernelspec?: { language?: string } } };
  const said = metadata?.language_info?.name ?? metadata?.kernelspec?.language;
  return said ?? notebook.getCells().find(({ kind }) => kind === vscode.NotebookCellKind.Code)?.document.languageId ?? "";
}
