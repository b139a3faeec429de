/** Owns what runs the notebooks of this window, and finds the kernels again that an earlier window has left. */
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as vscode from "vscode";
import { localOptions } from "../settings.ts";
import type { KernelChoice, Snapshot } from "../keeper/messages.ts";
import { kindOf, NOTEBOOK_TYPE, type Controller, type KernelKind } from "./controller.ts";
import { startKeeper } from "./keeper-link.ts";
import { findMarked } from "./mark.ts";
import { NotebookKernel } from "./notebook-kernel.ts";
import { Session } from "./session.ts";

const KEPT_KEY = "burla.notebooks.kernels";

const KINDS: readonly KernelKind[] = ["python", "node"];

const keyOf = (notebook: vscode.NotebookDocument, kind: KernelKind) => `${kind} ${notebook.uri.toString()}`;

export interface SessionsParts {
  readonly context: Pick<vscode.ExtensionContext, "workspaceState" | "globalStorageUri" | "extensionUri">;
  readonly output: vscode.LogOutputChannel;
  /** Which kernel a notebook uses. */
  choose(notebook: vscode.NotebookDocument, kind: KernelKind): Promise<KernelChoice>;
}

export class Sessions implements vscode.Disposable {
  readonly #parts: SessionsParts;
  readonly #sessions = new Map<string, Session>();
  readonly #listener: vscode.Disposable;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#listener = vscode.workspace.onDidCloseNotebookDocument((notebook) => this.end(notebook));
  }

  /** The one of the notebook for such cells, made when it is needed first. Starts nothing. */
  of(notebook: vscode.NotebookDocument, kind: KernelKind): Session {
    const key = keyOf(notebook, kind);
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const session: Session = new Session({
      start: (shown) => this.#start(notebook, kind, shown, session),
      onKernel: (kernel) => this.#keep(key, kernel === null ? undefined : kernel.address),
    });
    this.#sessions.set(key, session);
    return session;
  }

  /** Those that the notebook has. */
  all(notebook: vscode.NotebookDocument): Session[] {
    return KINDS.flatMap((kind) => this.#sessions.get(keyOf(notebook, kind)) ?? []);
  }

  /** Ends the kernels of the notebook, or one of them. */
  end(notebook: vscode.NotebookDocument, kinds: readonly KernelKind[] = KINDS): void {
    for (const kind of kinds) {
      this.#sessions.get(keyOf(notebook, kind))?.end();
      this.#sessions.delete(keyOf(notebook, kind));
    }
  }

  /** Goes on with the kernels of the window that was here before, as their notebooks appear. */
  resumeAll(controller: Controller): vscode.Disposable {
    const resume = (notebook: vscode.NotebookDocument) => {
      for (const kind of KINDS) void this.#resume(notebook, kind, controller);
    };
    for (const notebook of vscode.workspace.notebookDocuments) resume(notebook);
    return vscode.workspace.onDidOpenNotebookDocument(resume);
  }

  dispose(): void {
    this.#listener.dispose();
    for (const session of this.#sessions.values()) session.leave();
  }

  async #resume(notebook: vscode.NotebookDocument, kind: KernelKind, controller: Controller): Promise<void> {
    const key = keyOf(notebook, kind);
    const address = this.#kept()[key];
    if (address === undefined || this.#sessions.has(key)) return;
    const session = this.of(notebook, kind);
    const executionOf = ({ mark }: Snapshot) => {
      const cell = findMarked(notebook.getCells(), mark);
      return cell === undefined ? null : controller.begin(cell);
    };
    try {
      await session.resume(async (shown) => {
        const opened = await NotebookKernel.open(address, shown, () => session.forget());
        await controller.untilSelected(notebook);
        return opened;
      }, executionOf);
    } catch (error) {
      this.#parts.output.info(`The ${kind} kernel of ${notebook.uri.fsPath} is not there any more: ${error instanceof Error ? error.message : String(error)}`);
      this.#keep(key, undefined);
    }
  }

  async #start(notebook: vscode.NotebookDocument, kind: KernelKind, shown: Map<number, vscode.NotebookCellOutput>, session: Session): Promise<NotebookKernel> {
    const { context } = this.#parts;
    const kernel = await this.#parts.choose(notebook, kind);
    const { nodePath } = await localOptions();
    const address = newAddress();
    const program = vscode.Uri.joinPath(context.extensionUri, "extension", "dist", "keeper.mjs").fsPath;
    await startKeeper(program, nodePath, { socket: address, kernel, spoolFolder: join(context.globalStorageUri.fsPath, "outputs") });
    const { kernel: opened } = await NotebookKernel.open(address, shown, () => session.forget());
    return opened;
  }

  /** Where kernels are, for the next window. */
  #kept(): Readonly<Record<string, string>> {
    return this.#parts.context.workspaceState.get<Record<string, string>>(KEPT_KEY, {});
  }

  #keep(key: string, address: string | undefined): void {
    const { [key]: _, ...others } = this.#kept();
    void this.#parts.context.workspaceState.update(KEPT_KEY, address === undefined ? others : { ...others, [key]: address });
  }
}

/** Whoever knows the address may use the kernel: the folder is the user's alone, and the name of a pipe cannot be guessed. */
function newAddress(): string {
  const id = randomUUID();
  if (process.platform === "win32") return `\\\\.\\pipe\\burla-kernel-${id}`;
  const folder = process.env["XDG_RUNTIME_DIR"] ?? tmpdir();
  return join(folder, `burla-kernels-${process.getuid?.() ?? 0}`, `${id.slice(0, 18)}.sock`);
}

/** In the metadata of a notebook that stands for another file: that one's folder. */
export const FOLDER_KEY = "burlaFolder";

/** Where the code of a notebook runs, and imports from. */
export function folderOf(notebook: vscode.NotebookDocument): string {
  const given: unknown = notebook.metadata[FOLDER_KEY];
  if (notebook.isUntitled && typeof given === "string") return given;
  if (notebook.uri.scheme === "file") return dirname(notebook.uri.fsPath);
  return vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? process.cwd();
}

/** What runs a cell, if one of ours can. */
export function kindOfCell(cell: vscode.NotebookCell): KernelKind | undefined {
  return cell.notebook.notebookType === NOTEBOOK_TYPE && cell.kind === vscode.NotebookCellKind.Code ? kindOf(cell.document.languageId) : undefined;
}
