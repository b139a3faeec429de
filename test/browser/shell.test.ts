/** A person sees that no cluster runs, starts one, watches a script's job, finds what failed, and stops the cluster. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Script } from "../support/script.ts";
import { useWorkbench, type Workbench } from "./workbench.ts";

const test = useWorkbench();

/** Two seconds of work for two workers, a tenth of which fails; then it waits until it is told to go on. */
const SCORE = `
import { existsSync } from "node:fs";

const go = process.argv[2];

async function score(index) {
  if (index % 40 === 7) throw new RangeError("empty document");
  console.log(index * 31 % 900 + " words");
  if (index % 90 === 3) console.warn("no title");
  while (index >= 420 && !existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 20));
  return index;
}

const results = remoteParallelMap(score, Array.from({ length: 1000 }, (_, index) => index), { onError: "continue" });
for await (const _ of results.settled());
`;

/** Most often 42 %. On a slow machine a worker may have given inputs back, and wait in a later one before anybody has taken them. */
const RUNNING = /Burla: score [1-4]\d%/;

test("nothing runs: the status bar and the side bar say so, and offer to start", async (workbench) => {
  await workbench.statusBarItem("Burla: off").waitFor();
  await workbench.openSidebar("Burla");
  await workbench.welcome("No cluster is running").waitFor();
  assert.equal(workbench.cluster.isAnnounced, false, "nothing was started");
  await screenshots(workbench, "shell-off");
});

test("a click on the status bar offers what can be done, and does nothing by itself", async (workbench) => {
  await workbench.statusBarItem("Burla: off").click();
  await workbench.quickInput.row(/Start Cluster/).waitFor();
  await workbench.screenshot("shell-actions-off-light");
  await workbench.quickInput.dismiss();
  assert.equal(workbench.cluster.isAnnounced, false);
});

test("the cluster starts from the status bar", async (workbench) => {
  await workbench.statusBarItem("Burla: off").click();
  await workbench.quickInput.choose(/Start Cluster/);
  await workbench.statusBarItem(/Burla: \d+ nodes/).waitFor();
  await workbench.treeRow(/Local cluster: running/).waitFor();
  await workbench.treeRow(/local-1: ready/).waitFor();
  await workbench.toggleRow(/local-1: ready/);
  await workbench.treeRow(/: warm/).first().waitFor();
  await screenshots(workbench, "shell-ready");
});

