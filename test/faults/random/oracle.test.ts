/** The oracle is given histories that are wrong in one way each, and must say so; and good ones, of which it must say nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, WRONGS, type History, type JobHistory, type Reading, type Wrong } from "./oracle.ts";
import { FAULT_KINDS, type Fault, type FaultKind, type JobPlan, type Plan } from "./plan.ts";

const INPUTS = 20;
const JOB: JobPlan = {
  language: "typescript", view: "values", inputs: INPUTS, isEndless: false, callMs: 1, isAsync: false, inputBytes: 0, resultBytes: 0, capturedBytes: 0,
  lines: 0, throwsAt: [], flakyAt: [], exitsAt: [], exhaustsAt: [], nestsAt: [], order: "completion", onError: "throw", concurrency: 1, maxParallelism: null,
  retries: 0, isDetached: false, consumerPauseMs: 0, isConsumerBusy: false, consumerStallMs: 0, ending: { kind: "all" },
};
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const right = (indices: readonly number[]) => indices.map((index) => ({ index, outcome: "right" }));
const calls = (indices: readonly number[]): JobHistory["calls"] => indices.flatMap((index) => [{ what: "begin", index }, { what: "end", index }] as const);
const reading = (indices: readonly number[], some: Partial<Reading> = {}): Reading => ({ view: "values", reads: right(indices), end: { kind: "done" }, ...some });
const failure = (name: string, code = ""): Reading["end"] => ({ kind: "error", name, code, message: "" });

interface Case {
  readonly job?: Partial<JobPlan>;
  readonly history?: Partial<JobHistory>;
  readonly struck?: readonly FaultKind[];
  readonly leftovers?: readonly string[];
}

function judged({ job = {}, history = {}, struck = [], leftovers = [] }: Case): Wrong[] {
  const plan: Plan = { seed: 1, jobs: [{ ...JOB, ...job }], isTogether: false, faults: [] };
  const jobHistory: JobHistory = { jobId: "job-1", readings: [reading(numbers(INPUTS))], calls: calls(numbers(INPUTS)), phase: "done", ...history };
  const faults = struck.map((kind): Fault => ({ kind, phase: "half way", job: 0, progress: 0.5, delayMs: 0, forMs: 0, which: 0 }));
  const whole: History = { jobs: [jobHistory], struck: faults, leftovers };
  return judge(plan, whole);
}

const without = (...indices: number[]) => numbers(INPUTS).filter((index) => !indices.includes(index));
const leave: Partial<JobPlan> = { ending: { kind: "leave" }, isDetached: true };
const killedThen = (owner: number[], last: Reading): Partial<JobHistory> => ({ readings: [reading(owner, { end: { kind: "killed" } }), last] });

const WELL: Record<string, Case> = {
  "each input once": {},
  "in another order": { history: { readings: [reading(numbers(INPUTS).reverse())] } },
  "calls that ran twice": { history: { calls: calls([...numbers(INPUTS), 3, 3, 4]) }, struck: ["kill-node"] },
  "a failure that was planned, settled": {
    job: { view: "settled", throwsAt: [3] },
    history: { readings: [reading([], { view: "settled", reads: [...right(without(3)), { index: 3, outcome: "RangeError" }] })] },
  },
  "the failures at the end": { job: { throwsAt: [3], onError: "continue" }, history: { readings: [reading(without(3), { end: failure("AggregateError") })] } },
  "the failures at the end, in Python": { job: { throwsAt: [3], onError: "continue" }, history: { readings: [reading(without(3), { end: failure("FailedInputs") })] } },
  "the first failure ends it": { job: { throwsAt: [3] }, history: { readings: [reading([0, 1, 2], { end: failure("RangeError") })], phase: "failed" } },
  "a break": { job: { ending: { kind: "break", afterResults: 3 }, isEndless: true }, history: { readings: [reading([0, 2, 1], { end: { kind: "stopped" } })], phase: "cancelled" } },
  "a program that left, and one that attached": { job: leave, history: { readings: [reading([], { end: { kind: "left" } }), reading(numbers(INPUTS))] } },
  "a program that was killed, and one that attached": { history: killedThen([0, 1, 2], reading(numbers(INPUTS))), struck: ["kill-client"] },
  "a killed program had not pushed all": { history: { ...killedThen([0, 1], reading([1, 0, 2], { end: failure("BurlaError", "BURLA_INTERRUPTED") })), phase: "interrupted" }, struck: ["kill-client"] },
  "a killed program had not submitted": { history: { ...killedThen([], reading([], { end: failure("BurlaError", "BURLA_NO_SUCH_JOB") })), phase: null }, struck: ["kill-client"] },
  "a full disk ended it": { history: { readings: [reading([0, 1], { end: failure("BurlaError", "BURLA_STORAGE") })], phase: "failed" }, struck: ["fill-disk"] },
};

for (const [name, history] of Object.entries(WELL)) test(`well: ${name}`, () => assert.deepEqual(judged(history), []));

const BAD: Record<string, readonly [Wrong["kind"], number, Case]> = {
  "an input without a result": ["lost", 1, { history: { readings: [reading(without(7))] } }],
  "several": ["lost", 3, { history: { readings: [reading(without(0, 7, 19))] } }],
  "no result at all": ["lost", INPUTS, { history: { readings: [reading([])] } }],
  "a loss beside failures that were planned": ["lost", 1, { job: { throwsAt: [3], onError: "continue" }, history: { readings: [reading(without(3, 4), { end: failure("AggregateError") })] } }],
  "a planned failure that is not told": ["lost", 1, { job: { view: "settled", throwsAt: [3] }, history: { readings: [reading(without(3), { view: "settled" })] } }],
  "one who attaches misses what a dead program was told": ["lost", 1, { history: killedThen([4], reading([1], { end: failure("BurlaError", "BURLA_INTERRUPTED") })), struck: ["kill-client"] }],
  "one who attaches misses the rest": ["lost", 1, { job: leave, history: { readings: [reading([], { end: { kind: "left" } }), reading(without(5))] } }],
  "fewer results than the loop broke after": ["lost", 1, { job: { ending: { kind: "break", afterResults: 3 } }, history: { readings: [reading([0, 1], { end: { kind: "stopped" } })] } }],
  "a stop that nobody planned": ["lost", 1, { history: { readings: [reading([0, 1], { end: { kind: "stopped" } })] } }],
  "an endless job that ends": ["lost", 1, { job: { isEndless: true, ending: { kind: "break", afterResults: 50 } } }],
  "a result twice": ["doubled", 1, { history: { readings: [reading([...numbers(INPUTS), 4])] } }],
  "a result thrice": ["doubled", 2, { history: { readings: [reading([...numbers(INPUTS), 4, 4])] } }],
  "a result twice after an attach": ["doubled", 1, { history: killedThen([4], reading([...numbers(INPUTS), 4])), struck: ["kill-client"] }],
  "a wrong value": ["wrong value", 1, { history: { readings: [reading([], { reads: [...right(without(2)), { index: 2, outcome: "wrong" }] })] } }],
  "a value of an input that never was": ["wrong value", 1, { history: { readings: [reading([...numbers(INPUTS), INPUTS])], calls: calls(numbers(INPUTS + 1)) } }],
  "a value of a call that always throws": ["wrong value", 1, { job: { throwsAt: [3] } }],
  "a value that no call has made": ["not called", 1, { history: { calls: calls(without(9)) } }],
  "another order than that of the inputs": ["out of order", 1, { job: { order: "input" }, history: { readings: [reading([1, 0, ...numbers(INPUTS).slice(2)])] } }],
  "a failure that was not planned, settled": ["unplanned error", 1, {
    job: { view: "settled", throwsAt: [3] },
    history: { readings: [reading([], { view: "settled", reads: [...right(without(3, 4)), { index: 3, outcome: "RangeError" }, { index: 4, outcome: "RangeError" }] })] },
  }],
  "an error of Burla's own for an input": ["unplanned error", 1, {
    job: { view: "settled" },
    history: { readings: [reading([], { view: "settled", reads: [...right(without(4)), { index: 4, outcome: "BURLA_WORKER_LOST" }] })] },
  }],
  "a job that ends with an error": ["unplanned error", 18, { history: { readings: [reading([0, 1], { end: failure("BurlaError", "BURLA_UNREACHABLE") })] } }],
  "a planned failure where none was": ["unplanned error", INPUTS, { history: { readings: [reading([], { end: failure("RangeError") })] } }],
  "a full disk that was not full": ["unplanned error", INPUTS, { history: { readings: [reading([], { end: failure("BurlaError", "BURLA_STORAGE") })] }, struck: ["kill-main"] }],
  "an interrupted job whose program lives": ["unplanned error", INPUTS, { history: { readings: [reading([], { end: failure("BurlaError", "BURLA_INTERRUPTED") })] }, struck: ["freeze-client"] }],
  "a program that died of nothing": ["unplanned error", 1, { history: { readings: [reading([], { end: { kind: "killed" } })] } }],
  "a program that crashed": ["unplanned error", INPUTS, { history: { readings: [reading([], { end: failure("a crash") })] } }],
  "a program that says nothing more": ["hang", 5, { history: { readings: [reading(numbers(15), { end: { kind: "hung" } })] } }],
  "a job that nobody ends": ["hang", 1, { history: { phase: "running" } }],
  "something left behind": ["left behind", 1, { leftovers: ["4711 a worker"] }],
};

for (const [name, [kind, count, history]] of Object.entries(BAD)) {
  test(`bad: ${name}`, () => {
    const found = judged(history);
    assert.deepEqual(found.map((wrong) => wrong.kind), [kind], JSON.stringify(found));
    assert.equal(found[0]!.count, count);
    assert.equal(found[0]!.job, kind === "left behind" ? null : 0);
  });
}

test("each kind of wrong has a history here that is wrong in this way", () => {
  assert.deepEqual(new Set(Object.values(BAD).map(([kind]) => kind)), new Set(WRONGS));
});

test("no fault excuses a loss or a double", () => {
  for (const struck of FAULT_KINDS) {
    assert.deepEqual(judged({ struck: [struck], history: { readings: [reading(without(7))] } }).map(({ kind }) => kind), ["lost"], struck);
    assert.deepEqual(judged({ struck: [struck], history: { readings: [reading([...numbers(INPUTS), 7])] } }).map(({ kind }) => kind), ["doubled"], struck);
  }
});

test("a job of which nothing is known is lost", () => {
  const plan: Plan = { seed: 1, jobs: [JOB], isTogether: false, faults: [] };
  assert.deepEqual(judge(plan, { jobs: [], struck: [], leftovers: [] }).map(({ kind }) => kind), ["lost"]);
});
