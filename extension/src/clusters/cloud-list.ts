/** Keeps the window's list of clusters on Google Cloud as the state folder has it, and takes one away with all that it has there. */
import type { CloudStopped } from "burla/control";
import type { LoadControl } from "./control.ts";
import type { ClusterHub } from "./hub.ts";
import type { KnownClusters } from "./known-clusters.ts";
import type { ClusterWatchers } from "./watchers.ts";

export interface CloudListParts {
  readonly hub: ClusterHub;
  readonly watchers: ClusterWatchers;
  readonly known: KnownClusters;
  readonly loadControl: LoadControl;
}

const PROVIDER = "gce";

/** Also those that a terminal has started or ended. */
export async function refreshCloud({ hub, watchers, known, loadControl }: CloudListParts): Promise<void> {
  const { listClusters } = await loadControl();
  const found = (await listClusters()).filter(({ provider }) => provider === PROVIDER).map(({ name }) => name);
  const before = known.cloud();
  // One that is about to be made has left nothing in the folder yet.
  const starting = before.filter((name) => hub.state(name).intent === "start" && !found.includes(name));
  const names = [...found, ...starting];
  if (names.length === before.length && names.every((name) => before.includes(name))) return;
  await known.setCloud(names);
  for (const name of before) if (!names.includes(name)) watchers.forget(name);
  hub.setRefs(known.refs());
}

/** @param onLeft hears how many machines are still there. @throws BurlaError BURLA_CLOUD */
export async function removeCloud(parts: CloudListParts, name: string, onLeft: (machines: number) => void): Promise<CloudStopped> {
  const control = await parts.loadControl();
  const stopped = await control.stopCloudCluster(name, { onLeft });
  await refreshCloud(parts);
  return stopped;
}
