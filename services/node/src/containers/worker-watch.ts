/**
 * What the process runtime looks at once a second, because nothing tells it: workers that stand still, and what native
 * code prints in one long call, which nobody reads before the call ends.
 */
import { statSync, truncateSync } from "node:fs";
import { readProc } from "./descendants.ts";

const LOOK_MS = 1_000;
/** A worker that was stopped (SIGSTOP) for so many looks in a row is not waited for any longer. */
const MAX_STOPPED_LOOKS = 10;
/** Output that waits to be read beyond this is thrown away: it would fill the disk. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface WatchedWorker {
  readonly pid: number;
  /** Files that it appends to. */
  readonly files: readonly string[];
  readonly onStopped: () => void;
}

export class WorkerWatch {
  readonly #stoppedLooks = new Map<WatchedWorker, number>();
  #timer: NodeJS.Timeout | undefined;

  /** @returns what ends the watch. */
  add(worker: WatchedWorker): () => void {
    this.#stoppedLooks.set(worker, 0);
    this.#timer ??= setInterval(() => this.look(), LOOK_MS).unref();
    return () => {
      this.#stoppedLooks.delete(worker);
      if (this.#stoppedLooks.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** One look at all; by itself once a second. */
  look(): void {
    for (const [worker, looks] of this.#stoppedLooks) {
      worker.files.forEach(cutIfLong);
      const stoppedLooks = isStopped(worker.pid) ? looks + 1 : 0;
      this.#stoppedLooks.set(worker, stoppedLooks);
      if (stoppedLooks === MAX_STOPPED_LOOKS) worker.onStopped();
    }
  }
}

/** By job control, not by a debugger. */
function isStopped(pid: number): boolean {
  return /\) T /.test(readProc(pid, "stat"));
}

function cutIfLong(file: string): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) <= MAX_OUTPUT_BYTES) return;
  try {
    truncateSync(file, 0);
  } catch {
    // The worker has ended, and its files with it.
  }
}
