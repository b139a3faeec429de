/** Puts the parts together. What other parts of the extension need of clusters they find here. */
import * as vscode from "vscode";
import { clusterHandlers } from "./cluster-commands.ts";
import { refreshCloud } from "./clusters/cloud-list.ts";
import { CloudStarter } from "./clusters/cloud-start.ts";
import { loadControl, type LoadControl } from "./clusters/control.ts";
import { ensureCluster, type ReadyCluster } from "./clusters/ensure.ts";
import { ClusterHub } from "./clusters/hub.ts";
import { KnownClusters } from "./clusters/known-clusters.ts";
import { ClusterStarter } from "./clusters/start.ts";
import { Questions, type Asking } from "./clusters/questions.ts";
import type { ClusterState } from "./clusters/state.ts";
import { ClusterWatchers } from "./clusters/watchers.ts";
import { keepContexts } from "./contexts.ts";
import { registerCommands } from "./failure.ts";
import { helpHandlers } from "./help-commands.ts";
import { jobHandlers } from "./job-commands.ts";
import { journal } from "./journal.ts";
import { JobLogs } from "./output/job-logs.ts";
import { createStatusBar } from "./status-bar.ts";
import { ClearedJobs } from "./tree/cleared-jobs.ts";
import { JobOrigins } from "./tree/job-origins.ts";
import { createTrees } from "./tree/views.ts";

export interface Shell {
  /** The channel "Burla". */
  readonly output: vscode.LogOutputChannel;
  /** What is known of each cluster, and which one is the current one. */
  readonly hub: ClusterHub;
  readonly known: KnownClusters;
  readonly loadControl: LoadControl;
  readonly logs: JobLogs;
  /** Takes what runs and cells say of their jobs. */
  readonly origins: JobOrigins;
  /**
   * The current cluster, ready for a job; started when it must be and the user agrees.
   * @throws Declined, which is not to be told.
   */
  ensureCluster(asking: Asking): Promise<ReadyCluster>;
  /** For those that show a question of it. */
  readonly questions: Pick<Questions, "answer">;
}

/** Registers all that is there before anything is asked for. Starts nothing. */
export function createShell(context: vscode.ExtensionContext): Shell {
  const output = vscode.window.createOutputChannel("Burla", { log: true });
  const known = new KnownClusters(context.secrets, context.globalState);
  const hub = new ClusterHub(context.workspaceState, known.refs());
  const watchers = new ClusterWatchers(hub, loadControl, (id) => known.target(id));
  const starter = new ClusterStarter(hub, watchers, loadControl);
  const cloudStarter = new CloudStarter({ hub, watchers, known, loadControl, output, memory: context.globalState });
  const logs = new JobLogs({ output, loadControl, folder: context.globalStorageUri });
  const questions = new Questions(({ text, answers }, modal) => vscode.window.showInformationMessage(text, { modal }, ...answers));
  const origins = new JobOrigins();
  const cleared = new ClearedJobs(context.workspaceState);
  const parts = { questions, origins, cleared, hub, known, watchers, starter, cloudStarter, logs, output, loadControl, context };
  context.subscriptions.push(
    output,
    registerCommands(output, { ...clusterHandlers(parts), ...jobHandlers(parts), ...helpHandlers(parts) }),
    hub,
    watchers,
    logs,
    origins,
    cleared,
    createStatusBar(hub),
    ...createTrees(parts),
    keepContexts(hub),
    keepJournal(hub, output),
    known.onDidChange(() => hub.setRefs(known.refs())),
    // A terminal may have started or ended one.
    vscode.window.onDidChangeWindowState(({ focused }) => focused && void refreshCloud(parts)),
  );
  watchers.watch(hub.current.ref.id);
  void refreshCloud(parts);
  return { output, hub, known, loadControl, logs, origins, questions, ensureCluster: (asking) => ensureCluster(parts, asking) };
}

function keepJournal(hub: ClusterHub, output: vscode.LogOutputChannel): vscode.Disposable {
  const seen = new Map<string, ClusterState>();
  return hub.onDidChange((state) => {
    for (const { level, text } of journal(seen.get(state.ref.id), state)) output[level](text);
    seen.set(state.ref.id, state);
  });
}
