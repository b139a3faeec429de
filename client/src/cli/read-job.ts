/** Reads a job's results to the end, or until somebody ends it early: Ctrl-C, a closed pipe, SIGTERM. */
import type { JobOutput } from "../output.ts";
import type { RemoteResults } from "../types.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { ResultLines } from "./results.ts";
import type { Terminal } from "./terminal.ts";

export interface ReadJobOptions {
  readonly terminal: Terminal;
  readonly view: JobOutput;
  readonly results: ResultLines;
  /** Said at the first Ctrl-C. */
  readonly farewell: string;
  /** Ends the job or leaves it, as the command means it. Resolves when the cluster has confirmed it. */
  readonly leave: () => Promise<void>;
}

/** @throws what ended the job, unless this program ended it. */
export async function readJob(stream: RemoteResults<unknown>, { terminal, view, results, farewell, leave }: ReadJobOptions): Promise<ExitCode> {
  const early: { exitCode?: ExitCode; left?: Promise<void> } = {};
  const endWith = (exitCode: ExitCode) => {
    early.exitCode ??= exitCode;
    early.left ??= leave();
  };
  const stop = terminal.onInterrupt((exitCode) => {
    view.clear();
    terminal.say(farewell);
    endWith(exitCode);
  });
  terminal.readerGone.addEventListener("abort", () => endWith(EXIT.ok));
  try {
    for await (const entry of stream.settled()) {
      await results.add(entry);
      if (early.exitCode !== undefined) break;
    }
  } catch (error) {
    if (early.exitCode === undefined) throw error;
  } finally {
    await early.left;
    view.clear();
    stop();
  }
  if (early.exitCode !== undefined) return early.exitCode;
  results.end();
  return results.failed > 0 ? EXIT.failed : EXIT.ok;
}
