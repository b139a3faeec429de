/** Keys for the `when` clauses of the manifest: menus and welcome views follow the current cluster. */
import * as vscode from "vscode";
import type { ClusterHub } from "./clusters/hub.ts";
import { CONTEXTS } from "./contributions.ts";

export function keepContexts(hub: ClusterHub): vscode.Disposable {
  const told = new Map<string, unknown>();
  const tell = (key: string, value: unknown) => {
    if (told.get(key) === value) return;
    told.set(key, value);
    void vscode.commands.executeCommand("setContext", key, value);
  };
  const update = () => {
    const { ref, link, status } = hub.current;
    tell(CONTEXTS.link, link.kind);
    tell(CONTEXTS.isLocal, ref.kind === "local");
    tell(CONTEXTS.isOwn, ref.kind !== "address");
    tell(CONTEXTS.hasJobs, (status?.jobs.length ?? 0) > 0);
  };
  update();
  return hub.onDidChange(update);
}
