/** The tree "Clusters": clusters, their nodes, and the containers of a node. Drawn anew when an event comes, never by asking. */
import * as vscode from "vscode";
import type { ClusterHub } from "../clusters/hub.ts";
import type { ClusterRef, ClusterState } from "../clusters/state.ts";
import { clusterRow, containerRow, nodeRow } from "../view/cluster-rows.ts";
import type { NodeSummary } from "burla/control";
import { treeItem } from "./row-item.ts";

export type ClusterElement =
  | { readonly type: "cluster"; readonly ref: ClusterRef }
  | { readonly type: "node"; readonly ref: ClusterRef; readonly nodeId: string }
  | { readonly type: "container"; readonly ref: ClusterRef; readonly nodeId: string; readonly workerId: string };

export class ClustersTree implements vscode.TreeDataProvider<ClusterElement> {
  readonly #hub: ClusterHub;
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changed.event;

  constructor(hub: ClusterHub) {
    this.#hub = hub;
  }

  refresh(): void {
    this.#changed.fire(undefined);
  }

  getChildren(element?: ClusterElement): ClusterElement[] {
    if (element === undefined) return this.#roots();
    const { ref } = element;
    if (element.type === "cluster") return this.#nodes(ref).map(({ nodeId }) => ({ type: "node", ref, nodeId }));
    if (element.type === "container") return [];
    const { nodeId } = element;
    return (this.#node(ref, nodeId)?.workers ?? []).map(({ workerId }) => ({ type: "container", ref, nodeId, workerId }));
  }

  getParent(element: ClusterElement): ClusterElement | undefined {
    if (element.type === "cluster") return undefined;
    return element.type === "node" ? { type: "cluster", ref: element.ref } : { type: "node", ref: element.ref, nodeId: element.nodeId };
  }

  getTreeItem(element: ClusterElement): vscode.TreeItem {
    const state = this.#hub.state(element.ref.id);
    const { id } = element.ref;
    if (element.type === "cluster") return treeItem(clusterRow(state, { isCurrent: id === this.#hub.current.ref.id, isOnly: this.#hub.all().length === 1 }));
    const jobs = state.status?.jobs ?? [];
    const node = this.#node(element.ref, element.nodeId);
    if (node === undefined) return new vscode.TreeItem(element.nodeId);
    const row = nodeRow(id, node, jobs);
    if (element.type === "node") return treeItem(row);
    const worker = node.workers.find(({ workerId }) => workerId === element.workerId);
    return worker === undefined ? new vscode.TreeItem(element.workerId) : treeItem(containerRow(row.id, worker, jobs));
  }

  /** None while the welcome view says more: the only cluster is off, or does not answer. */
  #roots(): ClusterElement[] {
    const states = this.#hub.all();
    const [only] = states;
    if (states.length === 1 && only !== undefined && !hasMuchToShow(only)) return [];
    return states.map(({ ref }) => ({ type: "cluster", ref }));
  }

  #nodes(ref: ClusterRef): readonly NodeSummary[] {
    return this.#hub.state(ref.id).status?.nodes ?? [];
  }

  #node(ref: ClusterRef, nodeId: string): NodeSummary | undefined {
    return this.#nodes(ref).find((node) => node.nodeId === nodeId);
  }
}

function hasMuchToShow({ link, status }: ClusterState): boolean {
  return status !== null || link.kind === "starting" || link.kind === "stopping" || link.kind === "connecting";
}
