/** How soon the first result is there: nothing running, a warm system and a fresh client, a second call. */
import { type Job, Measurement } from "./measure.ts";
import { newRunId, RunnerProcess } from "./runner-process.ts";

/** Runs the scenario as often as its numbers say, and gives medians. */
export async function measureFirstResult(job: Job): Promise<Measurement> {
  const to = new Measurement(job);
  const cold = await repeat(job.params.coldRuns!, () => once(job, newRunId(), {}, true));
  addMedians(to, cold, "cold");
  const failure = cold.find((run) => run.failure !== undefined)?.failure;
  if (failure !== undefined) to.note(failure);
  else if (job.system.shared) await measureWarm(job, to);
  const same = cold.flatMap((run) => run.sameProcessMs ?? []);
  if (same.length > 0) to.add("warm_same_process", median(same), "ms");
  return to;
}

async function measureWarm(job: Job, to: Measurement): Promise<void> {
  const runId = newRunId();
  const server = new RunnerProcess(job.system.program, "serve", job.params, runId, () => undefined);
  try {
    const outcome = await server.until("ready", performance.now() + job.timeoutMs);
    const address = server.last("ready")?.address;
    if (outcome !== "seen" || address === undefined) return to.note(`serve: ${server.last("failed")?.message ?? outcome}`);
    const runs = await repeat(job.params.warmRuns!, () => once(job, runId, { address }, false));
    addMedians(to, runs, "warm_fresh_process");
    const failure = runs.at(-1)?.failure;
    if (failure !== undefined) to.note(`with the system up: ${failure}`);
  } finally {
    await server.end();
    await server.clear();
  }
}

interface Once {
  readonly firstMs?: number | undefined;
  readonly sameProcessMs?: number | undefined;
  readonly failure?: string;
}

async function repeat(times: number, run: () => Promise<Once>): Promise<Once[]> {
  const all: Once[] = [];
  for (let i = 0; i < times; i++) {
    all.push(await run());
    if (all.at(-1)?.failure !== undefined) break;
  }
  return all;
}

async function once(job: Job, runId: string, more: { address?: string }, killAll: boolean): Promise<Once> {
  const runner = new RunnerProcess(job.system.program, "first-result", { ...job.params, ...more }, runId, () => undefined);
  try {
    await runner.until("ready", performance.now() + job.timeoutMs);
    runner.go();
    const outcome = await runner.until("done", performance.now() + job.timeoutMs);
    const failure = runner.last("failed")?.message;
    if (outcome === "timeout") return { failure: `timed out after ${job.timeoutMs / 1000} s` };
    if (failure !== undefined) return { failure };
    const figure = (name: string) => runner.figures.find(({ metric }) => metric === name)?.value;
    return { firstMs: figure("first_result"), sameProcessMs: figure("first_result_same_process") };
  } finally {
    await runner.end();
    if (killAll) await runner.clear();
  }
}

function addMedians(to: Measurement, runs: readonly Once[], metric: string): void {
  const times = runs.flatMap((run) => run.firstMs ?? []);
  if (times.length > 0) to.add(metric, median(times), "ms");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
