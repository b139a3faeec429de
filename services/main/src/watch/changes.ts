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

/** Passes on to one listener that comes and goes, and to one that stays, if there is one. */
export class Changes implements ChangeListener {
  readonly #always: ChangeListener | null;
  #listener: ChangeListener | null = null;

  constructor(always: ChangeListener | null = null) {
    this.#always = always;
  }

  listen(listener: ChangeListener | null): void {
    this.#listener = listener;
  }

  job(jobId: JobId): void {
    this.#listener?.job(jobId);
    this.#always?.job(jobId);
  }

  node(nodeId: NodeId): void {
    this.#listener?.node(nodeId);
    this.#always?.node(nodeId);
  }

  waits(): void {
    this.#listener?.waits();
    this.#always?.waits();
  }

  cluster(): void {
    this.#listener?.cluster();
    this.#always?.cluster();
  }
}
