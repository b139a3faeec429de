/**
 * Burla's own kernel in the editor's list. It is one for all three languages: the editor takes the only kernel that there
 * is without a question, and a notebook may mix them.
 */
import * as vscode from "vscode";
import { requireTrust } from "../trust.ts";

export const NOTEBOOK_TYPE = "jupyter-notebook";
const ID = "burla.kernel";
const LABEL = "Burla";
const SELECT_TIMEOUT_MS = 15_000;

/** What runs a cell: a Python kernel, or a Node session. */
export type KernelKind = "python" | "node";

const KIND_OF: Readonly<Record<string, KernelKind>> = { python: "python", typescript: "node", javascript: "node" };

export interface ControllerParts {
  readonly extensionId: string;
  execute(cell: vscode.NotebookCell, execution: vscode.NotebookCellExecution): void;
  interrupt(notebook: vscode.NotebookDocument): Promise<void>;
  /** Another kernel was chosen for the notebook. */
  onDeselected(notebook: vscode.NotebookDocument): void;
}

export class Controller implements vscode.Disposable {
  readonly #parts: ControllerParts;
  readonly #controller: vscode.NotebookController;
  readonly #selected = new Set<string>();
  readonly #changed = new vscode.EventEmitter<void>();

  constructor(parts: ControllerParts) {
    this.#parts = parts;
    this.#controller = vscode.notebooks.createNotebookController(ID, NOTEBOOK_TYPE, LABEL);
    this.#controller.description = "Python, TypeScript and JavaScript";
    this.#controller.detail = "Cells run here, or on a cluster";
    this.#controller.supportedLanguages = Object.keys(KIND_OF);
    this.#controller.supportsExecutionOrder = true;
    this.#controller.executeHandler = (cells) => {
      requireTrust("Running a cell");
      for (const cell of cells) parts.execute(cell, this.begin(cell));
    };
    this.#controller.interruptHandler = (notebook) => parts.interrupt(notebook);
    this.#controller.onDidChangeSelectedNotebooks(({ notebook, selected }) => this.#onSelected(notebook, selected));
  }

  dispose(): void {
    this.#controller.dispose();
    this.#changed.dispose();
  }

  /** Says what runs the notebook that is looked at, beside the kernel's name. */
  describe(what: string | undefined): void {
    const label = what === undefined ? LABEL : `${LABEL} (${what})`;
    if (this.#controller.label !== label) this.#controller.label = label;
  }

  isSelected(notebook: vscode.NotebookDocument): boolean {
    return this.#selected.has(notebook.uri.toString());
  }

  begin(cell: vscode.NotebookCell): vscode.NotebookCellExecution {
    return this.#controller.createNotebookCellExecution(cell);
  }

  /** Chooses it for a notebook that is shown. @throws Error when the editor does not take it. */
  async select(editor: vscode.NotebookEditor): Promise<void> {
    if (this.isSelected(editor.notebook)) return;
    const chosen = this.untilSelected(editor.notebook);
    await vscode.commands.executeCommand("notebook.selectKernel", { notebookEditor: editor, id: ID, extension: this.#parts.extensionId });
    await chosen;
  }

  /** Resolves when it runs the notebook. */
  untilSelected(notebook: vscode.NotebookDocument): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        listener.dispose();
        act();
      };
      const look = () => (this.isSelected(notebook) ? settle(resolve) : undefined);
      const timer = setTimeout(() => settle(() => reject(new Error(`The editor did not choose the kernel ${LABEL}.`))), SELECT_TIMEOUT_MS);
      const listener = this.#changed.event(look);
      look();
    });
  }

  #onSelected(notebook: vscode.NotebookDocument, selected: boolean): void {
    const key = notebook.uri.toString();
    if (selected) this.#selected.add(key);
    else this.#selected.delete(key);
    if (!selected && !notebook.isClosed) this.#parts.onDeselected(notebook);
    this.#changed.fire();
  }
}

/** What runs cells of the language; undefined for another one. */
export function kindOf(language: string): KernelKind | undefined {
  return KIND_OF[language];
}
