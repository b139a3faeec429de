/** What a seed decides before anything runs: jobs, what their calls do, how they are read, and which faults come when. */
import { Random } from "../../sim/random.ts";

export type Language = "typescript" | "python";

/** How a program reads its job. */
export type View = "values" | "settled" | "entries" | "list";

/** How its reading ends, if nothing goes wrong. */
export type Ending =
  /** With the last result. */
  | { readonly kind: "all" }
  /** The loop breaks after so many results; the inputs may be endless. */
  | { readonly kind: "break" | "cancel"; readonly afterResults: number }
  /** The program ends when all inputs are there, and another one collects the results. */
  | { readonly kind: "leave" };

/** A job, as its program is told of it: plain data that crosses to a process in JSON. */
export interface JobPlan {
  readonly language: Language;
  readonly view: View;
  readonly inputs: number;
  /** The inputs never end; `inputs` says how far faults may reach. */
  readonly isEndless: boolean;
  /** Mean time of a call. */
  readonly callMs: number;
  /** It waits instead of computing. */
  readonly isAsync: boolean;
  readonly inputBytes: number;
  readonly resultBytes: number;
  /** Captured by the function. */
  readonly capturedBytes: number;
  /** Printed by each call. */
  readonly lines: number;
  /** Inputs whose calls always throw. */
  readonly throwsAt: readonly number[];
  /** Inputs whose first call throws. */
  readonly flakyAt: readonly number[];
  /** Inputs whose first call ends its process. */
  readonly exitsAt: readonly number[];
  /** Inputs whose first call uses up the memory of its worker. */
  readonly exhaustsAt: readonly number[];
  /** Inputs whose calls start a job of their own. */
  readonly nestsAt: readonly number[];
  readonly order: "completion" | "input";
  readonly onError: "throw" | "continue";
  readonly concurrency: number;
  readonly maxParallelism: number | null;
  readonly retries: number;
  readonly isDetached: boolean;
  /** The consumer stops for so long after every sixteenth result. */
  readonly consumerPauseMs: number;
  /** It computes in that time, instead of waiting. */
  readonly isConsumerBusy: boolean;
  /** It computes for so long once, when it has had a third of its results. */
  readonly consumerStallMs: number;
  readonly ending: Ending;
}

export const FAULT_KINDS = [
  "kill-worker", "kill-all-workers", "kill-node", "kill-main", "kill-client",
  "freeze-worker", "freeze-node", "freeze-main", "freeze-client",
  "cut-client", "cut-node", "cut-worker",
  "fill-disk", "remove-sockets", "remove-bundles",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export const PHASES = ["before the first result", "half way", "near the end", "between two jobs"] as const;
export type Phase = (typeof PHASES)[number];

export interface Fault {
  readonly kind: FaultKind;
  readonly phase: Phase;
  /** The job of the run whose progress it waits for. */
  readonly job: number;
  /** Share of the job's calls that have ended when it strikes. */
  readonly progress: number;
  /** From that moment on. */
  readonly delayMs: number;
  /** How long a freeze or a full disk lasts. */
  readonly forMs: number;
  /** Chooses among several nodes or workers. */
  readonly which: number;
}

export interface Plan {
  readonly seed: number;
  readonly jobs: readonly JobPlan[];
  /** The jobs run side by side, instead of one after the other. */
  readonly isTogether: boolean;
  readonly faults: readonly Fault[];
}

/** A worker that ends is held against what ran in it, and the third end against its input: that would be no fault. */
const MAX_WORKER_ENDS = 2;
const ENDS_WORKERS: ReadonlySet<FaultKind> = new Set(["kill-worker", "kill-all-workers", "cut-worker", "freeze-worker"]);
/** Work of a job in all, for one processor. */
const MIN_WORK_MS = 500;
const MAX_WORK_MS = 6_000;
const FEW_INPUTS = 20;
const MAX_INPUTS = 2_000;
const MAX_CALL_MS = 1_000;
/** All that a job moves in one direction. */
const MAX_JOB_BYTES = 48 << 20;
const MAX_LINES = 4_000;
const MAX_FAULTS = 3;
/** Beyond the 10 s of a lease, and the 15 s of a silent connection. */
const LONG_FREEZE_MS = 20_000;
const SHORT_FREEZE_MS = 3_000;
const LONG_FREEZES = 0.2;

export interface PlanOptions {
  /** Nothing stands still beyond a lease: such a run takes half a minute longer. */
  readonly isShort?: boolean;
  /** Faults of these kinds are left out; all else stays as it is. */
  readonly without?: readonly FaultKind[];
}

export function makePlan(seed: number, { isShort = false, without = [] }: PlanOptions = {}): Plan {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995);
  const count = random.pick([1, 1, 2, 2, 3]);
  const jobs = Array.from({ length: count }, () => makeJob(random));
  const isTogether = count > 1 && random.chance(0.5);
  const faults = Array.from({ length: random.int(1, MAX_FAULTS) }, () => makeFault(random, count, isTogether));
  const plan = { seed, jobs, isTogether, faults: harmless(jobs, faults).filter(({ kind }) => !without.includes(kind)) };
  return isShort ? shortened(plan) : plan;
}

