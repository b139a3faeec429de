/** The containers that are kept warm, as the cluster spec says. */
import type { ContainerRuntime } from "./containers/runtime.ts";
import { Slot } from "./slot.ts";
import type { WorkerServer } from "./worker-server.ts";

export interface WarmSpec {
  readonly runtime: "node" | "python";
  readonly count: number;
}

export interface PoolOptions {
  readonly runtime: ContainerRuntime;
  readonly server: WorkerServer;
  readonly warm: readonly WarmSpec[];
  /** Memory of a worker that no job has asked more for. */
  readonly ramMiB: number;
}

export class WarmPool {
  readonly #options: PoolOptions;
  readonly #slots = new Set<Slot>();

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get slots(): ReadonlySet<Slot> {
    return this.#slots;
  }

  /** Starts what is missing. Resolves when all of it is warm. */
  async fill(): Promise<void> {
    for (const { runtime, count } of this.#options.warm) {
      const there = [...this.#slots].filter((slot) => slot.kind === runtime).length;
      for (let missing = count - there; missing > 0; missing--) this.#slots.add(this.start(runtime, this.#options.ramMiB));
    }
    await Promise.all([...this.#slots].map((slot) => slot.warm));
  }

  /** Up to `count` compatible workers, no longer the pool's; fresh ones where it has too few. */
  take(kind: "node" | "python", ramMiB: number | null, count: number): Slot[] {
    const needed = ramMiB ?? this.#options.ramMiB;
    const taken: Slot[] = [];
    for (const slot of this.#slots) {
      if (taken.length >= count) break;
      if (slot.kind !== kind || slot.ramMiB !== needed) continue;
      this.#slots.delete(slot);
      taken.push(slot);
    }
    while (taken.length < count) taken.push(this.start(kind, needed));
    return taken;
  }

  /** Kills all that is still here: what the job that comes does not need. */
  killRest(): Promise<unknown> {
    const slots = [...this.#slots];
    this.#slots.clear();
    for (const slot of slots) slot.container.kill();
    return Promise.all(slots.map((slot) => slot.container.exited));
  }

  start(kind: "node" | "python", ramMiB: number): Slot {
    return new Slot({ runtime: this.#options.runtime, server: this.#options.server, kind, ramMiB });
  }
}
