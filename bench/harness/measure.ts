/** One scenario on one system: rows and notes. */
import type { Params, Scenario } from "../scenarios/scenario.ts";
import type { System } from "../setup/peers.ts";
import { idleAfterMs } from "./idle-watch.ts";
import { type Growth, MemoryWatch } from "./memory-watch.ts";
import { OutputCount } from "./output-count.ts";
import type { Note, Row } from "./results.ts";
import { newRunId, RunnerProcess } from "./runner-process.ts";

/** Time for a system to come up, do its first calls, and say so. */
const START_MS = 60_000;
/** After all results are there, output may still be on its way for this long. */
const OUTPUT_GRACE_MS = 5_000;

export interface Job {
  readonly scenario: Scenario;
  readonly system: System;
  readonly params: Params;
  readonly timeoutMs: number;
}

export class Measurement {
  readonly rows: Row[] = [];
  readonly notes: Note[] = [];
  private readonly job: Job;

  constructor(job: Job) {
    this.job = job;
  }

  add(metric: string, value: number, unit: string): void {
    this.rows.push({ scenario: this.job.scenario.name, system: this.job.system.name, metric, value, unit });
  }

  note(text: string): void {
    this.notes.push({ scenario: this.job.scenario.name, system: this.job.system.name, text });
  }
}

/** Runs a scenario once in a fresh process of the system and leaves nothing of it behind. */
export async function measure(job: Job): Promise<Measurement> {
  const measurement = new Measurement(job);
  const output = new OutputCount();
  const runner = new RunnerProcess(job.system.program, job.scenario.procedure, job.params, newRunId(), output.add);
  try {
    const started = await runner.until("ready", performance.now() + START_MS);
    if (started === "seen") await observe(job, runner, output, measurement);
    else measurement.note(failure(runner, started, START_MS));
    for (const { metric, value, unit } of runner.figures) measurement.add(metric, value, unit);
    const error = runner.last("error")?.message;
    if (error !== undefined) measurement.note(error);
  } finally {
    await runner.end();
    await runner.clear();
  }
  return measurement;
}

function failure(runner: RunnerProcess, outcome: "failed" | "timeout", timeoutMs: number): string {
  if (outcome === "timeout") return `timed out after ${timeoutMs / 1000} s`;
  return `failed: ${runner.last("failed")?.message ?? "no reason given"}`;
}

async function observe(job: Job, runner: RunnerProcess, output: OutputCount, to: Measurement): Promise<void> {
  const deadlineMs = performance.now() + job.timeoutMs;
  const memory = job.scenario.watch === "memory" ? new MemoryWatch(runner.group) : undefined;
  output.reset();
  runner.go();
  if (job.scenario.watch === "idle") await observeIdle(runner, deadlineMs, to);
  else await observeEnd(job, runner, deadlineMs, to);
  if (job.scenario.watch === "output") await observeOutput(job, runner, output, to);
  if (memory !== undefined) addGrowth(memory.stop(), runner.pid, to);
}

/** Waits for the end of the work. A run that had no error, or whose error is the finding, is complete. */
async function observeEnd(job: Job, runner: RunnerProcess, deadlineMs: number, to: Measurement): Promise<void> {
  const outcome = await runner.until("done", deadlineMs);
  const failed = runner.last("failed");
  const lost = runner.figures.some(({ metric, value }) => metric === "lost" && value > 0);
  to.add("completed", outcome === "seen" && failed === undefined && !lost ? 1 : 0, "");
  if (outcome === "timeout") to.note(failure(runner, "timeout", job.timeoutMs));
  else if (failed !== undefined) to.note(failure(runner, "failed", job.timeoutMs));
  if (job.scenario.watch === "memory") to.add("done", outcome === "seen" ? job.params.calls! : doneSoFar(runner), "calls");
}

const doneSoFar = (runner: RunnerProcess) => runner.last("progress")?.done ?? 0;

async function observeIdle(runner: RunnerProcess, deadlineMs: number, to: Measurement): Promise<void> {
  const outcome = await runner.until("cancelled", deadlineMs);
  const cancelled = runner.last("cancelled")?.atNs;
  if (outcome !== "seen" || cancelled === undefined) {
    to.note(failure(runner, outcome === "timeout" ? "timeout" : "failed", 0));
    return;
  }
  const leftMs = deadlineMs - performance.now();
  const idle = await idleAfterMs(runner.group, cancelled, leftMs);
  if (idle === undefined) to.note(`still busy ${Math.round(leftMs / 1000)} s after the cancel`);
  else to.add("idle_after", idle / 1000, "s");
}

async function observeOutput(job: Job, runner: RunnerProcess, output: OutputCount, to: Measurement): Promise<void> {
  const expected = job.params.calls! * job.params.lines!;
  const startNs = runner.last("working")?.atNs;
  if (startNs === undefined) return;
  await output.until(expected, OUTPUT_GRACE_MS);
  to.add("lines_arrived", output.lines, "lines");
  to.add("lines_expected", expected, "lines");
  const seconds = Math.max(output.lastNs, runner.last("done")?.atNs ?? 0) - startNs;
  to.add("all_after", seconds / 1e9, "s");
  to.add("lines_per_second", output.lines / (seconds / 1e9), "1/s");
}

function addGrowth(growth: readonly Growth[], client: number, to: Measurement): void {
  to.add("max_growth", growth[0]?.mib ?? NaN, "MiB");
  to.add("client_growth", growth.find(({ pid }) => pid === client)?.mib ?? NaN, "MiB");
  to.note(`growth: ${growth.slice(0, 6).map(({ name, mib }) => `${name} ${mib.toFixed(0)} MiB`).join(", ")}`);
}
