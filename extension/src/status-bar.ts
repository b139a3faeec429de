/** The one item in the status bar. A click shows what may be done; it never stops anything by itself. */
import * as vscode from "vscode";
import { COMMANDS } from "./contributions.ts";
import type { ClusterHub } from "./clusters/hub.ts";
import { statusBarView, type StatusBarView } from "./view/status-bar-view.ts";
import { TOOLTIP_COMMANDS, tooltipMarkdown } from "./view/tooltip.ts";

const ID = "burla.cluster";
/** Left of the problems and the branch, as other states of the machine are. */
const PRIORITY = 40;

const BACKGROUNDS = {
  warning: new vscode.ThemeColor("statusBarItem.warningBackground"),
  error: new vscode.ThemeColor("statusBarItem.errorBackground"),
};

export function createStatusBar(hub: ClusterHub): vscode.Disposable {
  const item = vscode.window.createStatusBarItem(ID, vscode.StatusBarAlignment.Left, PRIORITY);
  item.name = "Burla Cluster";
  item.command = COMMANDS.showActions;
  const update = () => draw(item, statusBarView(hub.current), hub);
  const listener = hub.onDidChange(update);
  update();
  item.show();
  return vscode.Disposable.from(item, listener);
}

function draw(item: vscode.StatusBarItem, view: StatusBarView, hub: ClusterHub): void {
  item.text = view.text;
  item.backgroundColor = view.background === null ? undefined : BACKGROUNDS[view.background];
  item.accessibilityInformation = { label: view.spoken, role: "button" };
  const tooltip = new vscode.MarkdownString(tooltipMarkdown(hub.current), true);
  tooltip.isTrusted = { enabledCommands: [...TOOLTIP_COMMANDS] };
  item.tooltip = tooltip;
}
