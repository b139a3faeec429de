/** Notebooks in the extension host: cells on kernels of our own, here and on the real local cluster. */
import assert from "node:assert/strict";
import { suite, suiteSetup, suiteTeardown, test } from "mocha";
import * as vscode from "vscode";
import type { ExtensionApi } from "../../extension/src/extension.ts";
import { COMMANDS } from "../../extension/src/contributions.ts";
import { cellViewOf } from "../../extension/src/notebooks/cell-view.ts";
import { processesWith } from "../support/processes.ts";
import { until } from "../support/until.ts";

const END_TIMEOUT_MS = 50_000;

let api: ExtensionApi;

suiteSetup(async () => {
  const extension = vscode.extensions.getExtension<ExtensionApi>("burla.burla-vscode");
  assert.ok(extension !== undefined);
  api = await extension.activate();
  await vscode.workspace.getConfiguration().update("burla.cluster.autoStart", "always", vscode.ConfigurationTarget.Global);
});

suiteTeardown(async () => {
  while (vscode.workspace.notebookDocuments.some(({ isClosed }) => !isClosed)) await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
  await until("every kernel has ended with its notebook", () => keepers().length === 0);
  await vscode.commands.executeCommand(COMMANDS.stopCluster);
});

/** Those that this VS Code has started. */
function keepers() {
  return processesWith(process.env["BURLA_HOME"] ?? "nowhere").filter(({ command }) => command.includes("keeper.mjs"));
}

/** A notebook that is open and has one of our kernels. */
class Notebook {
  readonly document: vscode.NotebookDocument;

  private constructor(document: vscode.NotebookDocument) {
    this.document = document;
  }

  static async open(language: string, ...texts: string[]): Promise<Notebook> {
    const cells = texts.map((text) => new vscode.NotebookCellData(vscode.NotebookCellKind.Code, text, language));
    const document = await vscode.workspace.openNotebookDocument("jupyter-notebook", new vscode.NotebookData(cells));
    const editor = await vscode.window.showNotebookDocument(document);
    await api.controller.select(editor);
    return new Notebook(document);
  }

  cell(index: number): vscode.NotebookCell {
    return this.document.cellAt(index);
  }

  /** As the editor's own button does. Resolves at the end. */
  async run(index: number): Promise<vscode.NotebookCell> {
    const cell = this.cell(index);
    const ended = this.ended(index);
    await vscode.commands.executeCommand("notebook.cell.execute", { ranges: [{ start: index, end: index + 1 }], document: this.document.uri });
    await ended;
    return cell;
  }

  /** As the button in the cell's toolbar does. Resolves at the end. */
  async onBurla(index: number): Promise<vscode.NotebookCell> {
    const cell = this.cell(index);
    const ended = this.ended(index);
    await vscode.commands.executeCommand(COMMANDS.runCellOnBurla, cell);
    await ended;
    return cell;
  }

  /** Resolves when the cell has come to its next end. */
  ended(index: number): Promise<void> {
    return this.#until(index, (change) => change.executionSummary?.timing !== undefined);
  }

  /** Resolves when the text of the cell's outputs fits. */
  async shows(index: number, pattern: RegExp): Promise<void> {
    if (!pattern.test(textOf(this.cell(index)))) await this.#until(index, () => pattern.test(textOf(this.cell(index))));
  }

  #until(index: number, fits: (change: vscode.NotebookDocumentCellChange) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const listener = vscode.workspace.onDidChangeNotebookDocument(({ notebook, cellChanges }) => {
        if (notebook === this.document && cellChanges.some((change) => change.cell.index === index && fits(change))) settle(resolve);
      });
      const timer = setTimeout(() => settle(() => reject(new Error(`the cell shows: ${textOf(this.cell(index))}`))), END_TIMEOUT_MS);
      const settle = (act: () => void) => {
        listener.dispose();
        clearTimeout(timer);
        act();
      };
    });
  }
}

function textOf(cell: vscode.NotebookCell): string {
  return cell.outputs.map(({ items }) => items.filter(({ mime }) => /stdout|stderr|error|text\/plain/.test(mime)).map(({ data }) => Buffer.from(data).toString("utf8")).join("")).join("|");
}

