/** The user's settings that a test and a picture want: a window in which nothing happens by itself. */
export const quietSettings: Readonly<Record<string, unknown>> = {
  // As on the desktop. A browser's default saves whatever a test edits.
  "files.autoSave": "off",
  "telemetry.telemetryLevel": "off",
  "workbench.startupEditor": "none",
  "workbench.enableExperiments": false,
  "workbench.tips.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.settings.enableNaturalLanguageSearch": false,
  "workbench.reduceMotion": "on",
  "chat.disableAIFeatures": true,
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "update.showReleaseNotes": false,
  "npm.fetchOnlinePackageInfo": false,
  "typescript.disableAutomaticTypeAcquisition": true,
  "git.openRepositoryInParentFolders": "never",
  "window.commandCenter": false,
  // Tests change the settings of the folder while it is open.
  "files.exclude": { "**/.vscode": true, "**/.git": true },
};
