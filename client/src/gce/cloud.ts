/** Clusters on Google Cloud for programs: `burla/control` exports these. */
import type { CloudEstimate, CloudOptions, CloudPlan, CloudPlanOptions, CloudStopOptions, CloudStopped } from "../control/types.ts";
import { clusterDirectory } from "../local-cluster.ts";
import { readStoredSpec } from "../spec-file.ts";
import { cloudSpecOf } from "./cloud-spec.ts";
import { openProjectIfNamed } from "./library.ts";
import { stopGceCluster } from "./stop.ts";
import { estimateOf, planGce } from "./up.ts";

/** What a cluster would have and cost. Asks nobody. @throws BurlaError BURLA_SPEC */
export function estimateCloudCluster(options: CloudOptions = {}): CloudEstimate {
  return estimateOf(cloudSpecOf(options));
}

/** Looks at the project; `start` of what it returns makes the cluster. @throws BurlaError BURLA_SPEC, BURLA_CLOUD */
export async function planCloudCluster({ signal, onCheck, ...options }: CloudPlanOptions = {}): Promise<CloudPlan> {
  return planGce(cloudSpecOf(options), { ...(signal && { signal }), ...(onCheck && { onCheck }) });
}

/** The project that this machine's credentials name; null where they name none. @throws BurlaError BURLA_CLOUD without credentials. */
export async function cloudProject(): Promise<string | null> {
  return (await openProjectIfNamed(null))?.id ?? null;
}

/** Removes all of a cluster with whatever jobs run on it, and looks that nothing is left: ask first. @throws BurlaError BURLA_CLOUD */
export async function stopCloudCluster(name: string, { project, onLeft }: CloudStopOptions = {}): Promise<CloudStopped> {
  return stopGceCluster(name, project ?? readStoredSpec(clusterDirectory(name))?.gce.project ?? null, onLeft);
}
