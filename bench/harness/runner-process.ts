/** Starts a runner, speaks with it, and leaves nothing of it behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MARK, ProcessGroup } from "./processes.ts";

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Figure {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
}

export interface RunnerEvent {
  readonly event: "ready" | "working" | "progress" | "cancelled" | "error" | "failed" | "done";
  readonly atNs?: number;
  readonly message?: string;
  readonly done?: number;
  readonly address?: string;
}

/** The last words of a system are kept for the report of its failure. */
const TAIL_CHARS = 2_000;

/** A runner at work. */
export class RunnerProcess {
  readonly group: ProcessGroup;
  private readonly runId: string;
  readonly figures: Figure[] = [];
  readonly events: RunnerEvent[] = [];
  private readonly child: ChildProcess;
  private readonly changed = new Set<() => void>();
  private readonly onOutput: (text: string) => void;
  private closed = false;
  private tail = "";

  /** `runId` ties several runners to one group of processes; `onOutput` gets all that the system prints. */
  constructor(program: Program, procedure: string, params: object, runId: string, onOutput: (text: string) => void) {
    this.group = new ProcessGroup(runId);
    this.runId = runId;
    this.onOutput = onOutput;
    this.child = spawn(program.command, [...program.args, procedure, JSON.stringify(params)], {
      env: { ...environment(), ...program.env, [MARK]: runId, BURLA_HOME: stateFolder(runId) },
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      detached: true,
    });
    this.child.stdin!.on("error", () => undefined);
    this.child.on("error", (error) => this.record({ event: "failed", message: error.message }));
    this.child.once("exit", (code) => this.finish(code));
    for (const stream of [this.child.stdout!, this.child.stderr!]) this.follow(stream);
    createInterface({ input: this.child.stdio[3] as Readable }).on("line", (line) => {
      this.record(JSON.parse(line) as RunnerEvent | Figure);
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  private follow(stream: Readable): void {
    stream.setEncoding("utf8").on("data", (text: string) => {
      this.tail = (this.tail + text).slice(-TAIL_CHARS);
      this.onOutput(text);
    });
  }

  private record(record: RunnerEvent | Figure): void {
    if ("metric" in record) this.figures.push(record);
    else this.events.push(record);
    for (const check of this.changed) check();
  }

  private finish(code: number | null): void {
    this.closed = true;
    if (!this.has("done")) this.record({ event: "failed", message: `ended with ${code}: ${this.tail.slice(-300)}` });
    for (const check of this.changed) check();
  }

  private has(name: RunnerEvent["event"]): boolean {
    return this.events.some(({ event }) => event === name);
  }

  /** The newest event of a kind. */
  last(name: RunnerEvent["event"]): RunnerEvent | undefined {
    return this.events.findLast(({ event }) => event === name);
  }

  /** Waits for an event, for the failure of the runner, or for the deadline; tells which came. */
  async until(name: RunnerEvent["event"], deadlineMs: number): Promise<"seen" | "failed" | "timeout"> {
    const state = () => (this.has(name) ? "seen" : this.has("failed") || this.closed ? "failed" : undefined);
    return new Promise((resolve) => {
      const settle = (outcome: "seen" | "failed" | "timeout") => {
        clearTimeout(timer);
        this.changed.delete(check);
        resolve(outcome);
      };
      const check = () => {
        const outcome = state();
        if (outcome !== undefined) settle(outcome);
      };
      const timer = setTimeout(() => settle("timeout"), Math.max(0, deadlineMs - performance.now()));
      this.changed.add(check);
      check();
    });
  }

  /** Lets the measured part begin. */
  go(): void {
    this.child.stdin!.write("go\n");
  }

  /** Ends every process of the run, and removes what it left on disk. */
  async clear(): Promise<void> {
    await this.group.killAll();
    rmSync(stateFolder(this.runId), { recursive: true, force: true });
  }

  /** Asks the system to shut down, and waits a little for it. */
  async end(patienceMs = 5_000): Promise<void> {
    this.child.stdin!.end();
    if (this.closed) return;
    const timer = new AbortController();
    const late = new Promise((resolve) => setTimeout(resolve, patienceMs).unref());
    await Promise.race([once(this.child, "exit", { signal: timer.signal }), late]);
  }
}

/** A new name for a group of processes. All names of one suite begin with that of {@link suiteId}. */
export const newRunId = (): string => `${suiteId()}${randomUUID()}`;

/** What the names of all runs of this process begin with. */
export const suiteId = (): string => `${process.pid}.`;

/** Where a system keeps its state: a folder per run, so that nothing of an earlier one is found warm. */
const stateFolder = (runId: string): string => join(tmpdir(), `bench-state-${runId}`);

/** The environment without what would slow a runtime for reasons of this machine, and without calls home. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _certificates, NODE_OPTIONS: _options, ...rest } = process.env;
  return { ...rest, RAY_USAGE_STATS_ENABLED: "0" };
}
