/** A person runs a function of a file over inputs, and works with its results. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Frame, Locator } from "playwright-core";
import { root } from "../../scripts/vscode/paths.ts";
import { numbers } from "../support/inputs.ts";
import { cutOffIn, NARROW } from "./cut-off.ts";
import { useWorkbench, type Workbench } from "./workbench.ts";

const INPUTS = 1_000;
const MANY = 100_000;
/** Of jobs: they share two cores with everything else. */
const JOB_TIMEOUT_MS = 120_000;

/** A language server that is there, and says nothing: errors in the file shall be ours. */
const settings = { "typescript.tsdk": join(root, "node_modules", "typescript", "lib"), "typescript.validate.enable": false };
const test = useWorkbench({ settings, workspace: fileURLToPath(new URL("run-workspace", import.meta.url)) });

/** In a browser a webview of the editor's now and then stays empty, before any page of ours: a person loads the window again. */
async function results(workbench: Workbench): Promise<Results> {
  const shown = await workbench.webview(".grid").catch(() => undefined);
  if (shown !== undefined) return new Results(shown);
  console.warn("The webview stayed empty: the window is loaded again.");
  await workbench.reload();
  await workbench.runCommand("Burla: Show Results");
  return new Results(await workbench.webview(".grid"));
}

/** The results view, as a person sees it. */
class Results {
  readonly frame: Frame;

  constructor(frame: Frame) {
    this.frame = frame;
  }

  get grid(): Locator {
    return this.frame.getByRole("grid", { name: "Results" });
  }

  /** Those in sight, or nearly. */
  get rows(): Locator {
    return this.frame.locator(".body .row");
  }

  get details(): Locator {
    return this.frame.locator(".details");
  }

  row(text: string | RegExp): Locator {
    return this.rows.filter({ hasText: text }).first();
  }

  button(name: string | RegExp): Locator {
    return this.frame.getByRole("button", { name });
  }

  status(text: string | RegExp): Promise<void> {
    return this.frame.locator(".status", { hasText: text }).waitFor({ timeout: JOB_TIMEOUT_MS });
  }

  /** Resolves when the table has so many rows. */
  shows(count: number): Promise<void> {
    return this.frame.locator(`.grid[aria-rowcount="${count + 1}"]`).waitFor();
  }
}

test("a click on the lens, a file of a thousand inputs, a cluster that starts on the way: the table fills", async (workbench) => {
  const lines = numbers(INPUTS).map((id) => `${JSON.stringify({ id, text: "lorem ipsum ".repeat(id % 9).trim() })}\n`);
  await writeFile(join(workbench.workspace, "documents.ndjson"), lines.join(""));
  await workbench.openFile("score.ts");
  await workbench.lens("Run on Burla").first().waitFor();
  await workbench.screenshot("run-1-lens");
  await workbench.lens("Run on Burla").first().click();
  await workbench.quickInput.row(/documents/).waitFor();
  await workbench.screenshot("run-2-inputs");
  await workbench.quickInput.choose(/A File/);
  await workbench.quickInput.row(/documents\.ndjson/).waitFor();
  await workbench.screenshot("run-3-file");
  await workbench.quickInput.choose(/documents\.ndjson/);
  await workbench.notification(/No cluster is running/).waitFor();
  const view = await results(workbench);
  await view.status("Waiting for a cluster…");
  await workbench.screenshot("run-3-question");
  await view.button("Start Cluster").click();
  await view.row(/"words":/).waitFor({ timeout: JOB_TIMEOUT_MS });
  await workbench.screenshot("run-4-filling");
  await view.status(/^Done: 1,000 inputs · 10 failed/);
  await view.shows(INPUTS);
  await workbench.screenshot("run-5-done");
});

/** What is shown behind a line that has thrown. */
function thrownIn(workbench: Workbench, text: string): Locator {
  return workbench.editor("score.ts").locator(".view-line", { hasText: text }).locator('[class*="ced-"]').first();
}

test("the log of the run is in the panel", async (workbench) => {
  await workbench.runCommand("Burla: Show Log of This Run");
  await workbench.panel(/scoring\s\d+/).waitFor();
  await workbench.screenshot("run-6-log");
  await workbench.runCommand("Burla: Show Results");
});

test("a failed input: its error, its line", async (workbench) => {
  const view = await results(workbench);
  await view.button(/^Failed/).click();
  await view.shows(10);
  await view.row("142").click();
  await view.details.getByText("RangeError: no score for 142").waitFor();
  await workbench.screenshot("run-7-failed");
  await view.button("Go to Line").click();
  await workbench.statusBarItem(/Ln 9, Col/).waitFor();
  await thrownIn(workbench, "throw new RangeError").waitFor({ state: "attached" });
  assert.equal(await workbench.editor("score.ts").locator(".squiggly-error").count(), 0);
  await workbench.screenshot("run-8-line");
});

