/** One job for the extension: its results to the spool, what a person should see to the extension. */
import { attach, captureNamed, captureRange, compileOptions, mapCapture, type Capture, type Progress, type RemoteResults } from "burla/tools";
import { firstOf, openSource, RememberedInputs, withFirst, type AnyInputs } from "./inputs.ts";
import { type FunctionRef, type JobProgress, type JobRequest, type RunRequest } from "./messages.ts";
import { Outbox, type Say } from "./outbox.ts";
import { rowOf } from "./rows.ts";
import { Spool } from "./spool.ts";
import { clip } from "./text.ts";

/** What the extension may want of a running job. */
export interface RunningJob {
  /** Resolves when the last event but `ended` has been said. @throws what ended the job. */
  readonly over: Promise<void>;
  cancel(): Promise<void>;
  /** Nobody listens any more, and the job goes on. */
  leave(): Leaving;
}

export interface Leaving {
  /** Resolves when nothing more is written to the spool. */
  readonly stopped: Promise<void>;
  /** Resolves when the cluster needs this program no longer. */
  readonly uploaded: Promise<void>;
}

/** @throws what hinders the job from starting: a function that cannot be sent, inputs that are not there. */
export async function startJob(request: JobRequest, say: Say): Promise<RunningJob> {
  const spool = await Spool.open(request.spool);
  const outbox = new Outbox(spool, say);
  try {
    const { stream, inputs } = request.type === "run" ? await startRun(request, outbox, say) : startAttach(request, outbox);
    await say({ type: "started", jobId: stream.jobId });
    return follow({ stream, inputs, outbox, indexes: request.indexes, spool });
  } catch (error) {
    await outbox.flush();
    await spool.close();
    throw error;
  }
}

interface Started {
  readonly stream: RemoteResults<unknown>;
  /** Null for a job that somebody else has fed. */
  readonly inputs: RememberedInputs | null;
}

interface Following extends Started {
  readonly outbox: Outbox;
  readonly spool: Spool;
  readonly indexes: readonly number[] | null;
}

function follow(parts: Following): RunningJob {
  const { stream, spool, outbox } = parts;
  const state = { hasLeft: false };
  const over = read(parts, state).finally(() => spool.close());
  over.catch(() => undefined);
  return {
    over,
    cancel: () => stream.cancel(),
    leave: () => {
      state.hasLeft = true;
      return { stopped: outbox.flush(), uploaded: stream.uploaded };
    },
  };
}

async function startRun(request: RunRequest, outbox: Outbox, say: Say): Promise<Started> {
  const { file, inputs: source, inputTimeoutMs, indexes, cluster, limit } = request;
  const [capture, opened] = await Promise.all([
    captureRef(file, request.fn),
    openSource(source, { file, timeoutMs: inputTimeoutMs, onLine: (line) => outbox.printed(line) }),
  ]);
  const all = await withFirst(opened, source);
  const inputs = new RememberedInputs(limit === null ? all : await firstInputs(all, limit, opened, say), indexes);
  // Detached for main: a window that is reloaded must find the job running.
  const compiled = compileOptions({ onError: "continue", detach: true, ...listeners(outbox), ...(cluster === null ? {} : { cluster }) });
  return { stream: mapCapture<unknown>(capture, inputs.inputs, compiled), inputs };
}

async function firstInputs(all: AnyInputs, limit: number, opened: AnyInputs, say: Say): Promise<readonly unknown[]> {
  const { inputs, count } = await firstOf(all, limit, opened);
  await say({ type: "counted", inputs: count });
  return inputs;
}

function startAttach({ jobId, from, cluster }: Extract<JobRequest, { type: "attach" }>, outbox: Outbox): Started {
  return { stream: attach(jobId, { ...listeners(outbox), from, ...(cluster === null ? {} : { cluster }) }), inputs: null };
}

/** What the function prints the extension reads from the job's log. */
function listeners(outbox: Outbox): { onLog: () => void; progress: (progress: Progress) => void } {
  return { onLog: () => undefined, progress: (progress) => outbox.progress(progressOf(progress)) };
}

/** Captures what the extension points at. Nothing of the file is run. */
export function captureRef(file: string, fn: FunctionRef): Promise<Capture> {
  if (fn.kind === "range") return captureRange(file, fn, fn.label);
  return captureNamed({ file, name: fn.name });
}

async function read({ stream, inputs, outbox, indexes }: Following, state: { readonly hasLeft: boolean }): Promise<void> {
  // Nobody has looked at a job that somebody else has begun.
  const beganMs = inputs === null ? null : performance.now();
  try {
    for await (const entry of stream.settled()) {
      if (state.hasLeft) continue;
      const input = inputs?.take(entry.index) ?? null;
      const afterMs = beganMs === null ? null : Math.round(performance.now() - beganMs);
      await outbox.row(rowOf(entry, { index: indexes?.[entry.index] ?? entry.index, input, afterMs }));
    }
  } finally {
    if (!state.hasLeft) await outbox.flush();
  }
}

function progressOf({ phase, reason, nodes, workers, pushed, running, done, failed, total }: Progress): JobProgress {
  return { phase, reason: clip(reason, 1_000), nodes, workers, pushed, running, done, failed, total };
}
