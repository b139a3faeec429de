/** In a folder that is not trusted a person may look, and is told what running needs. */
import assert from "node:assert/strict";
import { useWorkbench } from "./workbench.ts";

const test = useWorkbench({ asksForTrust: true });

test("looking works, starting says that it needs trust", async (workbench) => {
  await workbench.statusBarItem("Restricted Mode").waitFor();
  await workbench.statusBarItem("Burla: off").waitFor();
  await workbench.openSidebar("Burla");
  await workbench.welcome("Starting one needs a trusted workspace").waitFor();
  await workbench.screenshot("shell-restricted-light");
  await workbench.statusBarItem("Burla: off").click();
  await workbench.quickInput.choose(/Start Cluster/);
  await workbench.notification(/Starting a cluster runs code of this workspace, which is not trusted/).waitFor();
  assert.equal(workbench.cluster.isAnnounced, false);
});

test("nor does one start on Google Cloud", async (workbench) => {
  await workbench.runCommand("Notifications: Clear All Notifications");
  await workbench.notification(/not trusted/).waitFor({ state: "hidden" });
  await workbench.statusBarItem("Burla: off").click();
  await workbench.quickInput.choose(/Start a Cluster on Google Cloud/);
  await workbench.notification(/Starting a cluster runs code of this workspace, which is not trusted/).waitFor();
});
