import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_WINDOW_BYTES } from "@burla/protocol";
import type { Command } from "./events.ts";
import { accept, acknowledge, createJob, makeReady, recordDelivery, refreshCredit, runsOf, takeReady } from "./job.ts";
import { pushChunk } from "./life.ts";
import type { Grant, Job, Range } from "./state.ts";
import { jobIdOf, nodeIdOf, only, specOf } from "./testing.ts";

const newJob = (spec = {}) => createJob(jobIdOf("a"), specOf(spec), jobIdOf("a"), 0);
const rangeOf = (from: number, to: number, changes: Partial<Range> = {}): Range => ({ chunkId: 0, from, to, attempt: 1, losses: 0, failures: 0, ...changes });
const grantOf = (range: Range): Grant => ({ id: 1, nodeId: nodeIdOf("a"), range, closed: new Set(), left: range.to - range.from });

function withChunk(job: Job, first: number, count: number) {
  job.pushedInputs = first;
  pushChunk(job, { chunkId: 0, first, count, bytes: count });
  const chunk = job.chunks.get(0);
  assert.ok(chunk);
  return chunk;
}

test("a ready range is cut to the size that is asked for", () => {
  const job = newJob();
  makeReady(job, rangeOf(0, 10), "back");
  makeReady(job, rangeOf(20, 22), "front");
  assert.deepEqual(takeReady(job, 5), rangeOf(20, 22));
  assert.deepEqual(takeReady(job, 4), rangeOf(0, 4));
  assert.equal(job.readyInputs, 6);
  assert.deepEqual(takeReady(job, 100), rangeOf(4, 10));
  assert.equal(takeReady(job, 1), undefined);
});

test("positions are cut into runs", () => {
  assert.deepEqual(runsOf([0, 1, 2, 5, 7, 8]), [{ from: 0, to: 3 }, { from: 5, to: 6 }, { from: 7, to: 9 }]);
  assert.deepEqual(runsOf([]), []);
});

test("a chunk that is out of order, or is here already, changes nothing", () => {
  const job = newJob();
  pushChunk(job, { chunkId: 1, first: 0, count: 2, bytes: 2 });
  pushChunk(job, { chunkId: 0, first: 0, count: 2, bytes: 2 });
  pushChunk(job, { chunkId: 0, first: 0, count: 2, bytes: 2 });
  assert.deepEqual([job.pushedChunks, job.pushedInputs, job.readyInputs], [1, 2, 2]);
});

test("the first result of an input counts; others, and what is not of the grant, are dropped", () => {
  const job = newJob();
  const chunk = withChunk(job, 100, 10);
  const held = grantOf(rangeOf(2, 5));
  const batch = { first: 101, count: 5, indices: null, failed: [2], final: [], valuesBytes: 0 };
  assert.deepEqual(accept(job, chunk, held, batch), { dropped: [0, 4], retried: [], answered: 3 });
  assert.deepEqual(accept(job, chunk, held, batch), { dropped: [0, 1, 2, 3, 4], retried: [], answered: 0 });
  assert.deepEqual([job.answeredInputs, job.failedInputs, job.duplicates, chunk.unanswered], [3, 1, 7, 7]);
});

test("an input that is named twice in one batch is answered, or tried again, once", () => {
  const job = newJob({ retries: 1 });
  const chunk = withChunk(job, 0, 3);
  const batch = { first: 0, count: 4, indices: [1, 1, 2, 2], failed: [2, 3], final: [], valuesBytes: 0 };
  assert.deepEqual(accept(job, chunk, grantOf(rangeOf(0, 3)), batch), { dropped: [1, 2, 3], retried: [2], answered: 1 });
});

test("a failure is tried again until the retries are used up", () => {
  const job = newJob({ retries: 1 });
  const chunk = withChunk(job, 0, 1);
  const batch = { first: 0, count: 1, indices: null, failed: [0], final: [], valuesBytes: 0 };
  assert.deepEqual(accept(job, chunk, grantOf(rangeOf(0, 1)), batch).retried, [0]);
  assert.equal(accept(job, chunk, grantOf(rangeOf(0, 1, { failures: 1 })), batch).answered, 1);
  assert.equal(job.failedInputs, 1);
});

test("what no retry changes is not tried again, whatever fails beside it", () => {
  const job = newJob({ retries: 3 });
  const batch = { first: 0, count: 3, indices: null, failed: [0, 2], final: [2], valuesBytes: 0 };
  assert.deepEqual(accept(job, withChunk(job, 0, 3), grantOf(rangeOf(0, 3)), batch), { dropped: [0], retried: [0], answered: 2 });
  assert.equal(job.failedInputs, 1);
});

test("acknowledging frees the window, and is cumulative", () => {
  const job = newJob();
  for (let inputs = 1; inputs <= 3; inputs++) recordDelivery(job, inputs, 100);
  acknowledge(job, 2);
  acknowledge(job, 1);
  assert.deepEqual([job.ackedInputs, job.unackedBytes, job.ackedSeq], [3, 100, 2]);
  acknowledge(job, 99);
  assert.deepEqual([job.ackedInputs, job.unackedBytes, job.ackedSeq], [6, 0, 3]);
});

test("credit is told when it has grown by a quarter of the window, and never falls", () => {
  const job = newJob();
  job.callTime = { callMs: 1000, calls: 1 };
  const credits = (workers: number) => {
    const commands: Command[] = [];
    refreshCredit(job, workers, commands);
    return only(commands, "credit").map(({ inputs, bytes }) => [inputs, bytes]);
  };
  assert.deepEqual(credits(2), [[16, MAX_WINDOW_BYTES]]);
  assert.deepEqual(credits(2), []);
  job.ackedInputs = 3;
  assert.deepEqual(credits(2), []);
  job.ackedInputs = 4;
  assert.deepEqual(credits(2), [[20, MAX_WINDOW_BYTES]]);
  job.ackedInputs = 0;
  assert.deepEqual(credits(2), []);
});
