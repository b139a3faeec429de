/** From what the engine says of an ended container to the report of its end. Pure. */
import { constants } from "node:os";
import { heapMiBOf, isHeapLimit, tailOf, type ExitReport } from "../runtime.ts";

/** How the container ended, by the engine; null when it knows nothing of it any more. */
export interface EndState {
  readonly exitCode: number;
  readonly isOutOfMemory: boolean;
}

export interface EndContext {
  readonly ramMiB: number;
  readonly stderr: string;
  /** The engine was lost while the container ran. */
  readonly lostEngine: boolean;
}

/** A process that was ended by a signal counts as one that exited with this and the signal's number. */
const SIGNALLED = 128;
/** By SIGKILL. */
export const KILLED = SIGNALLED + constants.signals.SIGKILL;

/** Who or what ended a container, as far as the engine and its last words tell. */
export function reportOf(state: EndState | null, { ramMiB, stderr, lostEngine }: EndContext): ExitReport {
  const signal = state === null ? null : signalOf(state.exitCode);
  const wasKilled = state === null || state.exitCode === KILLED;
  // A child of the worker may have been ended for its memory long ago: that is the child's end, and no reason for this one.
  const limitMiB = state?.isOutOfMemory === true && wasKilled ? ramMiB : isHeapLimit(stderr) ? heapMiBOf(ramMiB) : null;
  return {
    cause: lostEngine && wasKilled && limitMiB === null ? "engine-stopped" : "ended",
    code: signal === null ? (state?.exitCode ?? null) : null,
    signal,
    why: null,
    // The kernel gives no more than the limit: where it ended the worker, its use was the limit.
    outOfMemory: limitMiB === null ? null : { limitMiB, peakMiB: limitMiB },
    stderrTail: tailOf(stderr),
  };
}

function signalOf(exitCode: number): string | null {
  const [name] = Object.entries(constants.signals).find(([, number]) => number === exitCode - SIGNALLED) ?? [null];
  return name;
}
