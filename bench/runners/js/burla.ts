/** This product: plain functions, a local cluster that starts by itself. */
import { remoteParallelMap } from "burla";
import { drive } from "./driver.ts";
import * as functions from "./functions.ts";
import type { FunctionName, Listener, System } from "./system.ts";

const callable = (fn: FunctionName) => functions[fn] as (input: unknown) => unknown;

const burla: System = {
  start: () => Promise.resolve(),
  collect: (fn, inputs) => remoteParallelMap(callable(fn), inputs).toArray(),
  async stream(fn: FunctionName, inputs: Iterable<unknown>, on: Listener, signal?: AbortSignal) {
    const options = signal === undefined ? {} : { signal };
    for await (const result of remoteParallelMap(callable(fn), inputs, options)) on.result(result);
  },
  killWorker: (pid) => void process.kill(pid, "SIGKILL"),
  // The cluster outlives its clients; a second process finds it by itself.
  address: () => "found by the client",
  stop: () => Promise.resolve(),
};

await drive(burla);
