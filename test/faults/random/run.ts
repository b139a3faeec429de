/** Plays a plan in a world, and writes down what happens. */
import { appendFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pause } from "../../support/until.ts";
import type { History, JobHistory, Reading } from "./oracle.ts";
import type { Fault, JobPlan, Plan } from "./plan.ts";
import type { Program } from "./program.ts";
import { strike } from "./strike.ts";
import type { World } from "./world.ts";

/** So long without a word and without a call is a hang: several times what a cluster waits for anything, on a busy machine. */
const HANG_MS = 100_000;
const LOOK_MS = 30;
/** Readers that are killed are followed by another, so many times. */
const MAX_READERS = 5;
/** The cluster sees after some seconds that a program is gone. */
const PHASE_PATIENCE_MS = 60_000;

export interface Moment {
  readonly atMs: number;
  readonly text: string;
}

export interface Played {
  readonly history: History;
  readonly story: readonly Moment[];
  /** How the world was when something hung; empty when nothing did. */
  readonly states: readonly string[];
}

/** @param describe told when something hangs, before it is ended. */
export async function play(plan: Plan, world: World, describe: (world: World) => Promise<string>): Promise<Played> {
  const run = new Run(plan, world, describe);
  return run.play();
}

class Run {
  readonly #plan: Plan;
  readonly #world: World;
  readonly #describe: (world: World) => Promise<string>;
  readonly #startedMs = performance.now();
  readonly #story: Moment[] = [];
  readonly #states: string[] = [];
  readonly #struck: Fault[] = [];
  readonly #jobs: RunningJob[];
  #lastFaultMs = 0;

  constructor(plan: Plan, world: World, describe: (world: World) => Promise<string>) {
    this.#plan = plan;
    this.#world = world;
    this.#describe = describe;
    this.#jobs = plan.jobs.map((job, at) => new RunningJob(job, join(world.records, `seed-${plan.seed}-job-${at}`)));
  }

  async play(): Promise<Played> {
    const faults = this.#plan.faults.map((fault) => this.#fault(fault));
    if (this.#plan.isTogether) await Promise.all(this.#jobs.map((job) => this.#job(job)));
    else for (const job of this.#jobs) await this.#job(job);
    await Promise.all(faults);
    const jobs: JobHistory[] = [];
    for (const job of this.#jobs) jobs.push({ ...job.history, phase: await this.#lastPhase(job) });
    const leftovers = this.#states.length > 0 ? [] : await this.#world.settle();
    if (leftovers.length > 0) this.#states.push(await this.#describe(this.#world));
    return { history: { jobs, struck: this.#struck, leftovers }, story: this.#story, states: this.#states };
  }

  #tell(text: string): void {
    this.#story.push({ atMs: Math.round(performance.now() - this.#startedMs), text });
  }

  /** From its first program to the last one that reads it. */
  async #job(job: RunningJob): Promise<void> {
    const name = `job ${this.#jobs.indexOf(job)}`;
    for (let reader = 0; reader < MAX_READERS; reader++) {
      const program = this.#world.start(job.plan, job.records, job.jobId);
      job.programs.push(program);
      this.#tell(`${name}: program ${program.pid} ${reader === 0 ? "starts" : "attaches"}`);
      await this.#watch(job, program);
      const { reads, end } = program.reading;
      this.#tell(`${name}: ${reads.length} results, ${JSON.stringify(end)}`);
      if ((end.kind !== "left" && end.kind !== "killed") || job.jobId === null) break;
    }
    job.isOver = true;
  }

  async #watch(job: RunningJob, program: Program): Promise<void> {
    let [sign, sinceMs] = [-1, performance.now()];
    while (!program.isOver) {
      const now = program.said + job.recordedBytes;
      if (now !== sign) [sign, sinceMs] = [now, performance.now()];
      if (performance.now() - Math.max(sinceMs, this.#lastFaultMs) > HANG_MS) {
        this.#tell(`program ${program.pid} hangs`);
        this.#states.push(await this.#describe(this.#world));
        return program.giveUp();
      }
      await pause(LOOK_MS);
    }
  }

  async #fault(fault: Fault): Promise<void> {
    const job = this.#jobs[fault.job];
    if (job === undefined || !(await untilDue(fault, job))) return;
    await pause(fault.delayMs);
    const struck = strike(fault, this.#world.cluster, job.programs.at(-1)?.pid ?? null);
    this.#lastFaultMs = performance.now();
    if (struck === null) return this.#tell(`${fault.kind}, ${fault.phase}: nothing to strike`);
    this.#struck.push(fault);
    this.#tell(`${fault.kind}, ${fault.phase}, job ${fault.job}: ${struck.text}`);
    if (struck.undo === undefined) return;
    await pause(fault.forMs);
    struck.undo();
    this.#lastFaultMs = performance.now();
    this.#tell(`${fault.kind} is over after ${fault.forMs} ms`);
  }

  async #lastPhase({ jobId }: RunningJob): Promise<string | null> {
    if (jobId === null) return null;
    const deadlineMs = performance.now() + PHASE_PATIENCE_MS;
    for (;;) {
      const phase = await this.#world.phaseOf(jobId);
      if ((phase !== "running" && phase !== "waiting") || performance.now() > deadlineMs || this.#states.length > 0) return phase;
      await pause(LOOK_MS);
    }
  }
}

class RunningJob {
  readonly plan: JobPlan;
  readonly records: string;
  readonly programs: Program[] = [];
  isOver = false;

  constructor(plan: JobPlan, records: string) {
    this.plan = plan;
    this.records = records;
    appendFileSync(records, "");
  }

  get jobId(): string | null {
    return this.programs[0]?.jobId ?? null;
  }

  get recordedBytes(): number {
    return statSync(this.records).size;
  }

  get calls(): JobHistory["calls"] {
    return readFileSync(this.records, "utf8").split("\n").flatMap((line) => {
      const [, what, index] = /^(begin|end) (\d+)$/.exec(line) ?? [];
      return what === undefined ? [] : [{ what: what as "begin" | "end", index: Number(index) }];
    });
  }

  get history(): Omit<JobHistory, "phase"> {
    const readings: Reading[] = this.programs.map(({ reading }) => reading);
    return { jobId: this.jobId, readings, calls: this.calls };
  }
}

/** @returns false when the job was over before. */
async function untilDue({ phase, progress }: Fault, job: RunningJob): Promise<boolean> {
  const isDue = () => {
    if (phase === "between two jobs") return job.isOver;
    // A program that has not begun its job has nothing that could be lost.
    if (phase === "before the first result") return job.jobId !== null;
    const begun = new Set(job.calls.map(({ index }) => index));
    return begun.size > 0 && begun.size >= Math.ceil(progress * job.plan.inputs);
  };
  for (;;) {
    if (isDue()) return true;
    if (job.isOver) return false;
    await pause(LOOK_MS);
  }
}
