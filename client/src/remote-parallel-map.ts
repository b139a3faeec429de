/** The one function that a user needs. */
import { captureFunction } from "./capture/index.ts";
import { connectionTo } from "./cluster-connection.ts";
import { resolveCluster } from "./cluster.ts";
import { mapCapture } from "./map-capture.ts";
import { checkArguments, compileOptions } from "./options.ts";
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
 * results are first asked for (at once with `detach`). With no cluster configured, one on this machine is started by the
 * call and stays warm for ten minutes.
 *
 * @throws TypeError for an argument or option that cannot be.
 * @throws CaptureError when something that the function needs cannot be sent; the message names the path to it.
 * The iteration throws what the function threw, with `inputIndex` added; a BurlaError for all else.
 */
export function remoteParallelMap<Input, Result, Worker = undefined>(
  fn: MapFunction<Input, Result, Awaited<Worker>>,
  inputs: Inputs<Input>,
  options?: MapOptions<Worker>,
): RemoteResults<Awaited<Result>> {
  checkArguments(fn, inputs);
  const compiled = compileOptions(options);
  connectionTo(resolveCluster(compiled.cluster)).prepare();
  return mapCapture<Awaited<Result>>(captureFunction(fn, { setup: compiled.setup }), inputs, compiled);
}
