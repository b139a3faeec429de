import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

export interface Outcome {
  readonly ok: boolean;
  /** Standard output, or, after a failure, all that was printed. */
  readonly text: string;
}

/** Runs a program to its end. Never throws. */
export async function attempt(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Outcome> {
  try {
    const { stdout } = await run(command, args, { maxBuffer: MAX_OUTPUT_BYTES, env: { ...process.env, ...env } });
    return { ok: true, text: stdout };
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    return { ok: false, text: `${stdout}${stderr}` || message };
  }
}

/** The last line that says something. */
export function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}
