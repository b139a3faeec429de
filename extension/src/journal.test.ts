import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { initialState, LOCAL_CLUSTER } from "./clusters/state.ts";
import { journal } from "./journal.ts";
import { aJob, aStatus, online, unreachable } from "./testing.ts";

const textsOf = (...step: Parameters<typeof journal>) => journal(...step).map(({ level, text }) => `${level} ${text}`);

describe("the journal", () => {
  it("has a line for each change of the cluster", () => {
    assert.deepEqual(textsOf(initialState(LOCAL_CLUSTER), online()), ["info Local cluster: running, 2 nodes, version 0.1.0"]);
    assert.deepEqual(textsOf(online(), unreachable()), ["warn Local cluster: unreachable: it has closed the connection"]);
    assert.deepEqual(textsOf(online(), online()), []);
    assert.deepEqual(textsOf(undefined, initialState(LOCAL_CLUSTER)), []);
  });

  it("has a line for the begin and the end of a job, none in between", () => {
    const before = online(aStatus({ jobs: [aJob()] }));
    assert.deepEqual(textsOf(online(), before), [`info score (${aJob().jobId}): started`]);
    assert.deepEqual(textsOf(before, online(aStatus({ jobs: [aJob({ done: 500 })] }))), []);
    const ended = online(aStatus({ jobs: [aJob({ phase: "done", done: 997, endedAt: 3_000 })] }));
    assert.deepEqual(textsOf(before, ended), [`info score (${aJob().jobId}): done, 3 failed, 1,000 of 1,000, 3 failed, 2.0 s`]);
  });

  it("says nothing of jobs that were there before somebody looked", () => {
    assert.equal(textsOf(initialState(LOCAL_CLUSTER), online(aStatus({ jobs: [aJob()] }))).length, 1);
  });
});
