/** Where main says what has changed, at the place where it does. Costs nothing while nobody listens. */
import type { JobId, NodeId } from "@burla/protocol";

export interface ChangeListener {
  job(jobId: JobId): void;
  node(nodeId: NodeId): void;
  /** What waiting jobs wait for. */
  waits(): void;
  /** Something that is said of the cluster as a whole. */
  cluster(): void;
}

/** Passes on to one listener, or to nobody. */
export class Changes implements ChangeListener {
  #listener: ChangeListener | null = null;

  listen(listener: ChangeListener | null): void {
    this.#listener = listener;
  }

  job(jobId: JobId): void {
    this.#listener?.job(jobId);
  }

  node(nodeId: NodeId): void {
    this.#listener?.node(nodeId);
  }

  waits(): void {
    this.#listener?.waits();
  }

  cluster(): void {
    this.#listener?.cluster();
  }
}
