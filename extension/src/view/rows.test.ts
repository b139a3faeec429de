import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { initialState, LOCAL_CLUSTER, reduce } from "../clusters/state.ts";
import { aJob, aNode, aStatus, cloud, online, unreachable } from "../testing.ts";
import { clusterRow, containerRow, nodeRow } from "./cluster-rows.ts";
import { failureRow, jobRow, moreFailuresRow, partRow, partsOf, sortJobs } from "./job-rows.ts";
import { spokenRow } from "./row.ts";

const stack = "RangeError: empty document\n    at score (/home/you/score.ts:12:9)\n    at /home/you/node_modules/x/index.js:1:1";

const current = { isCurrent: true, isOnly: false };
const other = { isCurrent: false, isOnly: false };

describe("rows of clusters", () => {
  it("say their state in the label", () => {
    assert.equal(clusterRow(online(), current).label, "Local cluster: running");
    assert.equal(clusterRow(initialState(LOCAL_CLUSTER), current).label, "Local cluster: off");
    assert.equal(clusterRow(unreachable(), current).label, "Local cluster: unreachable");
    assert.equal(clusterRow(reduce(online(), { type: "stopAsked" }), current).label, "Local cluster: stopping");
  });

  it("say what runs on them, and which is the current one", () => {
    assert.equal(clusterRow(online(), current).description, "current · 2 nodes · idle");
    assert.equal(clusterRow(online(aStatus({ jobs: [aJob()] })), other).description, "2 nodes · 1 job");
    assert.equal(clusterRow(online(), { isCurrent: true, isOnly: true }).description, "2 nodes · idle");
    assert.equal(clusterRow(unreachable(), other).description, "it has closed the connection");
    assert.equal(clusterRow(online(), current).contextValue, "cluster:local:online:current");
  });

  it("tell what a cluster on Google Cloud costs", () => {
    assert.equal(clusterRow(cloud(), current).description, "current · 2 nodes · idle · $0.134/h");
    assert.equal(clusterRow(cloud(), current).contextValue, "cluster:cloud:online:current");
    assert.match(clusterRow(cloud(), current).tooltip, /On Google Cloud/);
  });

  it("show a node with its job, containers and machine", () => {
    const job = aJob();
    const row = nodeRow("local", aNode({ state: "RUNNING", jobs: [job.jobId] }), [job]);
    assert.equal(row.label, "local-0: running");
    assert.equal(row.description, "score · process, 1 core, 4.0 GiB · 1 container");
    assert.equal(nodeRow("local", aNode({ state: "FAILED", reason: "it ran out of memory" }), []).label, "local-0: failed");
    assert.match(nodeRow("local", aNode({ state: "FAILED", reason: "it ran out of memory" }), []).tooltip, /it ran out of memory/);
  });

  it("are calm about a node that makes its containers anew", () => {
    const row = nodeRow("local", aNode({ state: "REBOOTING" }), []);
    assert.equal(row.label, "local-0: fresh containers soon");
    assert.equal(row.icon.color, null);
    assert.doesNotMatch(row.icon.name, /warning|error/);
  });

  it("show a container with what it works on", () => {
    const job = aJob();
    const row = containerRow("local/local-0", { workerId: "local-0-w1", runtime: "node", image: null, state: "busy", jobId: job.jobId, pid: 12 }, [job]);
    assert.equal(spokenRow(row), "local-0-w1: busy, score · node · pid 12");
  });
});

describe("rows of jobs", () => {
  it("say their state in the label", () => {
    assert.equal(jobRow(aJob()).label, "score: running 42%");
    assert.equal(jobRow(aJob(), "report.ipynb · cell 3").label, "report.ipynb · cell 3 · score: running 42%");
    assert.equal(jobRow(aJob(), "").label, "score: running 42%");
    assert.equal(jobRow(aJob(), "").contextValue, "job:live:ours");
    assert.equal(jobRow(aJob({ phase: "done", done: 997, failed: 3 })).label, "score: done, 3 failed");
    assert.equal(jobRow(aJob({ phase: "cancelled" })).label, "score: cancelled");
    assert.equal(jobRow(aJob({ inputsEnded: false })).label, "score: running 420 done");
  });

  it("tell why a job waits", () => {
    assert.match(jobRow(aJob({ phase: "waiting", reason: "waits for the first node to start" })).description, /waits for the first node to start/);
  });

  it("can be cancelled only while they are under way", () => {
    assert.equal(jobRow(aJob()).contextValue, "job:live:other");
    assert.equal(jobRow(aJob({ phase: "interrupted" })).contextValue, "job:live:other");
    assert.equal(jobRow(aJob({ phase: "done", endedAt: 2_000 })).contextValue, "job:ended:other");
  });

  it("come with those under way first, then the newest", () => {
    const jobs = [aJob({ jobId: "old", endedAt: 5, createdAt: 1 }), aJob({ jobId: "new", endedAt: 9, createdAt: 8 }), aJob({ jobId: "live", createdAt: 2 })];
    assert.deepEqual(sortJobs(jobs).map(({ jobId }) => jobId), ["live", "new", "old"]);
  });

  it("have parts that fit", () => {
    assert.deepEqual(partsOf(aJob({ failed: 0 })), ["progress", "log"]);
    assert.deepEqual(partsOf(aJob({ reason: "cancelled by request" })), ["progress", "reason", "failures", "log"]);
    assert.equal(partRow(aJob(), "progress").label, "1,000 inputs: 417 done, 3 failed, 8 running");
    assert.equal(partRow(aJob(), "failures").label, "Failed inputs: 3");
  });

  it("show a failed input with its error and line", () => {
    const row = failureRow("job-1", { index: 17, name: "RangeError", message: "empty document\nmore", stack });
    assert.equal(row.label, "#17 RangeError: empty document");
    assert.equal(row.description, "score.ts:12");
    assert.equal(row.contextValue, "failure:located");
    assert.equal(failureRow("job-1", { index: -1, name: "BURLA_LOAD", message: "no", stack: "" }).label, "Job: BURLA_LOAD: no");
    assert.equal(failureRow("job-1", { index: -1, name: "BURLA_LOAD", message: "no", stack: "" }).contextValue, "failure");
    assert.equal(moreFailuresRow("job-1", 1234, 100).label, "and 1,134 more");
  });
});
