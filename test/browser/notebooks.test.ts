/** A person works with notebooks: cells run here, then on a cluster; some break, one is stopped, the window is reloaded. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { ensureJupyter, PYTHON } from "../../scripts/jupyter/install.ts";
import { root } from "../../scripts/vscode/paths.ts";
import { JupyterServer, TOKEN } from "../support/jupyter-server.ts";
import { cutOffIn, NARROW } from "./cut-off.ts";
import { addCells, exampleFile, NotebookPage } from "./notebook-page.ts";
import { JOB_TIMEOUT_MS } from "./timeouts.ts";
import { useWorkbench } from "./workbench.ts";

ensureJupyter();
const workspace = await mkdtemp(join(tmpdir(), "burla-notebooks-"));
after(() => rm(workspace, { recursive: true, force: true }));
await cp(join(root, "examples", "notebooks"), join(workspace, "examples", "notebooks"), { recursive: true });
await cp(join(root, "test", "browser", "notebook-workspace"), workspace, { recursive: true });
for (const name of ["vega-datasets", "d3-array", "internmap", "d3-random"]) await cp(join(root, "node_modules", name), join(workspace, "node_modules", name), { recursive: true });
await addCells(exampleFile(workspace, "forecast.ipynb"), [{ id: "keep", text: "here, errors = errors, errors", before: 5 }, { id: "compare", text: "print('as here:', errors == here, errors is not here)" }]);
await addCells(exampleFile(workspace, "delays.ipynb"), [{ id: "keep", text: "const here = intervals;", before: 5 }, { id: "compare", text: 'console.log("as here:", JSON.stringify(intervals) === JSON.stringify(here), intervals !== here)' }]);

// A Python without packages, and nowhere to get them from.
assert.equal(spawnSync(PYTHON, ["-m", "venv", join(workspace, ".venv")]).status, 0);
process.env["PIP_NO_INDEX"] = "1";

const test = useWorkbench({ workspace });

test("the Python example runs here, then its cell on a cluster that starts on the way: the results are the same", async (workbench) => {
  const notebook = await NotebookPage.open(workbench, "forecast.ipynb");
  await notebook.runAll();
  await notebook.prints("as here: True False");
  await workbench.page.locator(".notebookOverlay:visible .kernel-label, .notebook-editor .kernel-label, .kernel-action-view-item", { hasText: /Burla \(Python 3\.\d+\.\d+/ }).first().waitFor();
  await notebook.clickOnBurla(4);
  await workbench.notification(/No cluster is running/).waitFor();
  const question = await workbench.webview("article.question", JOB_TIMEOUT_MS);
  await workbench.screenshot("notebook-0-question", 1500);
  await question.getByRole("button", { name: "Start Cluster" }).click();
  const job = await notebook.job("error_of");
  await job.says(/of 180 inputs/);
  await workbench.screenshot("notebook-1-running", 1500);
  await notebook.says(4, /Burla · Local cluster · 180 inputs in/);
  await notebook.succeeded(4);
  await notebook.run(6);
  await notebook.run(7);
  await notebook.prints("as here: True True");
  await workbench.screenshot("notebook-2-done", 1500);
});

test("the TypeScript example as well, and its plot is drawn", async (workbench) => {
  const notebook = await NotebookPage.open(workbench, "delays.ipynb");
  await notebook.runAll();
  await notebook.prints("as here: true false");
  await notebook.onBurla(4);
  await notebook.says(4, /Burla · Local cluster · \d+ inputs in/);
  await notebook.succeeded(4);
  await notebook.run(6);
  await notebook.run(7);
  await notebook.prints("as here: true true");
  await workbench.webview("svg circle, img", JOB_TIMEOUT_MS);
  await notebook.focus(7);
  await workbench.screenshot("notebook-3-plot", 2300);
});

test("inputs that fail show their own line; mended, they run again, and they alone", async (workbench) => {
  const notebook = await NotebookPage.open(workbench, "checks.ipynb");
  await notebook.run(0);
  await notebook.succeeded(0);
  await notebook.onBurla(1);
  const job = await notebook.job("check");
  await job.says(/10 inputs have failed/);
  await notebook.failed(1);
  await job.says(/raise ValueError/);
  await workbench.screenshot("notebook-4-failed", 1100);
  for (const [width, zoom] of NARROW) {
    await job.setSize(`${width}px`, zoom);
    await workbench.screenshot(`notebook-narrow-${width}-${zoom}`, 1100);
    assert.deepEqual(await cutOffIn(job.root, ".spoken, .bar, .lines, pre"), [], `at ${width} pixels, magnified ${zoom} times`);
  }
  await job.setSize("", 1);
  await job.button("Line 5").first().click();
  await notebook.hasCursorAt(1, "raise ValueError");
  await notebook.run(2);
  await notebook.succeeded(2);
  await job.button("Run Failed Inputs Again").click();
  await notebook.says(1, /Burla · Local cluster · 10 inputs in/);
  await notebook.succeeded(1);
  await notebook.run(3);
  await notebook.prints("all checked: True");
  await workbench.screenshot("notebook-5-again", 1100);
});

test("the keys run the focused cell, wherever the cursor was before", async (workbench) => {
  const notebook = await NotebookPage.open(workbench, "keys.ipynb");
  const { keyboard } = workbench.page;
  await notebook.focus(0);
  for (const key of ["Escape", "Escape", "ArrowDown", "ArrowDown", "Control+Shift+Alt+Enter"]) await keyboard.press(key);
  await notebook.says(2, /Burla · Local cluster · 20 inputs in/);
  for (const key of ["ArrowUp", "Control+Shift+Alt+Enter"]) await keyboard.press(key);
  await notebook.says(1, /Burla · Local cluster · 20 inputs in/);
  for (const index of [0, 3]) assert.equal(await notebook.statusItem(index, /Burla/).count(), 0, String(index));
});

test("the editor's own keys run cells here, with no other extension: in a cell, and with the focus on it", async (workbench) => {
  const notebook = await NotebookPage.open(workbench, "keys.ipynb");
  const { keyboard } = workbench.page;
  await notebook.focus(0);
  await keyboard.press("Control+Enter");
  await notebook.succeeded(0);
  await notebook.focus(3);
  for (const key of ["Escape", "Shift+Enter"]) await keyboard.press(key);
  await notebook.succeeded(3);
});

test("a Python that lacks what runs notebooks gets it by a button, and what goes wrong is said in the cell", async (workbench) => {
  const notebook = await NotebookPage.open(workbench, "keys.ipynb");
  await notebook.focus(0);
  await workbench.runCommand("Burla: Choose Python of the Notebook…");
  await workbench.quickInput.choose(/\.venv/);
  await notebook.run(0);
  const asks = workbench.notification(/lacks what runs notebooks: ipykernel and cloudpickle/);
  await asks.waitFor();
  await asks.getByRole("button", { name: "Install ipykernel" }).click();
  await notebook.prints("ipykernel could not be installed into");
});

test("the log of the cell's job is a click away", async (workbench) => {
  const notebook = await NotebookPage.open(workbench, "checks.ipynb");
  await notebook.statusItem(1, /Burla/).click();
  await workbench.panel(/checking\s\d+/).waitFor();
  await workbench.runCommand("View: Toggle Panel Visibility");
});

test("a reload of the window in the middle: the cell goes on, and its results are all there", async (workbench) => {
  const notebook = await NotebookPage.open(workbench, "checks.ipynb");
  await notebook.onBurla(4);
  await (await notebook.job("slow")).says(/[1-9]\d* of 400 inputs/);
  await workbench.reload();
  await notebook.isShown();
  await notebook.says(4, /Burla · Local cluster · 400 inputs in/);
  await workbench.screenshot("notebook-6-reloaded", 1100);
  await notebook.succeeded(4);
  await notebook.run(5);
  await notebook.prints("all slept: True");
});

test("a cell is stopped by the button in its output", async (workbench) => {
  const notebook = await NotebookPage.open(workbench, "checks.ipynb");
  await notebook.onBurla(4);
  const job = await notebook.job("slow");
  await job.says(/[1-9]\d* of 400 inputs/);
  await job.button("Cancel").click();
  await notebook.says(4, /cancelled after/);
  await notebook.failed(4);
  await workbench.screenshot("notebook-7-cancelled", 1100);
});

test("a cell asks its user: the answer reaches it, a password is not shown, and who closes the box stops the cell", async (workbench) => {
  const { quickInput } = workbench;
  const asks = (text: string) => quickInput.message.filter({ hasText: text }).waitFor({ timeout: JOB_TIMEOUT_MS });
  const notebook = await NotebookPage.open(workbench, "asks.ipynb");
  await notebook.run(0);
  await asks("Your name?");
  await workbench.screenshot("notebook-9-asks", 1100);
  await quickInput.answer("Ada");
  await asks("Your word?");
  await quickInput.answerHidden("secret");
  await notebook.prints("hello Ada, 6 characters");
  await notebook.run(1);
  await asks("And yours?");
  await quickInput.answer("Grace");
  await notebook.prints("hello Grace");
  await notebook.run(0);
  await asks("Your name?");
  await quickInput.dismiss();
  await notebook.failed(0);
});

test("a Jupyter server is chosen by its address and its token", async (workbench) => {
  const { quickInput } = workbench;
  const server = new JupyterServer();
  try {
    await server.start();
    const notebook = await NotebookPage.open(workbench, "asks.ipynb");
    await workbench.runCommand("Burla: Choose Python of the Notebook…");
    await quickInput.choose(/A Jupyter Server…/);
    await quickInput.answer(server.url);
    await quickInput.answerHidden(TOKEN);
    await notebook.run(2);
    await notebook.prints(`child of ${server.pid}`);
  } finally {
    await server.stop();
  }
});

test("the saved file says by itself what has run", async (workbench) => {
  const notebook = await NotebookPage.open(workbench, "checks.ipynb");
  await notebook.save();
  await workbench.page.locator(".tabs-container .tab.dirty", { hasText: "checks.ipynb" }).waitFor({ state: "detached", timeout: JOB_TIMEOUT_MS });
  const saved = await readFile(join(workbench.workspace, "checks.ipynb"), "utf8");
  assert.match(saved, /"text\/plain": \[[^\]]*slow was cancelled/);
  assert.match(saved, /"text\/html"/);
  assert.match(saved, /"jobId": "job-/);
});

for (const theme of ["dark", "high contrast", "high contrast light", "light"] as const) {
  test(`a job that a window has left behind says so, in the theme ${theme}`, async (workbench) => {
    await NotebookPage.open(workbench, "saved.ipynb");
    await workbench.setTheme(theme);
    const frame = await workbench.webview('article.job:has-text("Left behind")');
    await frame.getByRole("button", { name: "Go On with the Job" }).first().waitFor();
    await workbench.screenshot(`notebook-8-${theme.replaceAll(" ", "-")}`);
  });
}
