/** Workers as child processes, for a machine without Docker. Each leads a process group, so that its children end with it. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { childEnvironment, messageOf, type WorkerId } from "@burla/protocol";
import { runCommand } from "../command.ts";
import { isDiskError } from "../disk.ts";
import { hasHadChildren, killLeftBehind, WORKER_VARIABLE } from "./descendants.ts";
import { FailedContainer } from "./failed.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { PrintedFiles } from "./printed.ts";
import { heapMiBOf, isHeapLimit, KILL_AFTER_MS, tailOf, type Container, type ContainerOptions, type ContainerRuntime, type ExitReport, type Task, type TaskOutcome } from "./runtime.ts";
import { WorkerWatch } from "./worker-watch.ts";

export interface ProcessRuntimeOptions {
  /** The worker service, a single file. */
  readonly workerProgram: string;
  /** The same for Python: a folder, which an interpreter runs. */
  readonly pythonWorkerProgram: string;
  /** The interpreter for jobs that name none. */
  readonly python: string;
  /** Scratch folders, one per worker, are made and removed here. */
  readonly directory: string;
}

export class ProcessRuntime implements ContainerRuntime {
  /** The operating system shares its processors out fairly; nothing holds a process group to a number of them. */
  readonly limitsCpu = false;
  readonly sharesMachine = true;
  readonly trouble = "";
  readonly #options: ProcessRuntimeOptions;
  readonly #watches: Watches = { memory: new MemoryWatch(), worker: new WorkerWatch() };

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true });
  }

  prepare(): Promise<void> {
    removeLeftovers(this.#options.directory);
    return Promise.resolve();
  }

  /** What the system refuses is told as the container's end, as if its program had not started. */
  start(options: ContainerOptions): Container {
    try {
      return new ProcessContainer(options, this.#options, this.#watches);
    } catch (error) {
      return new FailedContainer(options.workerId, messageOf(error), isDiskError(error) ? "engine-failed" : "refused");
    }
  }

  environmentId({ runtime, python }: Pick<Task, "runtime" | "python">): Promise<string> {
    return Promise.resolve(runtime === "node" ? `node ${process.version} ${process.arch}` : `python ${python ?? this.#options.python}`);
  }

  run({ argv: [program, ...args], python, folder, mark, signal, onLine }: Task): Promise<TaskOutcome> {
    const argv = [program === "node" ? process.execPath : (python ?? this.#options.python), ...args] as const;
    return runCommand({ argv, cwd: folder ?? this.#options.directory, env: childEnvironment(), mark, signal, onLine });
  }
}

interface Watches {
  readonly memory: MemoryWatch;
  readonly worker: WorkerWatch;
}

class ProcessContainer implements Container {
  readonly workerId: WorkerId;
  readonly pid: number;
  readonly printed: PrintedFiles;
  readonly exited: Promise<ExitReport>;
  readonly #child: ChildProcess;
  readonly #scratch: string;
  readonly #stderrFile: string;
  #killTimer: NodeJS.Timeout | undefined;
  /** Of a worker that ends by itself it is not known, and looked for. */
  #hadChildren = true;

  constructor(options: ContainerOptions, programs: ProcessRuntimeOptions, watches: Watches) {
    this.workerId = options.workerId;
    this.#scratch = join(programs.directory, options.workerId);
    mkdirSync(this.#scratch, { recursive: true });
    const stdoutFile = join(this.#scratch, "stdout");
    this.#stderrFile = join(this.#scratch, "stderr");
    const descriptors = [openSync(stdoutFile, "a"), openSync(this.#stderrFile, "a")] as const;
    this.printed = new PrintedFiles(this.#scratch);
    const heapMiB = heapMiBOf(options.ramMiB);
    const [command, ...args] = commandOf(options, programs, heapMiB);
    this.#child = spawn(command, args, {
      cwd: this.#scratch,
      detached: true,
      stdio: ["ignore", ...descriptors],
      env: {
        ...childEnvironment(),
        [WORKER_VARIABLE]: options.workerId,
        BURLA_WORKER_TOKEN: options.token,
        BURLA_WORKER_SOCKET: options.socketPath,
        BURLA_WORKER_STDOUT: stdoutFile,
        BURLA_WORKER_STDERR: this.#stderrFile,
      },
    });
    for (const descriptor of descriptors) closeSync(descriptor);
    this.pid = this.#child.pid ?? 0;
    if (this.pid > 0) writeFileSync(join(this.#scratch, "pid"), String(this.pid));
    const watched = watches.memory.add(this.pid, options.ramMiB, () => this.kill());
    let why: string | null = null;
    const unwatch = watches.worker.add({
      pid: this.pid,
      files: [stdoutFile, this.#stderrFile],
      onStopped: () => {
        why = "it was stopped (SIGSTOP) and did not go on, so that it was killed";
        this.kill();
      },
    });
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: string | null, error?: Error) => {
        clearTimeout(this.#killTimer);
        this.#killGroup("SIGKILL");
        if (this.#hadChildren) killLeftBehind([this.workerId]);
        unwatch();
        const peakMiB = watched.stop();
        const stderrTail = error === undefined ? this.#readStderr() : refusalOf(error, command);
        const heapLimit = isHeapLimit(stderrTail) ? heapMiB : null;
        const limitMiB = watched.exceeded ? options.ramMiB : heapLimit;
        rmSync(this.#scratch, { recursive: true, force: true });
        const outOfMemory = limitMiB === null ? null : { limitMiB, peakMiB: Math.max(peakMiB, limitMiB) };
        resolve({ cause: error === undefined ? "ended" : "refused", code, signal, why, outOfMemory, stderrTail: tailOf(stderrTail) });
      };
      this.#child.once("exit", (code, signal) => end(code, signal));
      this.#child.once("error", (error) => end(null, null, error));
    });
  }

  stop(): void {
    this.#killGroup("SIGTERM");
    this.#killTimer ??= setTimeout(() => this.kill(), KILL_AFTER_MS);
  }

  kill(): void {
    this.#hadChildren = hasHadChildren(this.pid);
    this.#killGroup("SIGKILL");
  }

  #killGroup(signal: NodeJS.Signals): void {
    if (this.pid <= 0) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // The group is gone already.
    }
  }

  #readStderr(): string {
    try {
      return readFileSync(this.#stderrFile, "utf8");
    } catch {
      return "";
    }
  }
}

function commandOf({ runtime, python }: ContainerOptions, programs: ProcessRuntimeOptions, heapMiB: number): [string, ...string[]] {
  if (runtime === "python") return [python ?? programs.python, programs.pythonWorkerProgram];
  return [process.execPath, `--max-old-space-size=${heapMiB}`, programs.workerProgram];
}

function refusalOf(error: Error, command: string): string {
  return (error as NodeJS.ErrnoException).code === "ENOENT" ? `there is no program ${command} on this machine` : error.message;
}

/** Kills workers, and removes folders, that a node service left behind when it was killed. */
export function removeLeftovers(directory: string): void {
  let names: string[] = [];
  try {
    names = readdirSync(directory);
  } catch {
    return;
  }
  killLeftBehind(names);
  for (const name of names) {
    killRecorded(join(directory, name, "pid"), name);
    rmSync(join(directory, name), { recursive: true, force: true });
  }
}

/** A pid may belong to another program by now: only a process whose environment names this worker is killed. */
function killRecorded(pidFile: string, workerId: string): void {
  try {
    const pid = Number(readFileSync(pidFile, "utf8"));
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
    if (environment.includes(`BURLA_WORKER_ID=${workerId}\0`)) process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
