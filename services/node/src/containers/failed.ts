import type { WorkerId } from "@burla/protocol";
import { tailOf, type Container, type ExitReport } from "./runtime.ts";

/** One that the system did not let begin: told as its end, as if its program had not started. */
export class FailedContainer implements Container {
  readonly workerId: WorkerId;
  readonly pid = 0;
  readonly printed = null;
  readonly exited: Promise<ExitReport>;

  constructor(workerId: WorkerId, reason: string, cause: "refused" | "engine-failed") {
    this.workerId = workerId;
    this.exited = Promise.resolve({ cause, code: null, signal: null, why: null, outOfMemory: null, stderrTail: tailOf(reason) });
  }

  stop(): void {}

  kill(): void {}
}
