import { execFile } from "node:child_process";
import { promisify } from "node:util";

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const execute = promisify(execFile);

/**
 * @returns what the program printed.
 * @throws Error with the end of its standard error when it fails.
 */
export async function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv }): Promise<string> {
  try {
    const { stdout } = await execute(command, args, { ...options, maxBuffer: MAX_OUTPUT_BYTES });
    return stdout;
  } catch (cause) {
    const { stderr = "", message } = cause as Error & { stderr?: string };
    throw new Error(`${command} ${args[0] ?? ""} failed: ${stderr.trim().split("\n").slice(-5).join("\n") || message}`, { cause });
  }
}
