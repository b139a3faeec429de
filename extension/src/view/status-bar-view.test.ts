import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { initialState, LOCAL_CLUSTER, reduce } from "../clusters/state.ts";
import { aJob, aStatus, cloud, online, unreachable } from "../testing.ts";
import { statusBarView } from "./status-bar-view.ts";

const off = initialState(LOCAL_CLUSTER);
const textWith = (...jobs: Parameters<typeof aJob>[0][]) => statusBarView(online(aStatus({ jobs: jobs.map((fields) => aJob(fields)) }))).text;

describe("the status bar", () => {
  it("has a word for every state", () => {
    assert.equal(statusBarView(off).text, "$(circle-slash) Burla: off");
    assert.equal(statusBarView(reduce(off, { type: "dialling" })).text, "$(loading~spin) Burla: connecting");
    const asked = reduce(off, { type: "startAsked" });
    assert.equal(statusBarView(asked).text, "$(loading~spin) Burla: starting");
    assert.equal(statusBarView(reduce(asked, { type: "startPhase", phase: { phase: "nodes", ready: 2, wanted: 3 } })).text, "$(loading~spin) Burla: starting (2/3)");
    assert.equal(statusBarView(online()).text, "$(server-environment) Burla: 2 nodes");
    assert.equal(statusBarView(reduce(online(), { type: "stopAsked" })).text, "$(loading~spin) Burla: stopping");
    assert.equal(statusBarView(unreachable()).text, "$(warning) Burla: unreachable");
    const failed = reduce(asked, { type: "startFailed", trouble: { code: "BURLA_CLUSTER_START", message: "no", cure: "yes" } });
    assert.equal(statusBarView(failed).text, "$(error) Burla: error");
  });

  it("shows trouble in colour as well", () => {
    assert.equal(statusBarView(unreachable()).background, "warning");
    assert.equal(statusBarView(online()).background, null);
  });

  it("follows a job", () => {
    assert.equal(textWith({}), "$(sync~spin) Burla: score 42%, 3 failed");
    assert.equal(textWith({ failed: 0, inputsEnded: false }), "$(sync~spin) Burla: score 417 done");
    assert.equal(textWith({ phase: "waiting", failed: 0 }), "$(watch) Burla: score waiting");
    assert.equal(textWith({ phase: "done" }), "$(server-environment) Burla: 2 nodes");
    assert.match(textWith({ name: "x".repeat(60), failed: 0 }), /Burla: x{23}… 41%/);
  });

  it("takes several jobs together", () => {
    assert.equal(textWith({ failed: 0, done: 500 }, { failed: 0, done: 0, inputs: 0 }), "$(sync~spin) Burla: 2 jobs 50%");
    assert.equal(textWith({ failed: 0, done: 500 }, { failed: 0, done: 20, inputsEnded: false }), "$(sync~spin) Burla: 2 jobs 520 done");
  });

  it("tells what a cluster on Google Cloud costs", () => {
    assert.equal(statusBarView(cloud()).text, "$(server-environment) Burla: 2 nodes · $0.134/h");
    assert.equal(statusBarView(cloud()).spoken, "Burla, trial: 2 nodes, $0.134 per hour");
    assert.equal(statusBarView(cloud(aStatus({ jobs: [aJob({ failed: 0 })], costPerHour: 12 }))).text, "$(sync~spin) Burla: score 41% · $12.00/h");
  });

  it("is spoken without icons", () => {
    assert.equal(statusBarView(online(aStatus({ jobs: [aJob()] }))).spoken, "Burla, Local cluster: running score 42%, 3 failed");
    assert.equal(statusBarView(off).spoken, "Burla, Local cluster: off");
  });
});