function makeJob(random: Random): JobPlan {
  // Faults have little to strike in small jobs.
  const inputs = Math.round(random.chance(0.2) ? random.spread(1, FEW_INPUTS) : random.spread(FEW_INPUTS, MAX_INPUTS));
  const callMs = Math.min(MAX_CALL_MS, random.spread(MIN_WORK_MS, MAX_WORK_MS) / inputs);
  const ending = makeEnding(random, inputs);
  const isWhole = ending.kind === "all" || ending.kind === "leave";
  const some = (share: number, most: number) => (random.chance(share) ? indices(random, inputs, random.int(1, most)) : []);
  const exitsAt = some(0.12, 1);
  const flakyAt = some(0.2, 5);
  const throwsAt = some(0.25, 4);
  const language: Language = random.pick(["typescript", "typescript", "python"]);
  const isAsync = random.chance(0.4);
  return {
    language, inputs, callMs, isAsync, ending, throwsAt, flakyAt, exitsAt,
    isEndless: !isWhole && random.chance(0.5),
    view: isWhole && random.chance(0.2) ? "list" : random.pick(["values", "settled", "entries"]),
    inputBytes: makeBytes(random, inputs),
    resultBytes: makeBytes(random, inputs),
    capturedBytes: random.chance(0.2) ? Math.round(random.spread(1, 4 << 20)) : 0,
    lines: random.chance(0.3) ? random.int(1, Math.max(1, Math.min(20, Math.floor(MAX_LINES / inputs)))) : 0,
    exhaustsAt: exitsAt.length === 0 ? some(0.04, 1) : [],
    nestsAt: some(0.1, 2),
    order: random.pick(["completion", "completion", "input"]),
    // A failure that ends the job would leave little of it to look at.
    onError: throwsAt.length > 0 && random.chance(0.8) ? "continue" : random.pick(["throw", "continue"]),
    concurrency: random.chance(0.25) ? random.int(2, 6) : 1,
    maxParallelism: random.chance(0.15) ? random.int(1, 3) : null,
    retries: flakyAt.length > 0 ? random.int(1, 2) : random.pick([0, 0, 1]),
    isDetached: ending.kind === "leave" || (ending.kind === "all" && random.chance(0.15)),
    consumerPauseMs: random.chance(0.3) ? random.spread(1, 300) : 0,
    isConsumerBusy: random.chance(0.5),
    consumerStallMs: random.chance(0.06) ? Math.round(random.spread(1_000, 25_000)) : 0,
  };
}

function makeEnding(random: Random, inputs: number): Ending {
  const kind = random.pick(["all", "all", "all", "all", "all", "all", "break", "cancel", "leave", "leave"] as const);
  if (kind === "all" || kind === "leave") return { kind };
  return { kind, afterResults: random.int(1, Math.max(1, Math.floor(inputs * 0.7))) };
}

function makeBytes(random: Random, inputs: number): number {
  return random.chance(0.35) ? Math.round(random.spread(1, Math.min(2 << 20, MAX_JOB_BYTES / inputs))) : 0;
}

function indices(random: Random, inputs: number, count: number): number[] {
  return [...new Set(Array.from({ length: count }, () => random.int(0, inputs - 1)))].sort((a, b) => a - b);
}

function makeFault(random: Random, jobs: number, isTogether: boolean): Fault {
  const phase = random.pick(PHASES);
  return {
    kind: random.pick(FAULT_KINDS),
    phase,
    job: isTogether || jobs === 1 ? random.int(0, jobs - 1) : random.int(0, phase === "between two jobs" ? jobs - 2 : jobs - 1),
    progress: phase === "half way" ? 0.2 + 0.6 * random.next() : phase === "near the end" ? 0.9 + 0.1 * random.next() : 0,
    delayMs: random.chance(0.3) ? 0 : Math.round(random.spread(1, 400)),
    forMs: Math.round(random.chance(LONG_FREEZES) ? random.spread(SHORT_FREEZE_MS, LONG_FREEZE_MS) : random.spread(50, SHORT_FREEZE_MS)),
    which: random.int(0, 1_000),
  };
}

/** Leaves out what would rightly end an input. */
function harmless(jobs: readonly JobPlan[], faults: readonly Fault[]): Fault[] {
  let left = MAX_WORKER_ENDS - (jobs.some(({ exitsAt, exhaustsAt }) => exitsAt.length + exhaustsAt.length > 0) ? 1 : 0);
  return faults.filter(({ kind }) => !ENDS_WORKERS.has(kind) || left-- > 0);
}

function shortened(plan: Plan): Plan {
  return {
    ...plan,
    jobs: plan.jobs.map((job) => ({ ...job, consumerStallMs: Math.min(job.consumerStallMs, SHORT_FREEZE_MS) })),
    faults: plan.faults.map((fault) => ({ ...fault, forMs: Math.min(fault.forMs, SHORT_FREEZE_MS) })),
  };
}
