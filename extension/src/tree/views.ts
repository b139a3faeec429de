/** The two trees of the activity bar, drawn anew as events come, and not more often than a person can read. */
import * as vscode from "vscode";
import { refreshCloud } from "../clusters/cloud-list.ts";
import type { LoadControl } from "../clusters/control.ts";
import type { ClusterHub } from "../clusters/hub.ts";
import type { KnownClusters } from "../clusters/known-clusters.ts";
import { liveJobs } from "../clusters/state.ts";
import type { ClusterWatchers } from "../clusters/watchers.ts";
import { VIEWS } from "../contributions.ts";
import { countText } from "../view/texts.ts";
import type { ClearedJobs } from "./cleared-jobs.ts";
import { ClustersTree } from "./clusters-tree.ts";
import type { JobOrigins } from "./job-origins.ts";
import { JobsTree, type LoadFailures } from "./jobs-tree.ts";
import { paced } from "./paced.ts";

const REDRAW_MS = 250;

export interface TreeParts {
  readonly hub: ClusterHub;
  readonly known: KnownClusters;
  readonly watchers: ClusterWatchers;
  readonly loadControl: LoadControl;
  readonly origins: JobOrigins;
  readonly cleared: ClearedJobs;
}

export function createTrees(parts: TreeParts): vscode.Disposable[] {
  return [createClustersView(parts), createJobsView(parts)];
}

function createClustersView(parts: TreeParts): vscode.Disposable {
  const { hub, watchers } = parts;
  const tree = new ClustersTree(hub);
  const view = vscode.window.createTreeView(VIEWS.clusters, { treeDataProvider: tree, showCollapseAll: true });
  const redraw = paced(() => tree.refresh(), REDRAW_MS);
  // Clusters that are not in use are watched from when somebody looks.
  const watchAll = () => {
    if (view.visible) void refreshCloud(parts).then(() => hub.all().forEach(({ ref }) => watchers.watch(ref.id)));
  };
  return vscode.Disposable.from(view, redraw, hub.onDidChange(redraw.request), view.onDidChangeVisibility(watchAll));
}

function createJobsView({ hub, known, loadControl, origins, cleared }: TreeParts): vscode.Disposable {
  const loadFailures: LoadFailures = async (jobId) => {
    const { jobFailures } = await loadControl();
    return jobFailures(jobId, { cluster: await known.target(hub.current.ref.id) });
  };
  const tree = new JobsTree({ hub, origins, cleared, loadFailures });
  const view = vscode.window.createTreeView(VIEWS.jobs, { treeDataProvider: tree, showCollapseAll: true });
  const redraw = paced(() => {
    const { ref, status } = hub.current;
    const running = liveJobs(status).length;
    view.badge = running === 0 ? undefined : { value: running, tooltip: `${countText(running, "job")} running` };
    view.description = ref.label;
    tree.refresh();
  }, REDRAW_MS);
  return vscode.Disposable.from(view, redraw, hub.onDidChange(redraw.request), origins.onDidChange(redraw.request), cleared.onDidChange(redraw.request));
}