test("errors that say the same are one group, of which a test can be copied", async (workbench) => {
  await workbench.runCommand("Burla: Show Results");
  const view = await results(workbench);
  await view.button(/^Failed/).click();
  const group = view.button("10 × RangeError: no score for 42");
  await workbench.screenshot("run-8-groups");
  await group.click();
  await view.shows(10);
  await workbench.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await view.frame.locator(".groups").getByRole("button", { name: "Copy as Test Case" }).click();
  await workbench.statusBarItem(/A test of input 42 is on the clipboard/).waitFor();
  const copied = await workbench.page.evaluate(() => (globalThis as unknown as { navigator: { clipboard: { readText(): Promise<string> } } }).navigator.clipboard.readText());
  assert.match(copied, /import \{ score \} from "\.\/score\.ts";[^]*await score\(\{ id: 42, text: "[^]*" \}\);/);
  await isWholeWhenNarrow(workbench, view);
  await view.button(/^All/).click();
});

/** In a panel of 130 pixels, and in one that is magnified twice, everything can be read. */
async function isWholeWhenNarrow(workbench: Workbench, { frame, rows, details }: Results): Promise<void> {
  await rows.first().click();
  await details.getByText("Error", { exact: true }).waitFor();
  const host = await frame.frameElement();
  const setWidth = (width: string) => host.evaluate((element, value) => {
    const { style } = element as unknown as { style: { width: string } };
    const before = style.width;
    style.width = value;
    return before;
  }, width);
  const widthBefore = await setWidth("130px");
  for (const [width, zoom] of NARROW) {
    await setWidth(`${width}px`);
    await frame.evaluate(`document.documentElement.style.zoom = ${zoom}`);
    await frame.waitForFunction(`innerWidth === ${width}`);
    await workbench.screenshot(`run-narrow-${width}-${zoom}`);
    assert.deepEqual(await cutOffIn(frame.locator("main"), ".grid, .spoken, .bar"), [], `at ${width} pixels, magnified ${zoom} times`);
  }
  await frame.evaluate("document.documentElement.style.zoom = 1");
  await setWidth(widthBefore);
}

test("every column orders the rows, fields of the values too", async (workbench) => {
  const view = await results(workbench);
  const head = view.frame.getByRole("columnheader", { name: "words" });
  const topIs = (text: string) => view.frame.locator("#row-0", { hasText: text }).waitFor();
  await head.getByRole("button").click();
  await topIs('"words":1}');
  assert.equal(await head.getAttribute("aria-sort"), "ascending");
  await head.getByRole("button").press("Enter");
  await topIs('"words":16}');
  assert.equal(await head.getAttribute("aria-sort"), "descending");
  await workbench.screenshot("run-8-ordered");
  await head.getByRole("button").press("Enter");
  assert.equal(await head.getAttribute("aria-sort"), "none");
});

test("mended, the failed inputs run again, and they alone", async (workbench) => {
  const file = join(workbench.workspace, "score.ts");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace("throw new RangeError(`no score for ${document.id}`)", "return { id: document.id, words: -1 }"));
  await workbench.editor("score.ts").locator(".view-line", { hasText: "words: -1" }).waitFor();
  await thrownIn(workbench, "words: -1").waitFor({ state: "detached" });
  const view = await results(workbench);
  await view.button("Run Failed Again").click();
  await view.status(/^Done: 1,000 inputs · in/);
  await view.shows(INPUTS);
  await view.frame.getByRole("searchbox").fill('"words":-1');
  await view.shows(10);
  await workbench.screenshot("run-9-again");
  await view.frame.getByRole("searchbox").fill("");
  await view.shows(INPUTS);
});

test("the keyboard goes through the rows and opens a value", async (workbench) => {
  const view = await results(workbench);
  await view.frame.getByRole("columnheader", { name: "#" }).click();
  await view.grid.focus();
  for (const key of ["Home", "ArrowDown", "ArrowDown"]) await view.grid.press(key);
  await view.details.getByText("Input 2", { exact: true }).waitFor();
  assert.equal(await view.grid.getAttribute("aria-activedescendant"), "row-2");
  assert.equal(await view.frame.locator("#row-2").getAttribute("aria-rowindex"), "4");
  await view.grid.press("Enter");
  await workbench.tab(/score, input 2/).waitFor();
  await workbench.screenshot("run-10-value");
  await workbench.page.keyboard.press("Control+F4");
});

