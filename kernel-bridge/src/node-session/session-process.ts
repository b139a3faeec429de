/** The program of a session, under the user's own Node: started, spoken to, ended. It knows nothing of executions. */
import { spawn, type ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import * as v from "valibot";
import { LineSplitter } from "./lines.ts";
import { MarkedOutput } from "./marked-output.ts";
import { COMMANDS_FD, MAX_MESSAGE_LENGTH, REPORTS_FD, reportSchema, type Command, type Report } from "./messages.ts";

export interface SessionProcessOptions {
  /** The built program (`session.mjs`). */
  readonly program: string;
  /** Path of the user's Node. */
  readonly nodePath: string;
  /** The notebook's folder: working directory, and what cells import from. */
  readonly directory: string;
  readonly language: "typescript" | "javascript";
  /** The client: the file that `import "burla"` gives. */
  readonly burla: string;
  /** Most memory of its heap. Null for Node's own limit. */
  readonly memoryLimitMiB: number | null;
  readonly env: NodeJS.ProcessEnv;
  readonly onReport: (report: Report) => void;
  /** What was written to the program's stdout or stderr past its console. */
  readonly onOutput: (name: "stdout" | "stderr", text: string) => void;
}

/** How the program ended. */
export interface SessionEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it was not started, or ended from here. */
  readonly problem: string | null;
}

/**
 * Async hooks are not checked: V8 is told to end a busy cell (`Runtime.terminateExecution`), which leaves their stack
 * with one entry too many, and Node would end the process over it.
 */
const NODE_OPTIONS = ["--no-force-async-hooks-checks", "--disable-warning=ExperimentalWarning", "--enable-source-maps"];

/** After its end, the program's pipes have this long to be read to their end. */
const PIPES_TIMEOUT_MS = 1_000;

export class SessionProcess {
  readonly #child: ChildProcess;
  readonly #outputs: { readonly stdout: MarkedOutput; readonly stderr: MarkedOutput };
  #problem: string | null = null;
  /** Resolves when the program has ended and all that it said was heard. */
  readonly ended: Promise<SessionEnd>;

  constructor(options: SessionProcessOptions) {
    const { program, nodePath, directory, language, burla, memoryLimitMiB, env, onOutput } = options;
    const limit = memoryLimitMiB === null ? [] : [`--max-old-space-size=${memoryLimitMiB}`];
    this.#child = spawn(nodePath, [...NODE_OPTIONS, ...limit, program, language, burla], {
      cwd: directory,
      env,
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    });
    this.#outputs = {
      stdout: new MarkedOutput((text) => onOutput("stdout", text)),
      stderr: new MarkedOutput((text) => onOutput("stderr", text)),
    };
    this.ended = this.#follow(options);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(command: Command): void {
    (this.#child.stdio[COMMANDS_FD] as Writable | null | undefined)?.write(`${JSON.stringify(command)}\n`);
  }

  /** Resolves when what native code wrote before the mark has been heard. */
  async untilMark(mark: string, timeoutMs: number): Promise<void> {
    await Promise.all([this.#outputs.stdout.until(mark, timeoutMs), this.#outputs.stderr.until(mark, timeoutMs)]);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #follow({ onReport }: SessionProcessOptions): Promise<SessionEnd> {
    const { stdout, stderr, stdio } = this.#child;
    const reports = stdio[REPORTS_FD] as Readable | null | undefined;
    const lines = new LineSplitter(MAX_MESSAGE_LENGTH);
    reports?.on("data", (bytes: Buffer) => this.#hear(lines, bytes, onReport));
    stdout?.on("data", (bytes: Buffer) => this.#outputs.stdout.push(bytes));
    stderr?.on("data", (bytes: Buffer) => this.#outputs.stderr.push(bytes));
    // A write to a program that has just ended is no news: its end is.
    for (const stream of stdio) stream?.on("error", () => undefined);
    return new Promise((resolve) => {
      this.#child.once("error", (error) => resolve({ code: null, signal: null, problem: `it could not be started: ${error.message}` }));
      this.#child.once("exit", (code, signal) => {
        const settle = () => resolve({ code, signal, problem: this.#problem });
        // Programs that the code has started may hold the pipes open.
        const timer = setTimeout(settle, PIPES_TIMEOUT_MS);
        this.#child.once("close", () => {
          clearTimeout(timer);
          settle();
        });
      });
    });
  }

  #hear(lines: LineSplitter, bytes: Buffer, onReport: (report: Report) => void): void {
    try {
      for (const line of lines.push(bytes)) onReport(v.parse(reportSchema, JSON.parse(line)));
    } catch (error) {
      this.#problem = `it said what this version does not understand: ${(error as Error).message}`;
      this.kill();
    }
  }
}
