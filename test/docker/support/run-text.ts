import { execFile } from "node:child_process";
import { promisify } from "node:util";

const PATIENCE_MS = 120_000;

/** Runs a program to its end. @returns what it printed. @throws Error with what it said instead. */
export async function runText(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { env, encoding: "utf8", timeout: PATIENCE_MS });
  return stdout;
}
