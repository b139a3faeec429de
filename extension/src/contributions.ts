/** Every id that the manifest and the code share. A test compares them both ways. */

export const COMMANDS = {
  // The cluster.
  showActions: "burla.showActions",
  startCluster: "burla.startCluster",
  stopCluster: "burla.stopCluster",
  chooseCluster: "burla.chooseCluster",
  addCluster: "burla.addCluster",
  removeCluster: "burla.removeCluster",
  reconnect: "burla.reconnect",
  // Jobs.
  showJobs: "burla.showJobs",
  cancelJob: "burla.cancelJob",
  showJobLog: "burla.showJobLog",
  openFullLog: "burla.openFullLog",
  revealErrorLine: "burla.revealErrorLine",
  copyErrorMessage: "burla.copyErrorMessage",
  copyId: "burla.copyId",
  // Everything else.
  showOutput: "burla.showOutput",
  openClusterLog: "burla.openClusterLog",
  openExample: "burla.openExample",
  openWalkthrough: "burla.openWalkthrough",
  openSettings: "burla.openSettings",
} as const;
export type CommandId = (typeof COMMANDS)[keyof typeof COMMANDS];

export const VIEWS = {
  clusters: "burla.clusters",
  jobs: "burla.jobs",
} as const;
export const VIEW_CONTAINER = "burla";

/** Keys of `when` clauses that the code sets. */
export const CONTEXTS = {
  /** What the current cluster is: one of `LinkKind`. */
  link: "burla.link",
  /** Whether the current cluster is the one of this machine. */
  isLocal: "burla.isLocal",
  /** Whether the current cluster knows any job. */
  hasJobs: "burla.hasJobs",
} as const;

/** Settings, by their full names. */
export const SETTINGS = {
  clusters: "burla.clusters",
  autoStart: "burla.cluster.autoStart",
  idleMinutes: "burla.local.idleMinutes",
  nodePath: "burla.local.nodePath",
  maxLogLines: "burla.log.maxLines",
} as const;

/** Its place in the manifest; the editor puts the extension before it. */
export const WALKTHROUGH = "getStarted";
