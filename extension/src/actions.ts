/** The quick pick behind the status bar item. */
import * as vscode from "vscode";
import type { ClusterHub } from "./clusters/hub.ts";
import { actionsFor, actionsTitle, type Action } from "./view/actions.ts";

interface ActionItem extends vscode.QuickPickItem {
  readonly action: Action;
}

/** Stays open while the cluster changes, with what may be done by then. */
export async function showActions(hub: ClusterHub): Promise<void> {
  const pick = vscode.window.createQuickPick<ActionItem>();
  const update = () => {
    pick.title = actionsTitle(hub.current);
    const [active] = pick.activeItems;
    pick.items = actionsFor(hub.current).map((action) => ({ label: `$(${action.icon}) ${action.label}`, description: action.description, action }));
    const same = pick.items.find(({ action }) => action.command === active?.action.command);
    if (same !== undefined) pick.activeItems = [same];
  };
  pick.placeholder = "What should be done?";
  pick.matchOnDescription = true;
  const listener = hub.onDidChange(update);
  update();
  const chosen = await new Promise<Action | undefined>((resolve) => {
    pick.onDidAccept(() => resolve(pick.activeItems[0]?.action));
    pick.onDidHide(() => resolve(undefined));
    pick.show();
  });
  listener.dispose();
  pick.dispose();
  if (chosen !== undefined) await vscode.commands.executeCommand(chosen.command);
}
