/** A captured function over inputs: the job, and the stream of its results. */
import { AsyncLocalStorage } from "node:async_hooks";
import { join } from "node:path";
import { newJobId, type JobSpec } from "@burla/protocol";
import { bundleCapture, type Capture } from "./capture/index.ts";
import { connectionTo } from "./cluster-connection.ts";
import { resolveCluster } from "./cluster.ts";
import { expectFailures, type InContext } from "./inputs.ts";
import { Job, type PreparedFunction } from "./job.ts";
import { stateDirectory } from "./local-cluster.ts";
import type { CompiledOptions } from "./options.ts";
import { createOutput } from "./output.ts";
import { ResultStream } from "./stream.ts";
import { surroundingsOf, type Surroundings } from "./surroundings.ts";
import type { Inputs } from "./types.ts";

/** Where bundles are kept from one program to the next. */
export function bundleCacheDirectory(): string {
  return join(stateDirectory(), "bundle-cache");
}

/** The job starts when its results are first asked for, at once with `detach`. */
export function mapCapture<Result>(capture: Capture, inputs: Inputs<unknown>, compiled: CompiledOptions): ResultStream<Result> {
  expectFailures(inputs);
  const name = compiled.name ?? (capture.name || "anonymous function");
  const target = resolveCluster(compiled.cluster);
  const surroundings = surroundingsOf(target, compiled.env);
  const jobId = newJobId();
  const inContext = AsyncLocalStorage.snapshot() as InContext;
  const output = createOutput({ name, onLog: compiled.onLog, progress: compiled.progress });

  const prepare = async (onError: "throw" | "continue"): Promise<PreparedFunction> => {
    const bundle = await bundleCapture(capture, { cacheDirectory: bundleCacheDirectory() });
    const spec = specOf(name, { ...compiled, onError, inputsAtHand: Array.isArray(inputs) }, bundle, surroundings);
    return { spec, code: bundle.code, values: capture.values, largest: capture.largest };
  };
  const stream = new ResultStream<Result>(
    jobId,
    (onError) =>
      new Job(connectionTo(target), {
        jobId,
        start: { kind: "submit", prepared: prepare(onError), inputs, lookahead: compiled.lookahead },
        inContext,
        order: compiled.order,
        detach: compiled.detach,
        onLine: (line) => output.line(line),
        onProgress: (progress) => output.progress(progress),
      }),
    { onError: compiled.onError, detach: compiled.detach, signal: compiled.signal, skip: 0, onOver: () => output.end() },
  );
  if (compiled.detach) stream.begin();
  return stream;
}

function specOf(name: string, options: CompiledOptions & Pick<JobSpec, "inputsAtHand">, bundle: { id: string; externals: JobSpec["bundle"]["externals"] }, surroundings: Surroundings): JobSpec {
  const { image, cpu, ramMiB, grow, maxParallelism, concurrency, onError, retries, timeoutMs, setupTimeoutMs, detach, inputsAtHand } = options;
  return {
    name: name.slice(0, 256),
    runtime: "node",
    image, cpu, ramMiB, grow, maxParallelism, concurrency, retries, timeoutMs, setupTimeoutMs, detach, inputsAtHand,
    ...surroundings,
    onError: detach ? "continue" : onError,
    parent: null,
    python: null,
    queue: null,
    bundle: { id: bundle.id as JobSpec["bundle"]["id"], externals: bundle.externals },
  };
}
