/** Removes everything of a cluster on Compute Engine, by its label, and looks that nothing is left. */
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { BurlaError, isGceFailure } from "@burla/protocol";
import { findAnswering } from "../control/stop.ts";
import type { CloudStopped } from "../control/types.ts";
import { clusterDirectory } from "../local-cluster.ts";
import { cloudError, openProject, type GoogleProject } from "./library.ts";

/** Google needs about a minute for a VM. */
const TIMEOUT_MS = 10 * 60_000;
const LOOK_MS = 1_000;

/**
 * @param project null: the one that the credentials name.
 * @param onLeft hears how many VMs are still there.
 * @throws BurlaError BURLA_CLOUD when something does not go.
 */
export async function stopGceCluster(name: string, project: string | null, onLeft: (machines: number) => void = () => undefined): Promise<CloudStopped> {
  const opened = await openProject(project);
  // Main then makes no more VMs, and removes those of its nodes. It need not answer.
  await (await findAnswering(name))?.control.shutdown().catch(() => undefined);
  const removed = new Set<string>();
  try {
    await removeVms(opened, name, { removed, onLeft });
    for (const rule of await opened.compute.listFirewalls(name)) {
      await gone(() => opened.compute.deleteFirewall(rule, randomUUID()));
      removed.add(rule);
    }
    const left = [...(await opened.compute.listVms(name)).map((vm) => vm.name), ...(await opened.compute.listFirewalls(name))];
    if (left.length > 0) throw stubborn(name, left);
  } catch (error) {
    throw cloudError(`the cluster ${name} could not be removed`, error);
  }
  rmSync(clusterDirectory(name), { recursive: true, force: true });
  return { project: opened.id, removed: [...removed].sort() };
}

/** Main's first, which would make those of the nodes again; until the list is empty. */
async function removeVms({ compute }: GoogleProject, cluster: string, { removed, onLeft }: { removed: Set<string>; onLeft: (machines: number) => void }): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  for (;;) {
    const vms = await compute.listVms(cluster);
    const mains = vms.filter(({ role }) => role === "main");
    onLeft(vms.length);
    if (vms.length === 0) return;
    for (const { name, zone } of mains) await gone(() => compute.deleteVm(zone, name, randomUUID()));
    await Promise.all(vms.filter((vm) => !mains.includes(vm)).map(({ name, zone }) => gone(() => compute.deleteVm(zone, name, randomUUID()))));
    for (const { name } of vms) removed.add(name);
    if (performance.now() > deadlineMs) throw stubborn(cluster, vms.map(({ name }) => name));
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** What is gone already, or could not be asked for just now, is looked at again by the caller. */
async function gone(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!isGceFailure(error) || !["not-found", "transient", "rate-limit"].includes(error.kind)) throw error;
  }
}

function stubborn(cluster: string, names: readonly string[]): BurlaError {
  return new BurlaError("BURLA_CLOUD", `of the cluster ${cluster} these are still there: ${names.join(", ")}`, { cure: "Call `burla down` again, or remove them in the console." });
}
