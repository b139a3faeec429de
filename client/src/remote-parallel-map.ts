/** The one function that a user needs. */
import { join } from "node:path";
import { newJobId, type JobSpec } from "@burla/protocol";
import { bundleCapture, captureFunction } from "./capture/index.ts";
import { connectionTo } from "./cluster-connection.ts";
import { LOCAL, resolveCluster } from "./cluster.ts";
import { Job, type PreparedFunction } from "./job.ts";
import { stateDirectory } from "./local-cluster.ts";
import { checkArguments, compileOptions, type CompiledOptions } from "./options.ts";
import { createOutput } from "./output.ts";
import { ResultStream } from "./stream.ts";
import type { Inputs, MapFunction, MapOptions, RemoteResults } from "./types.ts";

/**
 * Runs `fn` over `inputs` on a cluster, as if it were local.
 *
 * ```ts
 * for await (const score of remoteParallelMap(scoreDocument, documents)) console.log(score);
 * const all = await remoteParallelMap(scoreDocument, documents).toArray();
 * ```
 *
 * The function, what it imports and the values that it closes over are captured at the call; the job starts when its
 * results are first asked for (at once with `detach`). With no cluster configured, one on this machine is started and
 * stays warm for ten minutes.
 *
 * @throws TypeError for an argument or option that cannot be.
 * @throws CaptureError when something that the function needs cannot be sent; the message names the path to it.
 * The iteration throws what the function threw, with `inputIndex` added; a BurlaError for all else.
 */
export function remoteParallelMap<Input, Result>(
  fn: MapFunction<Input, Result>,
  inputs: Inputs<Input>,
  options?: MapOptions,
): RemoteResults<Awaited<Result>> {
  checkArguments(fn, inputs);
  const compiled = compileOptions(options);
  const capture = captureFunction(fn);
  const name = compiled.name ?? (capture.name || "anonymous function");
  const target = resolveCluster(compiled.cluster);
  const jobId = newJobId();
  const output = createOutput({ name, onLog: compiled.onLog, progress: compiled.progress });

  const prepare = async (onError: "throw" | "continue"): Promise<PreparedFunction> => {
    const bundle = await bundleCapture(capture, { cacheDirectory: join(stateDirectory(), "bundle-cache") });
    const spec = specOf(name, { ...compiled, onError }, bundle, target.key === LOCAL);
    return { spec, code: bundle.code, values: capture.values };
  };
  const stream = new ResultStream<Awaited<Result>>(
    jobId,
    (onError) =>
      new Job(connectionTo(target), {
        jobId,
        start: { kind: "submit", prepared: prepare(onError), inputs },
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

function specOf(name: string, options: CompiledOptions, bundle: { id: string; externals: JobSpec["bundle"]["externals"] }, isLocal: boolean): JobSpec {
  const { cpu, ramMiB, maxParallelism, concurrency, onError, retries, timeoutMs, detach, env } = options;
  return {
    name: name.slice(0, 256),
    runtime: "node",
    cpu, ramMiB, maxParallelism, concurrency, retries, timeoutMs, detach, env,
    onError: detach ? "continue" : onError,
    cwd: isLocal ? process.cwd() : null,
    parent: null,
    bundle: { id: bundle.id as JobSpec["bundle"]["id"], externals: bundle.externals },
  };
}
