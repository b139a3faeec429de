/** Hears what happens in clusters, one watch each, and tells the hub. Nothing is asked for again and again. */
import type { ClusterAddress } from "burla";
import { troubleOf } from "../failure.ts";
import type { LoadControl } from "./control.ts";
import type { ClusterHub } from "./hub.ts";

/** How a cluster is named to `burla/control`: its name, or its address and token. */
export type Target = string | ClusterAddress;

export class ClusterWatchers {
  readonly #hub: ClusterHub;
  readonly #loadControl: LoadControl;
  readonly #targetOf: (id: string) => Promise<Target>;
  readonly #running = new Map<string, AbortController>();

  constructor(hub: ClusterHub, loadControl: LoadControl, targetOf: (id: string) => Promise<Target>) {
    this.#hub = hub;
    this.#loadControl = loadControl;
    this.#targetOf = targetOf;
  }

  /** Does nothing for a cluster that is watched. */
  watch(id: string): void {
    if (!this.#running.has(id)) void this.#hear(id);
  }

  /** Dials anew, now. */
  again(id: string): void {
    this.forget(id);
    this.watch(id);
  }

  forget(id: string): void {
    this.#running.get(id)?.abort();
    this.#running.delete(id);
  }

  dispose(): void {
    for (const id of [...this.#running.keys()]) this.forget(id);
  }

  async #hear(id: string): Promise<void> {
    const abort = new AbortController();
    this.#running.set(id, abort);
    this.#hub.dispatch(id, { type: "dialling" });
    try {
      const { watchCluster } = await this.#loadControl();
      const cluster = await this.#targetOf(id);
      if (abort.signal.aborted) return;
      for await (const heard of watchCluster(cluster, { signal: abort.signal })) {
        if (abort.signal.aborted) return;
        this.#hub.dispatch(id, { type: "heard", heard });
      }
    } catch (error) {
      if (!abort.signal.aborted) this.#hub.dispatch(id, { type: "failed", trouble: troubleOf(error) });
    } finally {
      if (this.#running.get(id) === abort) this.#running.delete(id);
    }
  }
}
