/** A program that runs a job, and the way to it: messages of JSON there and back. */
import { fork, spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { nodeEnvironment } from "../node-environment.ts";

/** Which program it is. */
export type RunnerProgram =
  | {
      readonly kind: "node";
      readonly program: string;
      /** Undefined for the editor's own, used as Node. */
      readonly nodePath: string | undefined;
    }
  | {
      readonly kind: "python";
      readonly python: string;
      /** The folder of our packages. */
      readonly packages: string;
      /** Starts the local cluster: a program with its first arguments. */
      readonly burlaCommand: readonly string[];
    };

export interface RunnerLink {
  readonly child: ChildProcess;
  send(message: object): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Nothing more is heard or said; the program is told so by the end of what it reads. */
  leave(): void;
}

/** A group of its own: it outlives the window by the moment that it takes to cancel the job. */
const APART = { detached: true } as const;

export function startRunner(program: RunnerProgram, cwd: string): RunnerLink {
  return program.kind === "node" ? startNode(program, cwd) : startPython(program, cwd);
}

function startNode({ program, nodePath }: Extract<RunnerProgram, { kind: "node" }>, cwd: string): RunnerLink {
  const child = fork(program, [], {
    ...APART,
    cwd,
    execArgv: [],
    execPath: nodePath ?? process.execPath,
    env: nodeEnvironment(nodePath === undefined),
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "json",
  });
  return {
    child,
    send: (message) => (child.connected ? child.send(message, () => undefined) : undefined),
    onMessage: (listener) => child.on("message", listener),
    leave: () => {
      child.removeAllListeners("message");
      if (child.connected) child.disconnect();
    },
  };
}

/** Modules of the working directory must not stand for those of the library: `-m` would look there first. */
const DOOR = "import sys; sys.path[0] = sys.argv.pop(1); import runpy; runpy.run_module('burla_editor', run_name='__main__')";

/** A line of JSON each: requests on its stdin, events on its stdout. */
function startPython({ python, packages, burlaCommand }: Extract<RunnerProgram, { kind: "python" }>, cwd: string): RunnerLink {
  const child = spawn(python, ["-c", DOOR, packages], { ...APART, cwd, env: { ...process.env, PYTHONIOENCODING: "utf-8" }, stdio: ["pipe", "pipe", "pipe"] });
  // What is said to a program that is gone is lost, as its end is told.
  child.stdin.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout });
  return {
    child,
    send: (message) => child.stdin.write(`${JSON.stringify({ burlaCommand, ...message })}\n`),
    onMessage: (listener) => lines.on("line", (line) => listener(parsed(line))),
    leave: () => {
      lines.removeAllListeners("line");
      child.stdin.end();
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return line;
  }
}
