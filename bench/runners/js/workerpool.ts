/** workerpool: a pool of threads that are called by name. */
import { fileURLToPath } from "node:url";
import { availableParallelism } from "node:os";
import workerpool, { type Pool } from "workerpool";
import { drive } from "./driver.ts";
import type { FunctionName, Listener, System } from "./system.ts";

class WorkerpoolSystem implements System {
  private pool: Pool | undefined;

  start(): Promise<void> {
    const script = fileURLToPath(new URL("./workerpool-worker.js", import.meta.url));
    // The default is one worker fewer than there are cores, which would be one here.
    this.pool = workerpool.pool(script, { maxWorkers: availableParallelism() });
    return Promise.resolve();
  }

  collect(fn: FunctionName, inputs: readonly unknown[]): Promise<unknown[]> {
    return Promise.all(inputs.map((input) => this.pool!.exec(fn, [input])));
  }

  async stream(fn: FunctionName, inputs: Iterable<unknown>, on: Listener, signal?: AbortSignal): Promise<void> {
    const calls: PromiseLike<void>[] = [];
    signal?.addEventListener("abort", () => void this.pool!.terminate(true));
    for (const input of inputs) calls.push(this.pool!.exec(fn, [input]).then(on.result, on.error) as PromiseLike<void>);
    await Promise.all(calls);
  }

  async killWorker(): Promise<void> {
    const [handler] = (this.pool as unknown as { workers: { worker: { terminate(): Promise<unknown> } }[] }).workers;
    await handler?.worker.terminate();
  }

  async stop(): Promise<void> {
    await this.pool?.terminate(true);
  }
}

await drive(new WorkerpoolSystem());
