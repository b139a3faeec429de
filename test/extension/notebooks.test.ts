/** Notebooks in the extension host: cells on kernels of our own, here and on the real local cluster. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, suiteSetup, suiteTeardown, teardown, test } from "mocha";
import * as vscode from "vscode";
import type { ExtensionApi } from "../../extension/src/extension.ts";
import { COMMANDS, type CommandId } from "../../extension/src/contributions.ts";
import { cellViewOf } from "../../extension/src/notebooks/cell-view.ts";
import { JupyterServer, TOKEN } from "../support/jupyter-server.ts";
import { processesWith } from "../support/processes.ts";
import { until } from "../support/until.ts";

const END_TIMEOUT_MS = 240_000;

let api: ExtensionApi;

suiteSetup(async () => {
  const extension = vscode.extensions.getExtension<ExtensionApi>("burla.burla-vscode");
  assert.ok(extension !== undefined);
  api = await extension.activate();
  await vscode.workspace.getConfiguration().update("burla.cluster.autoStart", "always", vscode.ConfigurationTarget.Global);
});

/** Each open notebook has the toolbars of its cells drawn: of a dozen the editor says that they are too many (`listener LEAK`). */
teardown(closeNotebooks);

/** A document may live on without an editor, when the editor's own reader of .ipynb files still writes to it. */
async function closeNotebooks(): Promise<void> {
  const areOpen = () => vscode.window.tabGroups.all.some(({ tabs }) => tabs.some(({ input }) => input instanceof vscode.TabInputNotebook));
  while (areOpen()) await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
}

