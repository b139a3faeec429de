/** How soon the first result is there: nothing running, a warm system and a fresh client, a second call. */
import { setTimeout as delay } from "node:timers/promises";
import { type Job, Measurement } from "./measure.ts";
import { newRunId, RunnerProcess } from "./runner-process.ts";

/** Runs the scenario as often as its numbers say, and gives medians. */
export async function measureFirstResult(job: Job): Promise<Measurement> {
  const to = new Measurement(job);
  const alone = { ...job, params: { ...job.params, sameProcessCalls: 0 } };
  const cold = await repeat(job.params.coldRuns!, async () => {
    const runId = newRunId();
    return endAfter(startRunner(alone, "first-result", runId), (runner) => firstResult(alone, runner));
  });
  addMedian(to, "cold", cold);
  if (cold.every(({ failure }) => failure === undefined)) {
    if (job.system.shared) await measureFreshClients(alone, to);
    await measureLaterCalls(job, to);
  }
  return to;
}

/** The system is up and has nothing to do; the client is a new process each time. */
async function measureFreshClients(job: Job, to: Measurement): Promise<void> {
  const runId = newRunId();
  await endAfter(startRunner(job, "serve", runId), async (server) => {
    const outcome = await server.until("ready", performance.now() + job.timeoutMs);
    const address = server.last("ready")?.address;
    if (outcome !== "seen" || address === undefined) return to.note(`serve: ${server.last("failed")?.message ?? outcome}`);
    const runs = await repeat(job.params.warmRuns!, async () => {
      await delay(job.params.pauseMs);
      const client = startRunner(job, "first-result", runId, address);
      const run = await firstResult(job, client);
      await client.end();
      return run;
    });
    addMedian(to, "warm_fresh_process", runs);
  });
}

/** Calls that are not the first of their process: each after a pause, then each right after the other. */
async function measureLaterCalls(job: Job, to: Measurement): Promise<void> {
  await endAfter(startRunner(job, "first-result", newRunId()), async (runner) => {
    const { failure } = await firstResult(job, runner);
    if (failure !== undefined) return to.note(`later calls: ${failure}`);
    to.add("warm_same_process", figure(runner, "first_result_after_pause"), "ms");
    to.add("back_to_back", figure(runner, "first_result_back_to_back"), "ms");
  });
}

interface Run {
  readonly firstMs: number;
  readonly failure: string | undefined;
}

/** Repeats until the first failure. */
async function repeat(times: number, run: () => Promise<Run>): Promise<readonly Run[]> {
  const all: Run[] = [];
  while (all.length < times && all.at(-1)?.failure === undefined) all.push(await run());
  return all;
}

function startRunner(job: Job, procedure: string, runId: string, address?: string): RunnerProcess {
  return new RunnerProcess(job.system.program, procedure, { ...job.params, address }, runId, () => undefined);
}

async function endAfter<T>(runner: RunnerProcess, act: (runner: RunnerProcess) => Promise<T>): Promise<T> {
  try {
    return await act(runner);
  } finally {
    await runner.end();
    await runner.clear();
  }
}

async function firstResult(job: Job, runner: RunnerProcess): Promise<Run> {
  await runner.until("ready", performance.now() + job.timeoutMs);
  runner.go();
  const outcome = await runner.until("done", performance.now() + job.timeoutMs);
  const late = outcome === "timeout" ? `timed out after ${job.timeoutMs / 1000} s` : undefined;
  return { firstMs: figure(runner, "first_result"), failure: runner.last("failed")?.message ?? late };
}

function figure(runner: RunnerProcess, name: string): number {
  return runner.figures.find(({ metric }) => metric === name)?.value ?? NaN;
}

function addMedian(to: Measurement, metric: string, runs: readonly Run[]): void {
  const failure = runs.at(-1)?.failure;
  if (failure !== undefined) return to.note(`${metric}: ${failure}`);
  const sorted = runs.map(({ firstMs }) => firstMs).toSorted((a, b) => a - b);
  to.add(metric, sorted[Math.floor(sorted.length / 2)] ?? NaN, "ms");
}
