import { describe, it } from "node:test";
import assert from "node:assert/strict";
import type { ClusterState as Heard } from "burla/control";
import { aJob, aNode, aStatus, LOCAL_URL, online } from "../testing.ts";
import { initialState, liveJobs, LOCAL_CLUSTER, reduce, type ClusterEvent, type ClusterState } from "./state.ts";

const off = initialState(LOCAL_CLUSTER);
const heard = (state: Heard): ClusterEvent => ({ type: "heard", heard: state });
const isOff = heard({ phase: "off", reason: "" });
const starting = heard({ phase: "starting", ready: 1, wanted: 2, url: LOCAL_URL, status: aStatus() });
const running = heard({ phase: "running", url: LOCAL_URL, status: aStatus() });
const lost = heard({ phase: "unreachable", reason: "it has closed the connection", since: 1, url: LOCAL_URL, last: aStatus() });
const trouble = { code: "BURLA_CLUSTER_START", message: "no room on the disk", cure: "Make room." };
const after = (state: ClusterState, ...events: ClusterEvent[]) => events.reduce(reduce, state);

describe("the state of a cluster", () => {
  it("follows what is heard", () => {
    assert.equal(after(off, { type: "dialling" }).link.kind, "connecting");
    assert.deepEqual(after(off, starting).link, { kind: "starting", ready: 1, wanted: 2 });
    assert.equal(after(off, starting, running).link.kind, "online");
    assert.equal(after(off, running, isOff).link.kind, "off");
    assert.equal(after(off, running, isOff).status, null);
  });

  it("stays online when a node is replaced", () => {
    assert.equal(after(off, starting, running, starting).link.kind, "online");
  });

  it("keeps the last status of a cluster that does not answer", () => {
    const state = after(off, running, lost);
    assert.equal(state.link.kind, "unreachable");
    assert.equal(state.status?.nodes.length, 2);
    assert.equal(after(state, running).link.kind, "online");
  });

  it("is not told to be off while it starts", () => {
    const state = after(off, { type: "startAsked" }, isOff);
    assert.deepEqual(state.link, { kind: "starting", ready: 0, wanted: null });
    assert.deepEqual(after(state, { type: "startPhase", phase: { phase: "nodes", ready: 1, wanted: 2 } }).link, { kind: "starting", ready: 1, wanted: 2 });
    assert.equal(after(state, running, { type: "ended" }).link.kind, "online");
  });

  it("is off again after a start that was cancelled", () => {
    assert.equal(after(off, { type: "startAsked" }, isOff, { type: "ended" }).link.kind, "off");
  });

  it("tells of a start that failed until something else happens", () => {
    const state = after(off, { type: "startAsked" }, { type: "startFailed", trouble }, isOff);
    assert.deepEqual(state.link, { kind: "error", trouble });
    assert.equal(after(state, { type: "startAsked" }).link.kind, "starting");
    assert.equal(after(state, running).link.kind, "online");
  });

  it("is stopping until its end, whatever is heard in between", () => {
    const state = after(online(), { type: "stopAsked" }, lost, running);
    assert.equal(state.link.kind, "stopping");
    assert.equal(after(state, isOff, { type: "ended" }).link.kind, "off");
  });

  it("separates the cure from the message of a refusal", () => {
    const error = Object.assign(new Error("the cluster refuses the token\n  Use another."), { code: "BURLA_UNAUTHORIZED", cure: "Use another." });
    const { link } = after(off, heard({ phase: "refused", url: LOCAL_URL, error }));
    assert.deepEqual(link, { kind: "error", trouble: { code: "BURLA_UNAUTHORIZED", message: "the cluster refuses the token", cure: "Use another." } });
  });

  it("is the same object when a start's phase is late news", () => {
    const state = online();
    assert.equal(reduce(state, { type: "startPhase", phase: { phase: "nodes", ready: 0, wanted: 2 } }), state);
  });

  it("counts jobs that a stop would interrupt", () => {
    const jobs = (["waiting", "running", "interrupted", "done", "failed", "cancelled"] as const).map((phase) => aJob({ phase, jobId: phase }));
    assert.deepEqual(liveJobs(aStatus({ jobs, nodes: [aNode()] })).map(({ jobId }) => jobId), ["waiting", "running"]);
    assert.deepEqual(liveJobs(null), []);
  });
});
