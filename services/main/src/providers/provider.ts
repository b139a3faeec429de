/** The port to whatever makes machines. */
import type { NodeId } from "@burla/protocol";

export interface MachineProvider {
  /** Brings up what the cluster spec asks for; machines that an earlier main left are taken over. */
  start(): void;
  /** A node's connection is gone: is its machine? Reports it through `onGone` if so. */
  check(nodeId: NodeId): void;
  /** Removes all machines. Resolves when they are gone. */
  stop(): Promise<void>;
}
