/** What must have come of a run. Pure: from its plan and what was written down of it to what is wrong with it. */
import type { Fault, FaultKind, JobPlan, Plan, View } from "./plan.ts";

/** What a program said of one result. */
export interface Read {
  readonly index: number;
  /** `right` and `wrong` of a value; else the name or the code of the error. */
  readonly outcome: string;
}

export type ReadingEnd =
  | { readonly kind: "done" | "stopped" | "left" | "killed" | "hung" }
  | { readonly kind: "error"; readonly code: string; readonly name: string; readonly message: string };

/** What one program has read of a job. */
export interface Reading {
  readonly view: View;
  readonly reads: readonly Read[];
  readonly end: ReadingEnd;
}

export interface JobHistory {
  readonly jobId: string | null;
  /** The program that started it, then those that attached. */
  readonly readings: readonly Reading[];
  /** Calls as they wrote themselves down, on the side. */
  readonly calls: readonly { readonly index: number; readonly what: "begin" | "end" }[];
  /** As the cluster says when all is over; null when it does not know the job. */
  readonly phase: string | null;
}

export interface History {
  readonly jobs: readonly JobHistory[];
  /** Those that found something to strike. */
  readonly struck: readonly Fault[];
  /** What the cluster could not do after the run, or had left behind. */
  readonly leftovers: readonly string[];
}

export const WRONGS = ["lost", "doubled", "wrong value", "not called", "out of order", "unplanned error", "hang", "left behind"] as const;
export interface Wrong {
  readonly kind: (typeof WRONGS)[number];
  /** Number of the job in the plan; null for the whole cluster. */
  readonly job: number | null;
  /** How many inputs are concerned. */
  readonly count: number;
  readonly detail: string;
}

/** Phases of a job under which nodes work for it. */
const OPEN_PHASES: ReadonlySet<string | null> = new Set(["waiting", "running"]);

/** @returns all that is wrong; an empty list is a good run. */
export function judge(plan: Plan, history: History): Wrong[] {
  const struck = new Set(history.struck.map(({ kind }) => kind));
  const ofJobs = plan.jobs.flatMap((job, at) => {
    const jobHistory = history.jobs[at];
    if (jobHistory === undefined) return [{ kind: "lost", job: at, count: job.inputs, detail: "nothing was written down of it" } as const];
    return judgeJob(job, jobHistory, struck).map((wrong) => ({ ...wrong, job: at }));
  });
  return [...ofJobs, ...history.leftovers.map((detail) => ({ kind: "left behind", job: null, count: 1, detail }) as const)];
}

type Found = Omit<Wrong, "job">;

function judgeJob(job: JobPlan, history: JobHistory, struck: ReadonlySet<FaultKind>): Found[] {
  const called = new Set(history.calls.filter(({ what }) => what === "begin").map(({ index }) => index));
  const found = history.readings.flatMap((reading, at) => [
    ...judgeReads(job, reading, called),
    ...judgeEnd(job, reading, { isFirst: at === 0, ownerEnd: history.readings[0]?.end.kind, struck }),
  ]);
  if (OPEN_PHASES.has(history.phase)) found.push({ kind: "hang", count: 1, detail: `all programs are over, and the job is ${history.phase ?? ""}` });
  return [...found, ...judgeCollected(history.readings, struck)];
}

/** Holds for every reading, however it ended. */
function judgeReads(job: JobPlan, { reads }: Reading, called: ReadonlySet<number>): Found[] {
  const seen = new Set<number>();
  const doubled: number[] = [];
  for (const { index } of reads) {
    if (seen.has(index)) doubled.push(index);
    seen.add(index);
  }
  const wrong = reads.filter(({ index, outcome }) => outcome === "wrong" || (!job.isEndless && (index < 0 || index >= job.inputs)));
  const unplanned = reads.filter((read) => read.outcome !== "right" && read.outcome !== "wrong" && !isPlanned(job, read));
  const unthrown = reads.filter(({ index, outcome }) => outcome === "right" && job.throwsAt.includes(index));
  const notCalled = reads.filter(({ index, outcome }) => outcome === "right" && !called.has(index));
  const isSorted = reads.every(({ index }, at) => at === 0 || index > reads[at - 1]!.index);
  return [
    ...some("doubled", doubled),
    ...some("wrong value", [...wrong, ...unthrown].map(({ index }) => index)),
    ...some("not called", notCalled.map(({ index }) => index)),
    ...unplanned.map(({ index, outcome }) => ({ kind: "unplanned error", count: 1, detail: `input ${index}: ${outcome}` }) as const),
    ...(job.order === "input" && !isSorted ? [{ kind: "out of order", count: 1, detail: "results are not in the order of the inputs" } as const] : []),
  ];
}