function mimesOf(cell: vscode.NotebookCell): string[] {
  return cell.outputs.flatMap(({ items }) => items.map(({ mime }) => mime));
}

suite("TypeScript notebooks", () => {
  test("cells run one after the other in one session", async () => {
    const notebook = await Notebook.open("typescript", 'const square = (x: number) => x * x;\nconsole.log("one");\nconsole.error("two");', "square(7)", 'throw new RangeError("broken")', "square(8)");
    const first = await notebook.run(0);
    assert.equal(textOf(first), "one\n|two\n");
    assert.equal(first.executionSummary?.success, true);
    assert.match(textOf(await notebook.run(1)), /49/);
    const failed = await notebook.run(2);
    assert.equal(failed.executionSummary?.success, false);
    assert.match(textOf(failed), /RangeError.*broken/s);
    assert.match(textOf(await notebook.run(3)), /64/);
    assert.equal(notebook.cell(3).executionSummary?.executionOrder, 4);
  });

  test("a busy cell is interrupted, and the session lives on", async () => {
    const notebook = await Notebook.open("typescript", "let kept = 1;", 'console.log("spinning"); while (true);', "kept");
    await notebook.run(0);
    const ended = notebook.run(1);
    await notebook.shows(1, /spinning/);
    await vscode.commands.executeCommand("notebook.cell.cancelExecution", { ranges: [{ start: 1, end: 2 }], document: notebook.document.uri });
    assert.equal((await ended).executionSummary?.success, false);
    assert.match(textOf(await notebook.run(2)), /1/);
  });
});

suite("Python notebooks", () => {
  test("cells run one after the other in one kernel, with rich outputs", async () => {
    const notebook = await Notebook.open("python", "x = 20\nprint('here')", "import pandas as pd\npd.DataFrame({'n': [x, x + 1]})", "1 / 0", "x + 1");
    assert.equal(textOf(await notebook.run(0)), "here\n");
    assert.ok(mimesOf(await notebook.run(1)).includes("text/html"));
    assert.match(textOf(await notebook.run(2)), /ZeroDivisionError/);
    assert.equal(textOf(await notebook.run(3)), "21");
  });

  test("a display is updated in place, also from a later cell", async () => {
    const notebook = await Notebook.open("python", "from IPython.display import display\nhandle = display('before', display_id=True)\nprint('below')", "handle.update('after')");
    await notebook.run(0);
    await notebook.run(1);
    assert.equal(textOf(notebook.cell(0)), "'after'|below\n");
  });
});


suite("Run Cell on Burla", () => {
  test("a Python cell runs on the cluster, and its results are those of the local run", async () => {
    const cell = "scores = [score(n) for n in range(200)]";
    const notebook = await Notebook.open("python", "def score(n):\n    print('scoring', n)\n    return n * n", cell, "local, scores = scores, None", cell, "scores == local, len(scores)");
    for (const index of [0, 1, 2]) await notebook.run(index);
    const ran = await notebook.onBurla(3);
    assert.equal(ran.executionSummary?.success, true, textOf(ran));
    assert.equal(textOf(await notebook.run(4)), "(True, 200)");
    const view = cellViewOf(ran);
    assert.equal(view?.phase, "done");
    assert.equal(view.done, 200);
  });

  test("a TypeScript cell runs on the cluster, and its results are those of the local run", async () => {
    const cell = "const squares = await Promise.all(numbers.map(square));";
    const notebook = await Notebook.open("typescript", "const numbers = Array.from({ length: 200 }, (_, n) => n);\nconst square = async (n: number) => n * n;", cell, "const local = squares;", cell, "[JSON.stringify(squares) === JSON.stringify(local), squares.length, squares === local].join()");
    for (const index of [0, 1, 2]) await notebook.run(index);
    const ran = await notebook.onBurla(3);
    assert.equal(ran.executionSummary?.success, true, textOf(ran));
    assert.match(textOf(await notebook.run(4)), /true,200,false/);
    assert.equal(cellViewOf(ran)?.done, 200);
  });
});
