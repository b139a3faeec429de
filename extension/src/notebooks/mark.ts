/** By what a reloaded window finds a cell again: its address in the editor is another one by then. */
import { createHash } from "node:crypto";
import type * as vscode from "vscode";

type MarkedCell = Pick<vscode.NotebookCell, "index" | "metadata"> & { readonly document: Pick<vscode.TextDocument, "getText"> };

interface Mark {
  /** The id in the .ipynb file, where it has one. */
  readonly id: string | null;
  readonly index: number;
  readonly hash: string;
}

export function markOf(cell: MarkedCell): string {
  return JSON.stringify(parts(cell));
}

/** The cell with the same id, else the one at the same place with the same text, else the only one with that text. */
export function findMarked<Cell extends MarkedCell>(cells: readonly Cell[], mark: string): Cell | undefined {
  const { id, index, hash } = JSON.parse(mark) as Mark;
  const marked = cells.map((cell) => ({ cell, ...parts(cell) }));
  const byId = id === null ? undefined : marked.find((entry) => entry.id === id);
  const sameText = marked.filter((entry) => entry.hash === hash);
  const found = byId ?? sameText.find((entry) => entry.index === index) ?? (sameText.length === 1 ? sameText[0] : undefined);
  return found?.cell;
}

function parts(cell: MarkedCell): Mark {
  const id = (cell.metadata as { id?: unknown }).id;
  return { id: typeof id === "string" ? id : null, index: cell.index, hash: createHash("sha256").update(cell.document.getText()).digest("hex").slice(0, 16) };
}
