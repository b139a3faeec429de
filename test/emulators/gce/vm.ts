/** What runs of an emulated VM: its start-up script as a process group in a folder of its own, and its metadata server. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { processesWith } from "../../support/processes.ts";

/** Names the VM in the environment of all its processes: what leaves the group is found by it. */
export const MARK = "EMULATED_VM";
const MAX_SERIAL_CHARACTERS = 1 << 20;
const LOOK_MS = 20;

export interface VmOptions {
  readonly mark: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

export class Vm {
  readonly #options: VmOptions;
  #child: ChildProcess | undefined;
  #serial = "";

  constructor(options: VmOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true });
  }

  /** Everything that the script printed. */
  get serial(): string {
    return this.#serial;
  }

  /** @param script text of `startup-script`. */
  start(script: string): void {
    const { mark, directory, environment } = this.#options;
    const child = spawn("/bin/bash", ["-c", script], {
      cwd: directory,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], HOME: directory, ...environment, [MARK]: mark },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (this.#serial = (this.#serial + text).slice(-MAX_SERIAL_CHARACTERS)));
    }
    child.on("exit", (code, signal) => (this.#serial += `startup-script exit status ${code ?? signal}\n`));
    child.on("error", (error) => (this.#serial += `startup-script failed: ${error.message}\n`));
  }

  /** Soft off, then after a grace power off. Resolves when no process is left. */
  async stop(graceMs: number): Promise<void> {
    const endMs = performance.now() + graceMs;
    this.signal("SIGTERM");
    while (this.#pids().length > 0 && performance.now() < endMs) await pause();
    await this.kill();
  }

  /** Power off. */
  async kill(): Promise<void> {
    for (let pids = this.#pids(); pids.length > 0; pids = this.#pids()) {
      for (const pid of pids) send(pid, "SIGKILL");
      await pause();
    }
  }

  /** To the process group of the script, as the system does at its shutdown. */
  signal(name: NodeJS.Signals): void {
    if (this.#child?.pid !== undefined) send(-this.#child.pid, name);
  }

  remove(): void {
    rmSync(this.#options.directory, { recursive: true, force: true });
  }

  #pids(): number[] {
    return processesWith(`${MARK}=${this.#options.mark}\0`).map(({ pid }) => pid);
  }
}

function send(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