test("three inputs are tried first, with what all of them would take", async (workbench) => {
  await workbench.openFile("score.ts");
  await workbench.lens("Try on 3").first().click();
  await workbench.quickInput.choose(/A File/);
  await workbench.quickInput.choose(/documents\.ndjson/);
  const view = await results(workbench);
  await view.status(/^Tried 3 inputs · in .* · all 1,000: at most about .* on 2 workers$/);
  await view.shows(3);
  await view.button("Run All").waitFor();
  await workbench.screenshot("run-0-tried");
  await workbench.runCommand("Burla: Show Earlier Runs…");
  await workbench.quickInput.row(/3 inputs|a trial/).waitFor();
  await workbench.screenshot("run-0-runs");
  await workbench.quickInput.choose(/1,000 inputs/);
  await view.status(/^Done: 1,000 inputs/);
  await workbench.runCommand("Burla: Open Results as Notebook…");
  await workbench.quickInput.choose(/Python/);
  await workbench.page.locator(".notebookOverlay .view-line", { hasText: "pd.json_normalize(results)" }).waitFor();
  await workbench.screenshot("run-0-notebook");
  await workbench.runCommand("View: Revert and Close Editor");
  await workbench.page.locator(".notebookOverlay .view-line", { hasText: "pd.json_normalize(results)" }).waitFor({ state: "hidden" });
});

test("what would be sent is shown: what of the file, what not, how much", async (workbench) => {
  await workbench.openFile("score.ts");
  await workbench.editor("score.ts").locator(".view-line", { hasText: "double" }).click();
  await workbench.runCommand("Burla: Show What Is Sent with a Function");
  await workbench.tab(/What is sent with double/).waitFor();
  await workbench.page.locator(".view-lines", { hasText: /code:\s+[\d.]+\s/ }).first().waitFor();
  await workbench.screenshot("run-11-preview");
});

test("a hundred thousand rows scroll", async (workbench) => {
  await workbench.page.locator(".tabs-container .tab", { hasText: "score.ts" }).first().click();
  await workbench.lens("Run on Burla").nth(1).click();
  await workbench.quickInput.choose(/An Expression/);
  await workbench.quickInput.answer(`Array.from({ length: ${MANY} }, (_, i) => i)`);
  const view = await results(workbench);
  await view.status(/^Done: 100,000 inputs/);
  await view.shows(MANY);
  await view.grid.focus();
  await view.grid.press("End");
  await view.frame.locator(`#row-${MANY - 1}`, { hasText: "✓ done" }).waitFor();
  assert.ok((await view.rows.count()) < 200, "only rows in sight are in the page");
  await view.grid.evaluate((grid: { scrollTop: number; readonly scrollHeight: number }) => void (grid.scrollTop = grid.scrollHeight / 2));
  await view.frame.locator(`#row-${MANY / 2}`, { hasText: "✓ done" }).waitFor();
  await view.frame.getByRole("searchbox").fill("199998");
  await view.shows(1);
  await view.row("99,999").waitFor();
  await workbench.screenshot("run-12-many");
  await view.frame.getByRole("searchbox").fill("");
  await view.shows(MANY);
});

test("a reloaded window shows the last run again", async (workbench) => {
  await workbench.reload();
  await workbench.runCommand("Burla: Show Results");
  const view = await results(workbench);
  await view.status(/^Done: 100,000 inputs/);
  // The editor keeps what a page was searched for at its own pace: the search may be there again, or not.
  await view.frame.getByRole("searchbox").fill("");
  await view.shows(MANY);
});

test("a window that is reloaded while a job runs goes on with it", async (workbench) => {
  await workbench.openFile("score.ts");
  await workbench.lens("Run on Burla").nth(2).click();
  await workbench.quickInput.choose(/An Expression/);
  await workbench.quickInput.answer("Array.from({ length: 1200 }, (_, i) => i)");
  const before = await results(workbench);
  await before.status(/^Running: \d+ (of|so far)/);
  await before.row("✓ done").waitFor();
  await workbench.reload();
  await workbench.runCommand("Burla: Show Results");
  const view = await results(workbench);
  await view.status(/^Done: 1,200 inputs/);
  await view.shows(1_200);
});

test("the view takes every theme", async (workbench) => {
  const view = await results(workbench);
  await view.frame.getByRole("combobox", { name: "Run" }).selectOption({ index: 3 });
  await view.status(/^Done: 1,000 inputs/);
  await view.row(/lorem/).click();
  await view.details.getByText("Result", { exact: true }).waitFor();
  for (const theme of ["dark", "high contrast", "high contrast light", "light"] as const) {
    await workbench.setTheme(theme);
    await workbench.screenshot(`run-theme-${theme.replaceAll(" ", "-")}`);
  }
});
