/** The containers that are kept warm, as the cluster spec says. */
import type { ContainerKind, PythonInterpreter } from "@burla/protocol";
import type { ContainerRuntime } from "./containers/runtime.ts";
import { Slot } from "./slot.ts";
import type { WorkerServer } from "./worker-server.ts";

/** Processors of a worker that no job has asked more for. */
const WARM_CPU = 1;

export interface WarmSpec extends Pick<ContainerKind, "runtime" | "image"> {
  readonly count: number;
}

/** What a job needs of its workers; null where it takes what the node gives. */
export interface WorkerNeeds {
  readonly runtime: "node" | "python";
  readonly python: PythonInterpreter | null;
  readonly image: string | null;
  readonly cpu: number;
  readonly ramMiB: number | null;
}

export interface PoolOptions {
  readonly runtime: ContainerRuntime;
  readonly server: WorkerServer;
  readonly warm: readonly WarmSpec[];
  /** Memory of a worker that no job has asked more for. */
  readonly ramMiB: number;
}

/** A worker as it is made. */
export type WorkerShape = Pick<Slot, "kind" | "python" | "image" | "cpu" | "ramMiB">;

export class WarmPool {
  readonly #options: PoolOptions;
  readonly #slots = new Set<Slot>();
  /** Which interpreter jobs use is known from the first of them on; from then on workers of that one are kept warm. */
  #python: { readonly shape: WorkerShape; readonly count: number } | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get slots(): ReadonlySet<Slot> {
    return this.#slots;
  }

  /** Starts what is missing. Resolves when all of it is warm. */
  async fill(): Promise<void> {
    for (const { runtime, image, count } of this.#options.warm) {
      this.#keep(this.shapeOf({ runtime, python: null, image, cpu: WARM_CPU, ramMiB: null }), count);
    }
    const usual = [...this.#slots];
    if (this.#python !== undefined) this.#keep(this.#python.shape, this.#python.count);
    // The user's interpreter may be gone by now, which is no fault of this node.
    await Promise.all(usual.map((slot) => slot.warm));
  }

  #keep(shape: WorkerShape, count: number): void {
    const there = [...this.#slots].filter((slot) => isLike(slot, shape)).length;
    for (let missing = count - there; missing > 0; missing--) {
      const slot = this.start(shape);
      this.#slots.add(slot);
      void slot.container.exited.then(() => this.#slots.delete(slot));
    }
  }

  /** Up to `count` compatible workers, no longer the pool's; fresh ones where it has too few. */
  take(shape: WorkerShape, count: number): Slot[] {
    const taken: Slot[] = [];
    if (shape.python !== null) this.#python = { shape, count };
    for (const slot of this.#slots) {
      if (taken.length >= count) break;
      if (!isLike(slot, shape)) continue;
      this.#slots.delete(slot);
      taken.push(slot);
    }
    while (taken.length < count) taken.push(this.start(shape));
    return taken;
  }

  /** Kills all that is still here: what the job that comes does not need. */
  killRest(): Promise<unknown> {
    const slots = [...this.#slots];
    this.#slots.clear();
    for (const slot of slots) slot.container.kill();
    return Promise.all(slots.map((slot) => slot.container.exited));
  }

  start(shape: WorkerShape): Slot {
    return new Slot({ runtime: this.#options.runtime, server: this.#options.server, ...shape });
  }

  /** The first image of the spec that has the runtime, unless one is asked for. */
  shapeOf({ runtime, python, image, cpu, ramMiB }: WorkerNeeds): WorkerShape {
    const { warm, runtime: containers } = this.#options;
    const usual = warm.find((kind) => kind.runtime === runtime)?.image ?? null;
    const interpreter = containers.sharesMachine ? (python?.executable ?? null) : null;
    return { kind: runtime, python: interpreter, image: image ?? usual, cpu: containers.limitsCpu ? cpu : WARM_CPU, ramMiB: ramMiB ?? this.#options.ramMiB };
  }
}

function isLike(slot: Slot, { kind, python, image, cpu, ramMiB }: WorkerShape): boolean {
  return slot.kind === kind && slot.python === python && slot.image === image && slot.cpu === cpu && slot.ramMiB === ramMiB;
}
