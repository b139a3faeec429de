/** Owns what runs the notebooks of this window, and finds the kernels again that an earlier window has left. */
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as vscode from "vscode";
import { localOptions } from "../settings.ts";
import type { KernelChoice, Snapshot } from "../keeper/messages.ts";
import { kindOf, NOTEBOOK_TYPE, type ControllerKind, type Controllers } from "./controllers.ts";
import { startKeeper } from "./keeper-link.ts";
import { findMarked } from "./mark.ts";
import { NotebookKernel } from "./notebook-kernel.ts";
import { Session } from "./session.ts";

const KEPT_KEY = "burla.notebooks.kernels";

/** Where a kernel is, for the next window. */
interface Kept {
  readonly address: string;
  readonly kind: ControllerKind;
}

export interface SessionsParts {
  readonly context: Pick<vscode.ExtensionContext, "workspaceState" | "globalStorageUri" | "extensionUri">;
  readonly output: vscode.LogOutputChannel;
  /** Which kernel a notebook uses. */
  choose(notebook: vscode.NotebookDocument, kind: ControllerKind): Promise<KernelChoice>;
}

export class Sessions implements vscode.Disposable {
  readonly #parts: SessionsParts;
  readonly #sessions = new Map<string, Session>();
  readonly #listener: vscode.Disposable;

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    this.#listener = vscode.workspace.onDidCloseNotebookDocument((notebook) => this.end(notebook));
  }

  /** The one of the notebook, made when it is needed first. Starts nothing. */
  of(notebook: vscode.NotebookDocument, kind: ControllerKind): Session {
    const key = notebook.uri.toString();
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const session: Session = new Session({
      start: (shown) => this.#start(notebook, kind, shown, session),
      onKernel: (kernel) => this.#keep(key, kernel === null ? undefined : { address: kernel.address, kind }),
    });
    this.#sessions.set(key, session);
    return session;
  }

  find(notebook: vscode.NotebookDocument): Session | undefined {
    return this.#sessions.get(notebook.uri.toString());
  }

  end(notebook: vscode.NotebookDocument): void {
    const key = notebook.uri.toString();
    this.#sessions.get(key)?.end();
    this.#sessions.delete(key);
  }

  /** Goes on with the kernels of the window that was here before, as their notebooks appear. */
  resumeAll(controllers: Controllers): vscode.Disposable {
    const resume = (notebook: vscode.NotebookDocument) => {
      const kept = this.#kept()[notebook.uri.toString()];
      if (kept === undefined || this.find(notebook) !== undefined) return;
      void this.#resume(notebook, kept, controllers).catch((error: Error) => {
        this.#parts.output.info(`The kernel of ${notebook.uri.fsPath} is not there any more: ${error.message}`);
        this.find(notebook)?.forget();
        this.#keep(notebook.uri.toString(), undefined);
      });
    };
    for (const notebook of vscode.workspace.notebookDocuments) resume(notebook);
    return vscode.workspace.onDidOpenNotebookDocument(resume);
  }

  dispose(): void {
    this.#listener.dispose();
    for (const session of this.#sessions.values()) session.leave();
  }

  async #resume(notebook: vscode.NotebookDocument, { address, kind }: Kept, controllers: Controllers): Promise<void> {
    await controllers.untilSelected(notebook, kind);
    const session = this.of(notebook, kind);
    const executionOf = ({ mark }: Snapshot) => {
      const cell = findMarked(notebook.getCells(), mark);
      return cell === undefined ? null : controllers.get(kind).createNotebookCellExecution(cell);
    };
    await session.resume((shown) => NotebookKernel.open(address, shown, () => session.forget()), executionOf);
  }

  async #start(notebook: vscode.NotebookDocument, kind: ControllerKind, shown: Map<number, vscode.NotebookCellOutput>, session: Session): Promise<NotebookKernel> {
    const { context } = this.#parts;
    const kernel = await this.#parts.choose(notebook, kind);
    const { nodePath } = await localOptions();
    const address = newAddress();
    const program = vscode.Uri.joinPath(context.extensionUri, "extension", "dist", "keeper.mjs").fsPath;
    await startKeeper(program, nodePath, { socket: address, kernel, spoolFolder: join(context.globalStorageUri.fsPath, "outputs") });
    const { kernel: opened } = await NotebookKernel.open(address, shown, () => session.forget());
    return opened;
  }

  #kept(): Readonly<Record<string, Kept>> {
    return this.#parts.context.workspaceState.get<Record<string, Kept>>(KEPT_KEY, {});
  }

  #keep(key: string, kept: Kept | undefined): void {
    const { [key]: _, ...others } = this.#kept();
    void this.#parts.context.workspaceState.update(KEPT_KEY, kept === undefined ? others : { ...others, [key]: kept });
  }
}

/** Whoever knows the address may use the kernel: the folder is the user's alone, and the name of a pipe cannot be guessed. */
function newAddress(): string {
  const id = randomUUID();
  if (process.platform === "win32") return `\\\\.\\pipe\\burla-kernel-${id}`;
  const folder = process.env["XDG_RUNTIME_DIR"] ?? tmpdir();
  return join(folder, `burla-kernels-${process.getuid?.() ?? 0}`, `${id.slice(0, 18)}.sock`);
}

/** Where the code of a notebook runs, and imports from. */
export function folderOf(notebook: vscode.NotebookDocument): string {
  if (notebook.uri.scheme === "file") return dirname(notebook.uri.fsPath);
  return vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? process.cwd();
}

/** The controller that runs a cell, if one of ours can. */
export function kindOfCell(cell: vscode.NotebookCell): ControllerKind | undefined {
  return cell.notebook.notebookType === NOTEBOOK_TYPE && cell.kind === vscode.NotebookCellKind.Code ? kindOf(cell.document.languageId) : undefined;
}