/** In the language of either program. */
const PLANNED_NAMES: ReadonlySet<string> = new Set(["RangeError", "IndexError"]);

function isPlanned(job: JobPlan, { index, outcome }: Read): boolean {
  return PLANNED_NAMES.has(outcome) && job.throwsAt.includes(index);
}

interface EndContext {
  readonly isFirst: boolean;
  readonly ownerEnd: ReadingEnd["kind"] | undefined;
  readonly struck: ReadonlySet<FaultKind>;
}

function judgeEnd(job: JobPlan, reading: Reading, context: EndContext): Found[] {
  const { reads, end } = reading;
  switch (end.kind) {
    case "hung":
      return [{ kind: "hang", count: missing(job, reading).length, detail: `a program had ${reads.length} results, and no more came` }];
    case "killed":
      return context.struck.has("kill-client") ? [] : [{ kind: "unplanned error", count: 1, detail: "a program was killed by nobody" }];
    case "left":
      return job.ending.kind === "leave" ? [] : [{ kind: "lost", count: job.inputs, detail: "a program left a job that it should read" }];
    case "stopped":
      return judgeStopped(job, reads);
    case "done":
      return judgeComplete(job, reading);
    case "error":
      return judgeError(job, reading, end, context);
  }
}

function judgeStopped({ ending }: JobPlan, reads: readonly Read[]): Found[] {
  if (ending.kind !== "break" && ending.kind !== "cancel") return [{ kind: "lost", count: 1, detail: "a program stopped a job that it should read" }];
  return reads.length === ending.afterResults ? [] : [{ kind: "lost", count: 1, detail: `a program stopped after ${reads.length} results instead of ${ending.afterResults}` }];
}

function judgeComplete(job: JobPlan, reading: Reading): Found[] {
  if (job.isEndless) return [{ kind: "lost", count: 1, detail: "an endless job came to an end" }];
  return some("lost", missing(job, reading));
}

/** Inputs that a view tells nothing of: it throws for them at the end. */
function isTold({ throwsAt }: JobPlan, { view }: Reading, index: number): boolean {
  return view === "settled" || !throwsAt.includes(index);
}

function missing(job: JobPlan, reading: Reading): number[] {
  if (job.isEndless) return [];
  const seen = new Set(reading.reads.map(({ index }) => index));
  return Array.from({ length: job.inputs }, (_, index) => index).filter((index) => !seen.has(index) && isTold(job, reading, index));
}

/** The failures of all inputs, thrown after the last result. */
const ALL_FAILURES: ReadonlySet<string> = new Set(["AggregateError", "FailedInputs"]);

function judgeError(job: JobPlan, reading: Reading, end: Extract<ReadingEnd, { kind: "error" }>, { isFirst, ownerEnd, struck }: EndContext): Found[] {
  const { code, name, message } = end;
  if (job.throwsAt.length > 0 && job.onError === "throw" && PLANNED_NAMES.has(name)) return [];
  if (job.throwsAt.length > 0 && job.onError === "continue" && ALL_FAILURES.has(name)) {
    // As a list it gives nothing but the error.
    return reading.view === "list" ? [] : some("lost", missing(job, reading));
  }
  if (code === "BURLA_STORAGE" && struck.has("fill-disk")) return [];
  // What the dead program had not pushed is nowhere, and a job that it had not submitted either.
  if (!isFirst && ownerEnd === "killed" && (code === "BURLA_INTERRUPTED" || code === "BURLA_NO_SUCH_JOB")) return [];
  return [{ kind: "unplanned error", count: Math.max(1, missing(job, reading).length), detail: `a program ended with ${code || name}: ${message}` }];
}

/** A reader that comes after one that was killed is told all that this one was told. */
function judgeCollected(readings: readonly Reading[], struck: ReadonlySet<FaultKind>): Found[] {
  const last = readings.at(-1);
  if (last === undefined || last.end.kind === "hung" || last.end.kind === "killed" || struck.has("fill-disk")) return [];
  const seen = new Set(last.reads.map(({ index }) => index));
  const told = new Set(readings.slice(0, -1).filter(({ end }) => end.kind === "killed").flatMap(({ reads }) => reads.map(({ index }) => index)));
  return some("lost", [...told].filter((index) => !seen.has(index)));
}

function some(kind: Wrong["kind"], inputs: readonly number[]): Found[] {
  if (inputs.length === 0) return [];
  const few = inputs.slice(0, 5).join(", ");
  return [{ kind, count: inputs.length, detail: `${inputs.length} inputs: ${few}${inputs.length > 5 ? ", …" : ""}` }];
}
