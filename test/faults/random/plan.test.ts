/** A seed says all, and nothing that it says is meant to end an input. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULT_KINDS, makePlan, PHASES, type Fault, type JobPlan } from "./plan.ts";

const MANY = Array.from({ length: 2_000 }, (_, seed) => makePlan(seed));

test("a seed always gives the same plan, and another seed another one", () => {
  for (const plan of MANY.slice(0, 200)) assert.deepEqual(makePlan(plan.seed), plan);
  assert.equal(new Set(MANY.map(({ jobs, faults }) => JSON.stringify({ jobs, faults }))).size, MANY.length);
});

test("a plan crosses to another program in JSON", () => {
  for (const { jobs } of MANY.slice(0, 200)) assert.deepEqual(JSON.parse(JSON.stringify(jobs)), jobs);
});

test("each kind of fault comes in each phase, and each shape of a job comes", () => {
  const faults = MANY.flatMap((plan) => plan.faults);
  for (const kind of FAULT_KINDS) {
    for (const phase of PHASES) assert.ok(faults.some((fault) => fault.kind === kind && fault.phase === phase), `${kind} ${phase}`);
  }
  const jobs = MANY.flatMap((plan) => plan.jobs);
  const shapes: Record<string, (job: JobPlan) => boolean> = {
    python: ({ language }) => language === "python", endless: ({ isEndless }) => isEndless, detached: ({ isDetached }) => isDetached,
    exits: ({ exitsAt }) => exitsAt.length > 0, exhausts: ({ exhaustsAt }) => exhaustsAt.length > 0, throws: ({ throwsAt }) => throwsAt.length > 0,
    flaky: ({ flakyAt }) => flakyAt.length > 0, nests: ({ nestsAt }) => nestsAt.length > 0, list: ({ view }) => view === "list",
    ordered: ({ order }) => order === "input", leaves: ({ ending }) => ending.kind === "leave", breaks: ({ ending }) => ending.kind === "break",
    cancels: ({ ending }) => ending.kind === "cancel", slow: ({ consumerPauseMs }) => consumerPauseMs > 0, stalls: ({ consumerStallMs }) => consumerStallMs > 15_000,
    prints: ({ lines }) => lines > 0, large: ({ resultBytes }) => resultBytes > 1 << 20,
  };
  for (const [name, has] of Object.entries(shapes)) assert.ok(jobs.some(has), name);
  assert.ok(faults.some(({ forMs }) => forMs > 15_000) && faults.some(({ forMs }) => forMs < 1_000));
});

test("faults strike jobs of the plan, and inputs are those of the job", () => {
  for (const { jobs, faults } of MANY) {
    for (const { job } of faults) assert.ok(jobs[job] !== undefined);
    for (const job of jobs) {
      assert.ok(job.inputs >= 1);
      for (const at of [...job.throwsAt, ...job.flakyAt, ...job.exitsAt, ...job.exhaustsAt, ...job.nestsAt]) assert.ok(at >= 0 && at < job.inputs);
    }
  }
});

test("no worker ends so often that an input would rightly be given up", () => {
  const ends = (fault: Fault) => ["kill-worker", "kill-all-workers", "cut-worker", "freeze-worker"].includes(fault.kind);
  for (const { jobs, faults } of MANY) {
    const inCalls = Math.max(...jobs.map(({ exitsAt, exhaustsAt }) => exitsAt.length + exhaustsAt.length));
    assert.ok(inCalls + faults.filter(ends).length <= 2);
    // A call that throws once needs a second one.
    for (const { flakyAt, retries } of jobs) assert.ok(flakyAt.length === 0 || retries > 0);
  }
});

test("what never ends is stopped by its reader", () => {
  for (const { jobs } of MANY) {
    for (const { isEndless, ending } of jobs) assert.ok(!isEndless || ending.kind === "break" || ending.kind === "cancel");
  }
});

test("the short form differs in how long things stand still, and leaving faults out in nothing else", () => {
  for (const { seed, jobs, faults } of MANY.slice(0, 200)) {
    const short = makePlan(seed, { isShort: true });
    assert.deepEqual(short.faults.map((fault) => ({ ...fault, forMs: 0 })), faults.map((fault) => ({ ...fault, forMs: 0 })));
    assert.ok(short.faults.every(({ forMs }) => forMs <= 3_000));
    const without = makePlan(seed, { without: ["kill-main"] });
    assert.deepEqual(without.jobs, jobs);
    assert.deepEqual(without.faults, faults.filter(({ kind }) => kind !== "kill-main"));
  }
});
