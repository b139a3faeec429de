/** A connected node, for those who speak to it or tell of it. */
import type { Body, BundleId, MainToNode, NodeId, NodeToMain, Of } from "@burla/protocol";

export interface NodeLine {
  readonly nodeId: NodeId;
  /** As it introduced itself. */
  readonly hello: Of<NodeToMain, "nodeHello">;
  readonly state: Of<NodeToMain, "nodeState">;
  hasBundle(id: BundleId): boolean;
  noteBundle(id: BundleId): void;
  send(message: MainToNode, ...body: Body[]): void;
  /** Ends this connection: the same node has dialled again, or another takes its place. */
  replaced(reason: string): void;
}