suiteTeardown(async () => {
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
  async onBurla(index: number, command: CommandId = COMMANDS.runCellOnBurla): Promise<vscode.NotebookCell> {
    const cell = this.cell(index);
    const ended = this.ended(index);
    await vscode.commands.executeCommand(command, cell);
    await ended;
    return cell;
  }

  /** Resolves when the cell has come to its next end. */
  ended(index: number): Promise<void> {
    let hasBegun = false;
    return this.until(index, ({ executionSummary }) => {
      if (executionSummary === undefined) return false;
      hasBegun ||= executionSummary.timing === undefined;
      return hasBegun && executionSummary.timing !== undefined;
    });
  }

  /** Resolves when the text of the cell's outputs fits. */
  async shows(index: number, pattern: RegExp): Promise<void> {
    if (!pattern.test(textOf(this.cell(index)))) await this.until(index, () => pattern.test(textOf(this.cell(index))));
  }

  /** Resolves with the first change of the cell that fits. */
  until(index: number, fits: (change: vscode.NotebookDocumentCellChange) => boolean): Promise<void> {
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

suite("what goes wrong on the cluster", () => {
  const FAILS = "def check(n):\n    if n % 10 == broken:\n        raise ValueError(f'no check for {n}')\n    return n";

  test("a failed input shows its line; mended, the failed inputs run again, and they alone", async () => {
    const notebook = await Notebook.open("python", "broken = 3", `${FAILS}\nchecked = [check(n) for n in range(100)]`, "broken = -1", "checked == list(range(100))");
    await notebook.run(0);
    const cell = await notebook.onBurla(1);
    assert.equal(cell.executionSummary?.success, false);
    const failed = cellViewOf(cell);
    assert.equal(failed?.failed, 10);
    assert.equal(failed.done, 90);
    assert.deepEqual(failed.failures.map(({ index }) => index).slice(0, 2), [3, 13]);
    assert.match(failed.failures[0]?.source ?? "", /raise ValueError/);
    assert.equal(failed.failures[0]?.line, 3);
    await notebook.run(2);
    await notebook.onBurla(1, COMMANDS.rerunFailedCellInputs);
    assert.equal(cell.executionSummary?.success, true, textOf(cell));
    assert.equal(cellViewOf(cell)?.done, 10);
    assert.equal(textOf(await notebook.run(3)), "True");
  });

  test("a cell that is one call is split at the line in the way", async () => {
    const loop = "for n in range(3):\n    total = step(total, n)";
    const notebook = await Notebook.open("python", "def step(a, b):\n    return a + b\ntotal = 0", `before = 1\n${loop}\nprint(total)`);
    await notebook.run(0);
    const cell = await notebook.onBurla(1);
    assert.ok([2, 3].includes(cellViewOf(cell)?.noteLine ?? 0), JSON.stringify(cellViewOf(cell)));
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>("vscode.executeCodeActionProvider", cell.document.uri, new vscode.Range(0, 0, 3, 0), vscode.CodeActionKind.QuickFix.value);
    const fix = actions.find(({ command }) => command?.command === COMMANDS.splitCell);
    assert.ok(fix?.command !== undefined);
    await vscode.commands.executeCommand(fix.command.command, ...(fix.command.arguments ?? []));
    assert.deepEqual([0, 1, 2].map((index) => notebook.cell(1 + index).document.getText()), ["before = 1", loop, "print(total)"]);
  });

  test("cells of a Python file run in a session of their file, in a notebook beside it", async () => {
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
    await mkdir(join(folder, "percent"), { recursive: true });
    const uri = vscode.Uri.file(join(folder, "percent", "cells.py"));
    await writeFile(join(folder, "percent", "beside.py"), "def twice(x):\n    return 2 * x\n");
    await writeFile(uri.fsPath, "# %%\nfrom beside import twice\nxs = range(20)\n\n# %%\nys = [twice(x) for x in xs]\nsum(ys)\n");
    await vscode.window.showTextDocument(uri);
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>("vscode.executeCodeLensProvider", uri, 10);
    const lens = lenses.find(({ command, range }) => command?.command === COMMANDS.runPercentCell && range.start.line === 4);
    const above = lenses.find(({ command }) => command?.command === COMMANDS.runPercentCellsAbove);
    assert.ok(lens?.command !== undefined && above?.command !== undefined);
    await vscode.commands.executeCommand(above.command.command, ...(above.command.arguments ?? []));
    await vscode.commands.executeCommand(lens.command.command, ...(lens.command.arguments ?? []));
    const notebook = vscode.window.visibleNotebookEditors.find(({ notebook: shown }) => shown.cellCount === 3)?.notebook;
    const cell = notebook?.cellAt(2) as vscode.NotebookCell;
    await until("the cell has ended", () => cell.executionSummary?.success !== undefined);
    assert.match(textOf(cell), /\|380$/);
    assert.equal(cellViewOf(cell)?.done, 20);
  });

  test("a cell is cancelled while its job runs, and its kernel lives on", async () => {
    const notebook = await Notebook.open("python", "import time\nkept = 5", "slept = [time.sleep(60) for n in range(4)]", "kept");
    await notebook.run(0);
    const ended = notebook.onBurla(1);
    await notebook.until(1, () => cellViewOf(notebook.cell(1))?.phase === "running");
    await vscode.commands.executeCommand(COMMANDS.cancelCell, notebook.cell(1));
    const cell = await ended;
    assert.equal(cell.executionSummary?.success, false);
    assert.equal(cellViewOf(cell)?.phase, "cancelled");
    await api.shell.hub.until("local", ({ status }) => status?.jobs.some(({ phase, jobId }) => jobId === cellViewOf(cell)?.jobId && phase === "cancelled") === true, new AbortController().signal);
    assert.match(api.shell.origins.of(cellViewOf(cell)?.jobId ?? "")?.place ?? "", new RegExp(`^.+\\.ipynb · cell ${cell.index + 1}$`));
    assert.equal(textOf(await notebook.run(2)), "5");
  });

  test("a kernel that is killed leaves the job, which goes on in a new kernel, at the second try too", async () => {
    const notebook = await Notebook.open("python", "import os, time\nnumbers = range(12)\nos.getpid()", "def slow(n):\n    time.sleep(0.5)\n    return n * 2\nslowly = [slow(n) for n in numbers]", "slowly == [n * 2 for n in range(12)]");
    const pid = Number(textOf(await notebook.run(0)));
    const ended = notebook.onBurla(1);
    await notebook.until(1, () => (cellViewOf(notebook.cell(1))?.done ?? 0) > 0);
    process.kill(pid, "SIGKILL");
    const cell = await ended;
    const jobId = cellViewOf(cell)?.jobId;
    assert.equal(cell.executionSummary?.success, false);
    assert.match(textOf(cell), /kernel has died.*Go On with the Job/s);
    // The new kernel does not know the cell's inputs: that fails, and takes nothing away.
    await notebook.onBurla(1, COMMANDS.pickUpCellJob);
    assert.match(textOf(cell), /NameError/);
    assert.equal(cellViewOf(cell)?.jobId, jobId);
    await notebook.run(0);
    await notebook.onBurla(1, COMMANDS.pickUpCellJob);
    assert.equal(cell.executionSummary.success, true, textOf(cell));
    assert.equal(cellViewOf(cell)?.jobId, jobId);
    assert.equal(textOf(await notebook.run(2)), "True");
  });

  test("a kernel that dies ends its cell, and the next cell has a new one", async () => {
    const notebook = await Notebook.open("python", "import os; os._exit(3)", "'alive'");
    const dead = await notebook.run(0);
    assert.equal(dead.executionSummary?.success, false);
    assert.match(textOf(dead), /kernel/i);
    assert.equal(textOf(await notebook.run(1)), "'alive'");
  });
});

suite("a notebook that the Jupyter extension runs", () => {
  test("its own kernel runs the cell on the cluster, and goes on", async () => {
    const notebook = await Notebook.open("python", "import os\nstarted = os.getpid()\nfactor = 3", "tripled = [factor * n for n in range(50)]", "tripled == [3 * n for n in range(50)], started == os.getpid()");
    await vscode.commands.executeCommand("notebook.selectKernel", { notebookEditor: vscode.window.activeNotebookEditor, id: "python-stand-in", extension: "ms-toolsai.jupyter" });
    await notebook.run(0);
    const cell = await notebook.onBurla(1);
    assert.equal(cell.executionSummary?.success, true, textOf(cell));
    assert.equal(cellViewOf(cell)?.done, 50);
    assert.equal(textOf(await notebook.run(2)), "(True, True)");
    assert.ok(!api.controller.isSelected(notebook.document));
  });
});

suite("a Jupyter server by the settings", () => {
  const set = (address: string | undefined) => vscode.workspace.getConfiguration().update("burla.notebooks.jupyterServer", address, vscode.ConfigurationTarget.Global);

  test("its kernel runs cells here and on the cluster, and ends with its notebook", async () => {
    const server = new JupyterServer();
    try {
      await server.start();
      await set(`${server.url}?token=${TOKEN}`);
      const notebook = await Notebook.open("python", "import os\nos.getppid()", "doubled = [2 * n for n in range(20)]", "doubled == [2 * n for n in range(20)]");
      assert.equal(textOf(await notebook.run(0)), String(server.pid));
      const cell = await notebook.onBurla(1);
      assert.equal(cell.executionSummary?.success, true, textOf(cell));
      assert.equal(textOf(await notebook.run(2)), "True");
      assert.equal(await server.kernelCount(), 1);
      await closeNotebooks();
      await until("the server's kernel has ended", async () => (await server.kernelCount()) === 0);
    } finally {
      await set(undefined);
      await server.stop();
    }
  });

  test("one that is not there is named, with what to do", async () => {
    try {
      await set("http://127.0.0.1:9/");
      const notebook = await Notebook.open("python", "1");
      const cell = await notebook.run(0);
      assert.equal(cell.executionSummary?.success, false);
      assert.match(textOf(cell), /127\.0\.0\.1:9.*Check the address and the token of the Jupyter server/s);
    } finally {
      await set(undefined);
    }
  });
});

suite("much", () => {
  test("a hundred thousand lines of a cell do not get lost, nor the order of its outputs", async () => {
    const notebook = await Notebook.open("python", "for n in range(100_000): print('line', n)\n'over'");
    const cell = await notebook.run(0);
    const [stdout = "", value = ""] = textOf(cell).split("|");
    assert.equal(stdout.split("\n").length, 100_001);
    assert.match(stdout, /line 99999\n$/);
    assert.equal(value, "'over'");
  });

  test("a million inputs and a hundred thousand lines of their calls: every result is there, and the editor answers meanwhile", async () => {
    const notebook = await Notebook.open("python", "def count(n):\n    if n % 10 == 0: print('counting', n)\n    return n + 1", "counted = [count(n) for n in range(1_000_000)]", "counted == list(range(1, 1_000_001))");
    await notebook.run(0);
    const longest = longestPause();
    const cell = await notebook.onBurla(1);
    console.log(`    the extension host was busy for ${longest.stop()} ms at most; the job took ${cellViewOf(cell)?.elapsedMs} ms`);
    assert.equal(cell.executionSummary?.success, true, textOf(cell));
    const view = cellViewOf(cell);
    assert.equal(view?.done, 1_000_000);
    assert.equal(view.log.total, 100_000);
    assert.equal(textOf(await notebook.run(2)), "True");
  }).timeout(300_000);
});

/** How long the extension host did not come round. */
function longestPause(): { stop(): number } {
  let [last, longest] = [performance.now(), 0];
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, 10);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.round(longest);
    },
  };
}
