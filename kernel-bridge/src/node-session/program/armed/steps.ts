/** Where each statement of a cell runs, and how far it is: what a card shows of a cell beside the job that runs now. */
import { MAX_VIEW_STEPS, type CellView } from "../../../cell-view.ts";
import type { CellPlan } from "../cells/plan/plan.ts";

/** How far a job is. */
export interface JobCounts {
  readonly done: number;
  readonly failed: number;
  readonly elapsedMs: number;
}

const MAX_STEP_TEXT = 256;
const MAX_NOTE = 512;

export class CellSteps {
  readonly #plan: CellPlan;
  /** Jobs of each statement, by its line: a map within a loop has one for each turn. */
  readonly #jobs = new Map<number, (() => JobCounts)[]>();
  #count = 0;

  constructor(plan: CellPlan) {
    this.#plan = plan;
  }

  /** Whether the cell has several statements. */
  get isSequence(): boolean {
    return this.#plan.steps.length > 0;
  }

  /** The next one is that job: those before it were not needed. */
  skipTo(job: number): void {
    this.#count = job;
  }

  begin(line: number, counts: () => JobCounts): void {
    this.#count++;
    const own = this.#plan.steps.findLast((step) => step.line <= line)?.line ?? line;
    this.#jobs.set(own, [...(this.#jobs.get(own) ?? []), counts]);
  }

  get document(): Pick<CellView, "step" | "steps" | "note" | "noteLine"> {
    const { steps, note, noteLine } = this.#plan;
    return {
      step: Math.max(0, this.#count - 1),
      steps: steps.slice(0, MAX_VIEW_STEPS).map(({ line, text, where }) => ({ line, text: text.slice(0, MAX_STEP_TEXT), where, ...sum(this.#jobs.get(line) ?? []) })),
      note: note.slice(0, MAX_NOTE),
      noteLine,
    };
  }
}

function sum(jobs: readonly (() => JobCounts)[]): Pick<CellView["steps"][number], "jobs" | "done" | "failed" | "elapsedMs"> {
  const total = { jobs: jobs.length, done: 0, failed: 0, elapsedMs: 0 };
  for (const { done, failed, elapsedMs } of jobs.map((counts) => counts())) {
    total.done += done;
    total.failed += failed;
    total.elapsedMs += elapsedMs;
  }
  return total;
}
