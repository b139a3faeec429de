/** A program of this machine that is run to its end, with all that it starts. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { WORKER_VARIABLE } from "./containers/descendants.ts";
import type { TaskOutcome } from "./containers/runtime.ts";

const TAIL_CHARACTERS = 512 * 1024;

export interface Command {
  /** The program and its arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** By this in its environment it is found when this service has died. */
  readonly mark: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** @throws the signal's reason when it was aborted; it and its children have ended then. */
export async function runCommand({ argv: [program, ...args], cwd, env, mark, signal, onLine }: Command): Promise<TaskOutcome> {
  signal.throwIfAborted();
  const child = spawn(program, args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"], env: { ...env, [WORKER_VARIABLE]: mark } });
  const end = () => killGroup(child.pid);
  signal.addEventListener("abort", end);
  let tail = "";
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      tail = `${tail}${line}\n`.slice(-TAIL_CHARACTERS);
      onLine(line);
    });
  }
  try {
    const code = await new Promise<number | null>((resolve) => {
      child.once("close", (status) => resolve(status));
      child.once("error", (error) => {
        tail += error.message;
        resolve(null);
      });
    });
    signal.throwIfAborted();
    return { code, tail: tail.trim() };
  } finally {
    signal.removeEventListener("abort", end);
    killGroup(child.pid);
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended, with all that was in its group.
  }
}
