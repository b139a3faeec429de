/** Every id that the manifest and the code share. A test compares them both ways. */

export const COMMANDS = {
  // The cluster.
  showActions: "burla.showActions",
  startCluster: "burla.startCluster",
  startCloudCluster: "burla.startCloudCluster",
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
  showJobResults: "burla.showJobResults",
  goToJobSource: "burla.goToJobSource",
  runJobAgain: "burla.runJobAgain",
  clearJob: "burla.clearJob",
  clearJobs: "burla.clearJobs",
  // Functions and their runs.
  runFunction: "burla.runFunction",
  tryFunction: "burla.tryFunction",
  previewFunction: "burla.previewFunction",
  showResults: "burla.showResults",
  chooseRun: "burla.chooseRun",
  openAsNotebook: "burla.openAsNotebook",
  rerunFailed: "burla.rerunFailed",
  runAgain: "burla.runAgain",
  saveResults: "burla.saveResults",
  cancelRun: "burla.cancelRun",
  showRunLog: "burla.showRunLog",
  openRunLog: "burla.openRunLog",
  // Cells of notebooks.
  runCellOnBurla: "burla.runCellOnBurla",
  rerunFailedCellInputs: "burla.rerunFailedCellInputs",
  pickUpCellJob: "burla.pickUpCellJob",
  splitCell: "burla.splitCell",
  runPercentCell: "burla.runPercentCell",
  runPercentCellsAbove: "burla.runPercentCellsAbove",
  cancelCell: "burla.cancelCell",
  showCellLog: "burla.showCellLog",
  openCellLog: "burla.openCellLog",
  restartKernel: "burla.restartKernel",
  choosePython: "burla.choosePython",
  // Everything else.
  showOutput: "burla.showOutput",
  openClusterLog: "burla.openClusterLog",
  openExample: "burla.openExample",
  openExampleNotebook: "burla.openExampleNotebook",
  openWalkthrough: "burla.openWalkthrough",
  openSettings: "burla.openSettings",
} as const;
export type CommandId = (typeof COMMANDS)[keyof typeof COMMANDS];

export const VIEWS = {
  clusters: "burla.clusters",
  jobs: "burla.jobs",
  results: "burla.results",
} as const;
export const VIEW_CONTAINER = "burla";
export const RESULTS_CONTAINER = "burla-results";

/** Tools for assistants, by their names in the manifest. */
export const TOOLS = {
  clusterStatus: "burla_clusterStatus",
  jobLogs: "burla_jobLogs",
  runFunction: "burla_runFunction",
} as const;

/** Keys of `when` clauses that the code sets. */
export const CONTEXTS = {
  /** What the current cluster is: one of `LinkKind`. */
  link: "burla.link",
  /** Whether the current cluster is the one of this machine. */
  isLocal: "burla.isLocal",
  /** Whether it was started from this machine, here or on Google Cloud, and is ended from here. */
  isOwn: "burla.isOwn",
  /** Whether the current cluster knows any job. */
  hasJobs: "burla.hasJobs",
  /** What the results view shows: `none`, `running` or `over`. */
  run: "burla.run",
  /** Whether some input of that run has failed. */
  runHasFailed: "burla.runHasFailed",
} as const;

/** Settings, by their full names. */
export const SETTINGS = {
  clusters: "burla.clusters",
  autoStart: "burla.cluster.autoStart",
  idleMinutes: "burla.local.idleMinutes",
  nodePath: "burla.local.nodePath",
  maxLogLines: "burla.log.maxLines",
  codeLens: "burla.codeLens.enabled",
  errorsShow: "burla.errors.show",
  onWindowClose: "burla.run.onWindowClose",
  inputTimeoutSeconds: "burla.inputs.timeoutSeconds",
  pythonPath: "burla.notebooks.pythonPath",
  jupyterServer: "burla.notebooks.jupyterServer",
} as const;

/** Draws what a cell shows of its job. */
export const CELL_RENDERER = "burla.job";

/** Its place in the manifest; the editor puts the extension before it. */
export const WALKTHROUGH = "getStarted";
