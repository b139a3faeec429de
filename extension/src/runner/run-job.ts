/** One job for the extension: its results to the spool, what a person should see to the extension. */
import { attach, captureNamed, captureRange, compileOptions, mapCapture, type Capture, type LogLine, type Progress, type RemoteResults } from "burla/tools";
import { RememberedInputs, openSource } from "./inputs.ts";
import { MAX_LINE_LENGTH, type FunctionRef, type JobLine, type JobProgress, type JobRequest, type RunRequest } from "./messages.ts";
import { Outbox, type Say } from "./outbox.ts";
import { rowOf } from "./rows.ts";
import { Spool } from "./spool.ts";
import { clip } from "./text.ts";

/** What the extension may want of a running job. */
export interface RunningJob {
  /** Resolves when the last event but `ended` has been said. @throws what ended the job. */
  readonly over: Promise<void>;
  cancel(): Promise<void>;
  /** Nobody listens any more, and the job goes on. Resolves when the cluster needs this program no longer. */
  leave(): Promise<void>;
}

/** @throws what hinders the job from starting: a function that cannot be sent, inputs that are not there. */
export async function startJob(request: JobRequest, say: Say): Promise<RunningJob> {
  const outbox: { current?: Outbox } = {};
  const indexOf = (jobIndex: number) => (jobIndex < 0 ? jobIndex : (request.indexes?.[jobIndex] ?? jobIndex));
  const onLog = (line: LogLine) => outbox.current?.line(lineOf(line, indexOf(line.index)));
  const progress = (state: Progress) => outbox.current?.progress(progressOf(state));
  const listeners = { onLog, progress };
  const own = (text: string, stream: "stdout" | "stderr") => onLog({ index: -1, stream, text, time: new Date(), node: "" });
  const { stream, inputs } = request.type === "run" ? await startRun(request, { ...listeners, own }) : startAttach(request, listeners);
  const spool = await Spool.open(request.spool);
  outbox.current = new Outbox(spool, say, request.maxLogLines);
  await say({ type: "started", jobId: stream.jobId });
  const state = { hasLeft: false };
  const over = read({ stream, inputs, outbox: outbox.current, state, indexOf }).finally(() => spool.close());
  over.catch(() => undefined);
  return {
    over,
    cancel: () => stream.cancel(),
    leave: async () => {
      state.hasLeft = true;
      await stream.uploaded;
    },
  };
}

interface Listeners {
  readonly onLog: (line: LogLine) => void;
  readonly progress: (progress: Progress) => void;
}

interface Started {
  readonly stream: RemoteResults<unknown>;
  /** Null for a job that somebody else has fed. */
  readonly inputs: RememberedInputs | null;
}

async function startRun(request: RunRequest, { onLog, progress, own }: Listeners & { own: (text: string, stream: "stdout" | "stderr") => void }): Promise<Started> {
  const { file, inputs: source, inputTimeoutMs, indexes, cluster } = request;
  const [capture, opened] = await Promise.all([
    captureRef(file, request.fn),
    openSource(source, { file, timeoutMs: inputTimeoutMs, onLine: own }),
  ]);
  const inputs = new RememberedInputs(opened, indexes);
  // Detached for main: a window that is reloaded must find the job running.
  const compiled = compileOptions({ onError: "continue", detach: true, onLog, progress, ...(cluster === null ? {} : { cluster }) });
  return { stream: mapCapture<unknown>(capture, inputs.inputs, compiled), inputs };
}

function startAttach({ jobId, from, cluster }: Extract<JobRequest, { type: "attach" }>, listeners: Listeners): Started {
  return { stream: attach(jobId, { ...listeners, from, ...(cluster === null ? {} : { cluster }) }), inputs: null };
}

/** Captures what the extension points at. Nothing of the file is run. */
export function captureRef(file: string, fn: FunctionRef): Promise<Capture> {
  if (fn.kind === "range") return captureRange(file, fn, fn.label);
  return captureNamed({ file, name: fn.name });
}

interface ReadOptions extends Started {
  readonly outbox: Outbox;
  readonly state: { readonly hasLeft: boolean };
  readonly indexOf: (jobIndex: number) => number;
}

async function read({ stream, inputs, outbox, state, indexOf }: ReadOptions): Promise<void> {
  try {
    for await (const entry of stream.settled()) {
      if (state.hasLeft) continue;
      const input = inputs?.take(entry.index) ?? null;
      await outbox.row(rowOf(entry, indexOf(entry.index), input));
    }
  } finally {
    if (!state.hasLeft) await outbox.flush();
  }
}

function lineOf({ stream, time, text }: LogLine, index: number): JobLine {
  return { index, stream, timeMs: time.getTime(), text: clip(text, MAX_LINE_LENGTH) };
}

function progressOf({ phase, reason, nodes, workers, pushed, running, done, failed, total }: Progress): JobProgress {
  return { phase, reason: clip(reason, 1_000), nodes, workers, pushed, running, done, failed, total };
}
