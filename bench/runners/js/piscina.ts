/** Piscina: a pool of threads. */
import { Piscina } from "piscina";
import { drive } from "./driver.ts";
import type { FunctionName, Listener, StartOptions, System } from "./system.ts";

class PiscinaSystem implements System {
  private pool: Piscina | undefined;

  start({ bounded }: StartOptions): Promise<void> {
    const filename = new URL("./piscina-worker.js", import.meta.url).href;
    // The pool's own back-pressure for streams, as its documentation shows it, and only where inputs do not fit.
    this.pool = new Piscina({ filename, ...(bounded ? { maxQueue: "auto" as const } : {}) });
    return Promise.resolve();
  }

  collect(fn: FunctionName, inputs: readonly unknown[]): Promise<unknown[]> {
    return Promise.all(inputs.map((input) => this.pool!.run(input, { name: fn })));
  }

  async stream(fn: FunctionName, inputs: Iterable<unknown>, on: Listener, signal?: AbortSignal): Promise<void> {
    const pool = this.pool!;
    const options = signal === undefined ? { name: fn } : { name: fn, signal };
    let pending = 0;
    let wake: () => void = () => undefined;
    const settle = () => {
      pending--;
      wake();
    };
    for (const input of inputs) {
      pending++;
      void pool.run(input, options).then(on.result, on.error).then(settle);
      // Its "drain" event does not come when the queue filled up before the threads had started.
      while (pool.queueSize >= pool.options.maxQueue) await new Promise<void>((resolve) => (wake = resolve));
    }
    while (pending > 0) await new Promise<void>((resolve) => (wake = resolve));
  }

  async killWorker(): Promise<void> {
    await this.pool!.threads[0]?.terminate();
  }

  async stop(): Promise<void> {
    await this.pool?.destroy();
  }
}

await drive(new PiscinaSystem());