test("a job of a script appears, with its failed inputs and its log", async (workbench) => {
  const go = join(workbench.workspace, "go");
  await workbench.openFile("scores.ts");
  const script = Script.start(workbench.cluster, SCORE, { args: [go] });
  await workbench.statusBarItem(RUNNING).waitFor();
  await workbench.treeRow(/score: running [1-4]\d%/).click();
  await workbench.toggleRow(/Failed inputs/);
  await workbench.treeRow(/#\d+ RangeError: empty document/).first().waitFor();
  await workbench.treeRow("Show log").click();
  await workbench.panel(/words/).waitFor();
  await screenshots(workbench, "shell-running");
  await hoverStatusBar(workbench);
  await screenshots(workbench, "shell-tooltip");
  await workbench.page.mouse.move(640, 300);
  await writeFile(go, "");
  await workbench.treeRow(/score: done, 25 failed/).waitFor();
  assert.equal((await script.ended()).code, 0);
});

test("the line of a failed input opens with a click", async (workbench) => {
  await workbench.treeRow(/#\d+ RangeError/).first().click();
  await workbench.page.locator(".editor-instance .view-line", { hasText: /throw\snew\sRangeError/ }).waitFor();
  await screenshots(workbench, "shell-failed");
});

test("a cluster by address is added, and chosen again after a reload", async (workbench) => {
  const { url, token } = workbench.cluster.address;
  await workbench.runCommand("Burla: Add Cluster…");
  await workbench.quickInput.answer(url);
  await answerSecretly(workbench, "not the token");
  await workbench.dialog("refuses the token").getByRole("button", { name: "Add Anyway" }).click();
  await workbench.quickInput.box.getByText("Add Cluster (3/3): name").waitFor();
  await workbench.quickInput.answer("Team");
  await workbench.treeRow(/Team: error/).waitFor();
  await workbench.screenshot("shell-refused-light");
  await workbench.runCommand("Burla: Try Again");
  await answerSecretly(workbench, token);
  await workbench.treeRow(/Team: running/).waitFor();
  await workbench.treeRow(/Local cluster: running/).waitFor();
  await workbench.screenshot("shell-two-clusters-light");
  await workbench.reload();
  await workbench.openSidebar("Burla");
  // This browser forgets secrets when it reloads; the choice is the workspace's.
  await workbench.treeRow(/Team: \w+\s*current/).waitFor();
  await workbench.runCommand("Burla: Choose Cluster…");
  await workbench.quickInput.choose(/Local cluster/);
  await workbench.treeRow(/Local cluster: running\s*current/).waitFor();
});

test("a start on Google Cloud without credentials shows machines and prices first, then how to sign in", async (workbench) => {
  await workbench.runCommand("Burla: Start a Cluster on Google Cloud…");
  await workbench.quickInput.row(/2 nodes/).getByText(/\$\d/).first().waitFor();
  await workbench.screenshot("shell-cloud-sizes-light");
  await workbench.quickInput.choose(/2 nodes/);
  await workbench.quickInput.box.getByText(": region").waitFor();
  await workbench.quickInput.input.press("Enter");
  const asks = workbench.dialog("Google Cloud does not know who you are here");
  await asks.getByText("Nothing costs anything before you have seen the price").waitFor({ timeout: 60_000 });
  await workbench.screenshot("shell-cloud-sign-in-light");
  await asks.getByRole("button", { name: "Cancel" }).click();
  await workbench.treeRow(/Local cluster: running/).waitFor();
});

test("a stop asks when a job runs, and goes on when the answer is no", async (workbench) => {
  const script = Script.start(workbench.cluster, SCORE, { args: [join(workbench.workspace, "never")] });
  await workbench.statusBarItem(RUNNING).click();
  await workbench.quickInput.choose(/Stop Cluster/);
  await workbench.dialog("Stop the local cluster?").waitFor();
  await workbench.screenshot("shell-stop-light");
  await workbench.dialog("Stop the local cluster?").getByRole("button", { name: "Cancel" }).click();
  await workbench.statusBarItem(/Burla: score/).waitFor();
  await workbench.treeRow(/score: running/).click({ button: "right" });
  await workbench.page.locator(".monaco-menu .action-item", { hasText: "Cancel Job" }).hover();
  await workbench.page.keyboard.press("Enter");
  await workbench.dialog("Cancel score?").getByRole("button", { name: "Cancel Job" }).click();
  await workbench.treeRow(/score: cancelled/).waitFor();
  await script.ended();
  await workbench.runCommand("Burla: Clear Jobs That Have Ended");
  await workbench.treeRow(/score: cancelled/).waitFor({ state: "detached" });
});

test("the cluster stops from the status bar", async (workbench) => {
  await workbench.statusBarItem(/Burla: \d+ nodes/).click();
  await workbench.quickInput.choose(/Stop Cluster/);
  await workbench.statusBarItem("Burla: off").waitFor();
  assert.equal(workbench.cluster.isAnnounced, false);
  assert.deepEqual((["main", "node", "worker"] as const).flatMap((role) => workbench.cluster.processes(role)), []);
});

test("the walkthrough has a picture for every step", async (workbench) => {
  await hide(workbench, ".part.sidebar", "Control+B");
  await hide(workbench, ".part.panel", "Control+J");
  await workbench.runCommand("Burla: Get Started");
  for (const [name, title, says] of STEPS) {
    await workbench.page.locator(`.getting-started-step[data-step-id$="#${name}"]`, { hasText: title }).click();
    await workbench.webview(`svg >> text=${says}`);
    await workbench.screenshot(`shell-walkthrough-${name}`);
  }
});

/** Steps of the walkthrough, and words of their pictures. */
const STEPS = [
  ["start", "Start a cluster", "Burla: starting (1/2)"],
  ["run", "Run a function", "A thousand inputs"],
  ["watch", "See what it does", "nothing to count"],
  ["grow", "Go beyond this machine", "A cluster of many"],
] as const;

async function hide({ page }: Workbench, part: string, keys: string): Promise<void> {
  if (await page.locator(part).isVisible()) await page.keyboard.press(keys);
  await page.locator(part).waitFor({ state: "hidden" });
}

async function answerSecretly(workbench: Workbench, text: string): Promise<void> {
  const secret = workbench.quickInput.box.locator("input[type=password]");
  await secret.fill(text);
  await secret.press("Enter");
}

async function hoverStatusBar(workbench: Workbench): Promise<void> {
  await workbench.statusBarItem(/Burla: score/).hover();
  await workbench.page.locator(".monaco-hover", { hasText: "in use" }).waitFor();
}

async function screenshots(workbench: Workbench, name: string): Promise<void> {
  for (const theme of ["dark", "high contrast", "light"] as const) {
    await workbench.setTheme(theme);
    await workbench.screenshot(`${name}-${theme.replaceAll(" ", "-")}`);
  }
}
