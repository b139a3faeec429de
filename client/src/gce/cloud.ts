/** Clusters on Google Cloud for programs: `burla/control` exports these. */
import { BurlaError, type ClusterSpec } from "@burla/protocol";
import { LOCAL } from "../cluster.ts";
import type { CloudEstimate, CloudOptions, CloudPlan, CloudPlanOptions, CloudStopOptions, CloudStopped } from "../control/types.ts";
import { clusterDirectory } from "../local-cluster.ts";
import { readSpecFile, readStoredSpec } from "../spec-file.ts";
import { openProjectIfNamed } from "./library.ts";
import { stopGceCluster } from "./stop.ts";
import { estimateOf, planGce } from "./up.ts";
import { REGIONS, usualGceSpec, type UsualOptions } from "./usual-spec.ts";

/** Regions that a usual cluster can be in; the first is the default. */
export function cloudRegions(): string[] {
  return Object.keys(REGIONS);
}

/** What a cluster would have and cost. Asks nobody. @throws BurlaError BURLA_SPEC */
export function estimateCloudCluster(options: CloudOptions = {}): CloudEstimate {
  return estimateOf(specOf(options));
}

/** Looks at the project; `start` of what it returns makes the cluster. @throws BurlaError BURLA_SPEC, BURLA_CLOUD */
export async function planCloudCluster({ signal, onCheck, ...options }: CloudPlanOptions = {}): Promise<CloudPlan> {
  return planGce(specOf(options), { ...(signal && { signal }), ...(onCheck && { onCheck }) });
}

/** The project that this machine's credentials name; null where they name none. @throws BurlaError BURLA_CLOUD without credentials. */
export async function cloudProject(): Promise<string | null> {
  return (await openProjectIfNamed(null))?.id ?? null;
}

/** Removes all of a cluster with whatever jobs run on it, and looks that nothing is left: ask first. @throws BurlaError BURLA_CLOUD */
export async function stopCloudCluster(name: string, { project, onLeft }: CloudStopOptions = {}): Promise<CloudStopped> {
  return stopGceCluster(name, project ?? readStoredSpec(clusterDirectory(name))?.gce.project ?? null, onLeft);
}

function specOf({ spec, name, nodes, region, project }: CloudOptions): ClusterSpec {
  const found = spec === undefined ? (storedSpec({ name, nodes, region }) ?? usualGceSpec({ name, nodes, region })) : readSpecFile(spec);
  if (found.provider !== "gce") throw new BurlaError("BURLA_SPEC", `the cluster "${found.name}" is not on Google Cloud`, { cure: 'Its spec must say `"provider": "gce"`.' });
  if (found.name === LOCAL) throw new BurlaError("BURLA_SPEC", `the name "${LOCAL}" is that of the cluster on this machine`, { cure: "Choose another." });
  return project === undefined ? found : { ...found, gce: { ...found.gce, project } };
}

function storedSpec({ name, nodes, region }: UsualOptions): ClusterSpec | null {
  return name === undefined || nodes !== undefined || region !== undefined ? null : readStoredSpec(clusterDirectory(name));
}
