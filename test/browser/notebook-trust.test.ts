/** In a folder that is not trusted a notebook may be read, and none of its cells runs, here or on a cluster. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { processesWith } from "../support/processes.ts";
import { NotebookPage } from "./notebook-page.ts";
import { useWorkbench } from "./workbench.ts";

const test = useWorkbench({ asksForTrust: true, workspace: fileURLToPath(new URL("notebook-workspace", import.meta.url)) });

test("a cell does not run on a cluster, and it is said why", async (workbench) => {
  await workbench.statusBarItem("Restricted Mode").waitFor();
  const notebook = await NotebookPage.open(workbench, "checks.ipynb");
  await notebook.onBurla(0);
  await workbench.notification(/Running a cell runs code of this workspace, which is not trusted/).waitFor();
  await workbench.screenshot("notebook-restricted", 800);
  assert.equal(workbench.cluster.isAnnounced, false);
  assert.deepEqual(processesWith(workbench.cluster.home).filter(({ command }) => command.includes("keeper.mjs")), []);
});

test("another Python is not chosen either", async (workbench) => {
  await NotebookPage.open(workbench, "checks.ipynb");
  await workbench.runCommand("Burla: Choose Python of the Notebook…");
  await workbench.notification(/Running a cell runs code of this workspace, which is not trusted/).first().waitFor();
  assert.equal(await workbench.quickInput.box.isVisible(), false);
});
