/** Results of a job that runs already, or has ended: from this process or any other. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { JobId } from "@burla/protocol";
import { connectionTo } from "./cluster-connection.ts";
import { resolveCluster } from "./cluster.ts";
import type { InContext } from "./inputs.ts";
import { Job } from "./job.ts";
import { checkAttachOptions } from "./options.ts";
import { createOutput } from "./output.ts";
import { ResultStream } from "./stream.ts";
import type { AttachOptions, RemoteResults } from "./types.ts";

const JOB_ID = /^job-[0-9a-z]{19}$/;

/**
 * The same generator as the call that started the job gave.
 * @throws TypeError for an id or option that cannot be. The iteration throws BURLA_NO_SUCH_JOB when the cluster does
 * not know the job, and BURLA_INTERRUPTED at its end when the program that fed its inputs ended early.
 */
export function attach<Result = unknown>(jobId: string, options?: AttachOptions): RemoteResults<Result> {
  if (!JOB_ID.test(jobId)) throw new TypeError(`attach: "${jobId}" is no job id; it looks like job-01j9x3k5v7abcdefghj`);
  const checked = checkAttachOptions(options);
  const target = resolveCluster(checked.cluster);
  const inContext = AsyncLocalStorage.snapshot() as InContext;
  const output = createOutput({ name: jobId, onLog: checked.onLog, progress: checked.progress ?? false });
  return new ResultStream<Result>(
    jobId,
    () =>
      new Job<Result>(connectionTo(target, jobId as JobId), {
        jobId: jobId as JobId,
        start: { kind: "attach" },
        inContext,
        order: checked.order ?? "completion",
        detach: true,
        onLine: (line) => output.line(line),
        onProgress: (progress) => output.progress(progress),
      }),
    { onError: checked.onError ?? "throw", detach: true, signal: checked.signal, skip: checked.from ?? 0, onOver: () => output.end() },
  );
}
