/** What becomes of errors and signals that no call handles. */
import { inspect } from "node:util";
import type { Runner } from "./run.ts";

/** After SIGTERM the calls may react to `context.signal` for this long; the node kills what is left. */
const CANCEL_GRACE_MS = 100;

export function guardProcess(current: () => Runner | undefined): void {
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
function flushLast(runner: Runner | undefined): void {
  try {
    runner?.end();
  } catch (error) {
    process.stderr.write(`Uncaught ${inspect(error)}\n`);
  }
}
