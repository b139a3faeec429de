/** Programs of a user, as processes of their own, in a folder where `burla` is installed. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ensureInterpreter, pythonEnvironment, type Interpreter } from "../../scripts/python/interpreters.ts";
import type { TestCluster } from "./cluster.ts";
import { within } from "./until.ts";

const CLIENT = fileURLToPath(new URL("../../client", import.meta.url));
const PATIENCE_MS = 60_000;

export interface ScriptOptions {
  readonly env?: Record<string, string>;
  readonly args?: readonly string[];
  readonly cwd?: string;
}

export interface PythonOptions extends ScriptOptions {
  readonly interpreter?: Interpreter;
}

export interface CommandOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** What it reads from stdin; `"open"` leaves stdin open without a word. Default: an empty stdin. */
  readonly input?: string;
}

export interface ScriptEnd {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

let scripts = 0;

export class Script {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #end: Promise<ScriptEnd>;
  #ended: ScriptEnd | undefined;
  #stderr = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    createInterface({ input: child.stdout! }).on("line", (line) => {
      this.#lines.push(line);
      this.#changed();
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#changed();
    });
    this.#end = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.#ended = { code, signal, stdout: this.#lines.map((line) => `${line}\n`).join(""), stderr: this.#stderr };
        this.#changed();
        resolve(this.#ended);
      });
    });
  }

  /** Starts an ES module under plain Node, with `remoteParallelMap` and `attach` imported and the cluster's folder set. */
  static start(cluster: Pick<TestCluster, "home">, source: string, { env = {}, args = [], cwd }: ScriptOptions = {}): Script {
    const folder = join(cluster.home, "scripts");
    mkdirSync(join(folder, "node_modules"), { recursive: true });
    try {
      symlinkSync(CLIENT, join(folder, "node_modules", "burla"));
    } catch {
      // An earlier script of this cluster made it.
    }
    const file = join(folder, `script-${++scripts}.mjs`);
    writeFileSync(file, `import { attach, remoteParallelMap } from "burla";\n${source}`);
    const child = spawn(process.execPath, [file, ...args], {
      cwd: cwd ?? folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_EXTRA_CA_CERTS: "", NODE_TEST_CONTEXT: "", ...env, BURLA_HOME: cluster.home },
    });
    return new Script(child);
  }

  /** Starts a script under Python that has imported all of `burla`. */
  static python(cluster: Pick<TestCluster, "home">, source: string, { env = {}, args = [], cwd, interpreter = ensureInterpreter() }: PythonOptions = {}): Script {
    const folder = join(cluster.home, "scripts");
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `script_${++scripts}.py`);
    writeFileSync(file, `from burla import *\n${source}`);
    const child = spawn(interpreter.command, ["-u", file, ...args], {
      cwd: cwd ?? folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...pythonEnvironment(interpreter), NODE_EXTRA_CA_CERTS: "", ...env, BURLA_HOME: cluster.home },
    });
    return new Script(child);
  }

  /** Starts the `burla` command as it is built. */
  static command(cluster: Pick<TestCluster, "home">, args: readonly string[], { env = {}, cwd, input }: CommandOptions = {}): Script {
    const child = spawn(process.execPath, [join(CLIENT, "dist", "cli.js"), ...args], {
      cwd: cwd ?? cluster.home,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      env: { ...process.env, NODE_EXTRA_CA_CERTS: "", NODE_TEST_CONTEXT: "", BURLA_HOME: cluster.home, ...env },
    });
    if (input !== "open") child.stdin?.end(input);
    return new Script(child);
  }

  /** Runs a script to its end. */
  static run(cluster: Pick<TestCluster, "home">, source: string, options?: ScriptOptions): Promise<ScriptEnd> {
    return Script.start(cluster, source, options).ended();
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.#child.kill(signal);
  }

  /** Reads no more of its stdout, as `head` when it has enough. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }

  ended(patienceMs = PATIENCE_MS): Promise<ScriptEnd> {
    return within(patienceMs, "the script", this.#end);
  }

  /** Resolves when stderr has this. @throws Error when the script ends without it. */
  errorText(pattern: RegExp): Promise<void> {
    const look = async (): Promise<void> => {
      while (!pattern.test(this.#stderr)) {
        if (this.#ended !== undefined) throw new Error(`the script ended without ${String(pattern)}:\n${this.#stderr}`);
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    };
    return within(PATIENCE_MS, `the text ${String(pattern)}`, look());
  }

  /** The first line that fits, or its first group. @throws Error when the script ends without it. */
  line(pattern: RegExp, patienceMs = PATIENCE_MS): Promise<string> {
    const look = async (): Promise<string> => {
      for (;;) {
        for (const line of this.#lines) {
          const match = pattern.exec(line);
          if (match !== null) return match[1] ?? match[0];
        }
        if (this.#ended !== undefined) throw new Error(`the script ended without a line ${String(pattern)}:\n${this.#ended.stdout}${this.#ended.stderr}`);
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    };
    return within(patienceMs, `the line ${String(pattern)}`, look());
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
