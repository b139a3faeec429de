/** A person starts a cluster on Google Cloud from the status bar, runs a function there, and stops it. Google is an emulator. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after } from "node:test";
import type { Locator } from "playwright-core";
import { Cloud } from "../gce/cloud.ts";
import { Script } from "../support/script.ts";
import { until } from "../support/until.ts";
import { JOB_TIMEOUT_MS } from "./timeouts.ts";
import { useWorkbench, type Workbench } from "./workbench.ts";

const ZONES = ["us-central1-a", "us-central1-b", "us-central1-c", "us-central1-f"];
const SPEC = { name: "trial", provider: "gce", groups: [{ name: "small", count: 1, machineType: "e2-small", zones: ["us-central1-a"] }] };
const SLEEPS = `
const sleeps = (n) => new Promise((resolve) => setTimeout(resolve, 600_000, n));
await remoteParallelMap(sleeps, [1]).toArray().catch(() => {});
`;

let cloud: Cloud;
const test = useWorkbench(async () => {
  cloud = await Cloud.start({ zones: ZONES });
  return { environment: cloud.emulator.environment };
});
after(() => cloud.close());

const question = (workbench: Workbench, name: string) => workbench.dialog(`Start the cluster ${name} on Google Cloud`);
const button = (inside: Locator, name: string) => inside.getByRole("button", { name, exact: true });

async function ask(workbench: Workbench): Promise<void> {
  await workbench.statusBarItem(/Burla: /).click();
  await workbench.quickInput.choose(/Start a Cluster on Google Cloud/);
}

test("what the project lacks is told with its cure, and nothing is made; when it is there the price is asked about", async (workbench) => {
  await writeFile(join(workbench.workspace, "cloud.json"), JSON.stringify(SPEC));
  const { enabledServices } = cloud.emulator.state;
  const services = [...enabledServices];
  enabledServices.clear();
  await ask(workbench);
  await workbench.quickInput.choose(/cloud\.json/);
  const missing = workbench.dialog("cannot be started in the project demo-project yet");
  await missing.getByText("gcloud services enable compute.googleapis.com --project demo-project").waitFor();
  await workbench.screenshot("cloud-missing-light");
  for (const service of services) enabledServices.add(service);
  await button(missing, "Check Again").click();
  await question(workbench, "trial").getByText(/1 × e2-small, us-central1 \(small\): \$0\.\d+ per hour/).waitFor();
  await workbench.screenshot("cloud-price-light");
  await button(question(workbench, "trial"), "Cancel").click();
  await workbench.statusBarItem("Burla: off").waitFor();
  assert.deepEqual(cloud.emulator.resources, []);
});

test("Enter accepts every answer of a usual cluster; a start that is cancelled removes what was made", async (workbench) => {
  await ask(workbench);
  await workbench.quickInput.choose(/2 nodes/);
  for (const step of ["region", "project", "name"]) {
    await workbench.quickInput.box.getByText(`: ${step}`).waitFor();
    await workbench.quickInput.input.press("Enter");
  }
  await button(question(workbench, "cloud"), "Start Cluster").click();
  await workbench.statusBarItem("Burla: starting").waitFor();
  await until("main's machine is made", () => cloud.emulator.instances.some(({ resource }) => resource.status === "RUNNING"));
  // No machine for a node: it does not become ready before it is cancelled.
  for (const zone of ZONES) cloud.emulator.faults.refuse(zone);
  const progress = workbench.notification("Starting cloud on Google Cloud");
  await progress.getByText("0 of 2 nodes ready").waitFor({ timeout: JOB_TIMEOUT_MS });
  assert.notDeepEqual(cloud.emulator.resources, []);
  await progress.hover();
  await button(progress, "Cancel").click();
  await workbench.notification("Nothing of the cluster cloud is left on Google Cloud").waitFor();
  assert.deepEqual(cloud.emulator.resources, []);
  await workbench.statusBarItem("Burla: off").waitFor();
  for (const zone of ZONES) cloud.emulator.faults.allow(zone);
});

test("a start that fails says why, and is tried again; then it runs, is the current one, says what it costs, and runs a function", async (workbench) => {
  cloud.emulator.faults.refuse("us-central1-a");
  await ask(workbench);
  await workbench.quickInput.choose(/cloud\.json/);
  await button(question(workbench, "trial"), "Start Cluster").click();
  const failed = workbench.dialog("The cluster trial could not be started");
  await failed.getByText("does not have enough resources").waitFor();
  cloud.emulator.faults.allow("us-central1-a");
  await button(failed, "Try Again").click();
  await workbench.statusBarItem(/Burla: 1 node · \$0\.\d+\/h/).waitFor({ timeout: JOB_TIMEOUT_MS });
  await workbench.openSidebar("Burla");
  await workbench.treeRow(/trial: running/).waitFor();
  await workbench.runCommand("Notifications: Clear All Notifications");
  await workbench.screenshot("cloud-running-light");
  await writeFile(join(workbench.workspace, "texts.json"), JSON.stringify(["a b", "c d e"]));
  await workbench.openFile("scores.ts");
  await workbench.lens("Run on Burla").first().click();
  await workbench.quickInput.choose(/A File/);
  await workbench.quickInput.choose(/texts\.json/);
  await workbench.treeRow(/score: done/).waitFor({ timeout: JOB_TIMEOUT_MS });
});

test("a stop asks when a job runs, and removes everything", async (workbench) => {
  const script = Script.start(workbench.cluster, SLEEPS, { env: { ...cloud.emulator.environment, BURLA_CLUSTER: "trial" } });
  await workbench.statusBarItem(/Burla: sleeps/).click();
  await workbench.quickInput.choose(/Stop Cluster/);
  const stops = workbench.dialog("Stop the cluster trial on Google Cloud?");
  await stops.getByText("1 job will stop").waitFor();
  await button(stops, "Stop Cluster").click();
  await workbench.notification("Nothing of the cluster trial is left on Google Cloud").waitFor({ timeout: JOB_TIMEOUT_MS });
  assert.deepEqual(cloud.emulator.resources, []);
  await until("its machines are off", () => cloud.emulator.processes.length === 0);
  await workbench.statusBarItem("Burla: off").waitFor();
  script.kill("SIGKILL");
  await script.ended();
});
