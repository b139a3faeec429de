/** A notebook in the workbench, as a person sees it. Cells are named by their place in the file, cells of text included. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Frame, Locator } from "playwright-core";
import { until } from "../support/until.ts";
import { JOB_TIMEOUT_MS } from "./timeouts.ts";
import type { Workbench } from "./workbench.ts";

/** All cells of the examples are in sight. */
const TALL = { width: 1280, height: 3000 };

export class NotebookPage {
  readonly #workbench: Workbench;
  readonly #name: string;

  private constructor(workbench: Workbench, name: string) {
    this.#workbench = workbench;
    this.#name = name;
  }

  static async open(workbench: Workbench, name: string): Promise<NotebookPage> {
    await workbench.page.setViewportSize(TALL);
    await workbench.quickInput.chooseInPalette(name, name);
    const notebook = new NotebookPage(workbench, name);
    await notebook.isShown();
    return notebook;
  }

  /** After a window was reloaded, too. */
  async isShown(): Promise<void> {
    await this.#workbench.tab(this.#name).waitFor();
    await this.#rows.first().waitFor();
  }

  get #rows(): Locator {
    return this.#workbench.page.locator(".notebookOverlay:visible .code-cell-row");
  }

  row(index: number): Locator {
    return this.#workbench.page.locator(`.notebookOverlay:visible .monaco-list-row[data-index="${index}"]`);
  }

  async runAll(): Promise<void> {
    await this.#workbench.runCommand("Notebook: Run All");
  }

  /** Puts the cursor into the cell. */
  async focus(index: number): Promise<void> {
    await this.row(index).locator(".monaco-editor .view-line").first().click();
  }

  async run(index: number): Promise<void> {
    await this.focus(index);
    await this.row(index).locator(".run-button-container .codicon-notebook-execute").click();
  }

  /** From the palette. */
  async onBurla(index: number): Promise<void> {
    await this.focus(index);
    await this.#workbench.runCommand("Burla: Run Cell on Burla");
  }

  /** By the button in the cell's toolbar. */
  async clickOnBurla(index: number): Promise<void> {
    await this.focus(index);
    await this.row(index).hover();
    await this.row(index).locator('.cell-title-toolbar [aria-label^="Run Cell on Burla"]').click();
  }

  async succeeded(index: number): Promise<void> {
    await this.row(index).locator(".codicon-notebook-state-success").waitFor({ timeout: JOB_TIMEOUT_MS });
  }

  async failed(index: number): Promise<void> {
    await this.row(index).locator(".codicon-notebook-state-error").waitFor({ timeout: JOB_TIMEOUT_MS });
  }

  /** Resolves when the cursor is in the line of the cell that holds the text. */
  async hasCursorAt(index: number, text: string): Promise<void> {
    const [line, current] = [this.row(index).locator(".view-line", { hasText: text }), this.row(index).locator(".view-overlays .current-line").first()];
    await until(`the cursor is at ${text}`, async () => {
      const [lineBox, currentBox] = [await line.boundingBox(), await current.boundingBox()];
      return lineBox !== null && currentBox !== null && Math.abs(lineBox.y - currentBox.y) < lineBox.height / 2;
    });
  }

  /** What the cell's status bar says. */
  async says(index: number, text: string | RegExp): Promise<void> {
    await this.statusItem(index, text).waitFor({ timeout: JOB_TIMEOUT_MS });
  }

  statusItem(index: number, text: string | RegExp): Locator {
    return this.row(index).locator(".cell-statusbar-container .cell-status-item", { hasText: text }).first();
  }

  /** Some output shows it. */
  async prints(text: string): Promise<void> {
    await this.#workbench.webview(`.output_container:has-text(${JSON.stringify(text)})`, JOB_TIMEOUT_MS);
  }

  /** What a cell shows of its job, by the name of its function. */
  async job(name: string): Promise<JobOutput> {
    return new JobOutput(await this.#workbench.webview(`article.job:has(.name:text-is("${name}"))`, JOB_TIMEOUT_MS), name);
  }

  save(): Promise<void> {
    return this.#workbench.runCommand("File: Save");
  }
}

export class JobOutput {
  readonly root: Locator;

  constructor(frame: Frame, name: string) {
    this.root = frame.locator(`article.job:has(.name:text-is("${name}"))`);
  }

  button(name: string | RegExp): Locator {
    return this.root.getByRole("button", { name });
  }

  /** As in a narrow editor, or a magnified one. */
  async setSize(width: string, zoom: number): Promise<void> {
    const size = { width, zoom: String(zoom) };
    await this.root.evaluate((element, style) => void Object.assign((element as unknown as { getRootNode(): { host: { style: object } } }).getRootNode().host.style, style), size);
  }

  async says(text: string | RegExp): Promise<void> {
    await this.root.filter({ hasText: text }).waitFor({ timeout: JOB_TIMEOUT_MS });
  }
}

interface CodeCell {
  readonly id: string;
  readonly text: string;
  /** Before which it is put; at the end without it. */
  readonly before?: number;
}

/** Adds cells to a notebook's file, and takes outputs away. */
export async function addCells(file: string, cells: readonly CodeCell[]): Promise<void> {
  const notebook = JSON.parse(await readFile(file, "utf8")) as { cells: object[] };
  for (const { id, text, before = notebook.cells.length } of cells) {
    notebook.cells.splice(before, 0, { cell_type: "code", execution_count: null, id, metadata: {}, outputs: [], source: [text] });
  }
  await writeFile(file, JSON.stringify(notebook));
}

export const exampleFile = (workspace: string, name: string) => join(workspace, "examples", "notebooks", name);
