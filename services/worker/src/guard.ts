/** What becomes of errors and signals that no call handles. */
import { inspect } from "node:util";

/** After SIGTERM the calls may react to `context.signal` for this long; the node kills what is left. */
const CANCEL_GRACE_MS = 100;

/** What runs for the user in this process. */
export interface Guarded {
  /** An error that no promise of ours carries. @returns false when it is nobody's. */
  failRunningCall(error: unknown): boolean;
  /** The user's code is asked to end. */
  cancel(): void;
  /** The process ends: what was printed and answered still leaves it. */
  end(): void;
}

export function guardProcess(current: () => Guarded | undefined): void {
  const handle = (error: unknown) => {
    if (current()?.failRunningCall(error) === true) return;
    process.stderr.write(`Uncaught ${inspect(error)}\n`);
  };
  process.on("uncaughtException", handle);
  process.on("unhandledRejection", handle);
  process.on("exit", () => flushLast(current()));
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => {
    current()?.cancel();
    setTimeout(() => process.exit(0), CANCEL_GRACE_MS);
  });
}

/** What is thrown here would come out of the user's `process.exit()`, and leave a process that neither runs nor ends. */
function flushLast(guarded: Guarded | undefined): void {
  try {
    guarded?.end();
  } catch (error) {
    process.stderr.write(`Uncaught ${inspect(error)}\n`);
  }
}
