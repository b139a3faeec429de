import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_CHUNK_INPUTS, MAX_WINDOW_INPUTS } from "@burla/protocol";
import { createJob } from "./job.ts";
import { chunkInputs, grantInputs, hasIdleWorkers, nextCallTime, retryDelayMs, wantsMore, windowInputs } from "./sizing.ts";
import type { Job } from "./state.ts";
import { jobIdOf, specOf } from "./testing.ts";

const jobWith = (changes: Partial<Job>, spec = {}) => Object.assign(createJob(jobIdOf("a"), specOf(spec), jobIdOf("a"), 0), changes);
const callTime = (callMs: number) => ({ callMs, calls: 64 });
const assignment = (workers: number, outstanding: number, stalled = false) => ({ workers, outstanding, stalled });

test("the mean call time begins with the first batch and is one over the last calls", () => {
  assert.deepEqual(nextCallTime(null, 10, 50), { callMs: 5, calls: 10 });
  assert.deepEqual(nextCallTime({ callMs: 4, calls: 8 }, 8, 64), { callMs: 6, calls: 16 });
  assert.ok(nextCallTime({ callMs: 4, calls: 64 }, 10_000, 80_000).callMs > 7.9);
  assert.ok(nextCallTime({ callMs: 0.01, calls: 64 }, 1, 7).callMs < 0.2, "one slow call is no reason to forget the others");
});

test("before anything is measured inputs go out one by one, spread over all workers", () => {
  const job = jobWith({ readyInputs: 100 });
  assert.equal(grantInputs(job, 4), 1);
  assert.equal(chunkInputs(job), 64);
});

test("a grant is 100 ms of work, at most a chunk", () => {
  assert.equal(grantInputs(jobWith({ callTime: callTime(1), readyInputs: 1e6 }), 2), 100);
  assert.equal(grantInputs(jobWith({ callTime: callTime(0), readyInputs: 1e6 }), 2), MAX_CHUNK_INPUTS);
  assert.equal(grantInputs(jobWith({ callTime: callTime(400), readyInputs: 1e6 }), 2), 1);
  assert.equal(grantInputs(jobWith({ callTime: callTime(1), readyInputs: 1e6 }, { concurrency: 10 }), 2), 1000);
});

test("grants shrink towards the end, but not below some milliseconds of work", () => {
  const last = (readyInputs: number) => grantInputs(jobWith({ callTime: callTime(1), readyInputs, totalInputs: 1000 }), 4);
  assert.deepEqual([last(1000), last(80), last(8)], [100, 10, 5]);
  assert.equal(grantInputs(jobWith({ callTime: callTime(0.01), readyInputs: 8, totalInputs: 8 }), 4), 500);
});

test("a node with an idle worker takes more; one that is busy only if its calls are short and it keeps up", () => {
  assert.equal(hasIdleWorkers(jobWith({}), assignment(2, 1)), true);
  assert.equal(wantsMore(jobWith({ callTime: callTime(100) }), assignment(2, 2)), false);
  assert.equal(wantsMore(jobWith({ callTime: callTime(1) }), assignment(2, 2)), true);
  assert.equal(wantsMore(jobWith({ callTime: callTime(1) }), assignment(2, 299)), true);
  assert.equal(wantsMore(jobWith({ callTime: callTime(1) }), assignment(2, 300)), false);
  assert.equal(wantsMore(jobWith({ callTime: callTime(1) }), assignment(2, 2, true)), false);
});

test("the window grows with the workers, is bounded, and unbounded for a detached job", () => {
  assert.equal(windowInputs(jobWith({}), 1), 256);
  assert.equal(windowInputs(jobWith({ callTime: callTime(1000) }), 1), 16);
  assert.equal(windowInputs(jobWith({ callTime: callTime(1) }), 10), 4000);
  assert.equal(windowInputs(jobWith({ callTime: callTime(0.001) }), 1000), MAX_WINDOW_INPUTS);
  assert.equal(windowInputs(jobWith({}, { detach: true }), 1), Number.MAX_SAFE_INTEGER);
});

test("where all inputs are there and calls are measured, the window is half a minute of work", () => {
  const window = (callMs: number, { calls = 64, inputsAtHand = true } = {}) => windowInputs(jobWith({ callTime: { callMs, calls } }, { inputsAtHand }), 2);
  assert.deepEqual([window(100), window(1000), window(0.001)], [800, 80, MAX_WINDOW_INPUTS]);
  for (const few of [{ calls: 63 }, { inputsAtHand: false }]) assert.deepEqual([window(100, few), window(1000, few)], [16, 16]);
});

test("the pause before a retry doubles up to half a minute", () => {
  assert.deepEqual([1, 2, 3, 20].map(retryDelayMs), [100, 200, 400, 30_000]);
});
