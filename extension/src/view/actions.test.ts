import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { COMMANDS } from "../contributions.ts";
import { initialState, LOCAL_CLUSTER, reduce } from "../clusters/state.ts";
import { aJob, aStatus, cloud, online, unreachable } from "../testing.ts";
import { actionsFor, actionsTitle } from "./actions.ts";
import { cancelQuestion, stopQuestion } from "./questions.ts";

const off = initialState(LOCAL_CLUSTER);
const remote = { id: "https://10.0.0.5", label: "Team", kind: "address", url: "https://10.0.0.5" } as const;
const commandsOf = (state: Parameters<typeof actionsFor>[0]) => actionsFor(state).map(({ command }) => command);

describe("what may be done", () => {
  it("begins with the most likely", () => {
    assert.equal(commandsOf(off)[0], COMMANDS.startCluster);
    assert.equal(commandsOf(unreachable())[0], COMMANDS.reconnect);
    assert.equal(commandsOf(online(aStatus({ jobs: [aJob()] })))[0], COMMANDS.showJobs);
  });

  it("never begins with the end of the cluster", () => {
    for (const state of [off, online(), online(aStatus({ jobs: [aJob()] })), unreachable()]) assert.notEqual(commandsOf(state)[0], COMMANDS.stopCluster);
  });

  it("starts and stops the cluster of this machine only", () => {
    const away = initialState(remote);
    const there = reduce(away, { type: "heard", heard: { phase: "running", url: remote.url, status: aStatus() } });
    assert.ok(!commandsOf(away).includes(COMMANDS.startCluster));
    assert.ok(!commandsOf(there).includes(COMMANDS.stopCluster));
    assert.ok(commandsOf(online()).includes(COMMANDS.stopCluster));
  });

  it("starts and stops those on Google Cloud, and removes what one that is off has left", () => {
    assert.deepEqual(commandsOf(cloud(null)).filter((command) => command === COMMANDS.startCluster || command === COMMANDS.stopCluster), [COMMANDS.startCluster, COMMANDS.stopCluster]);
    assert.ok(commandsOf(cloud()).includes(COMMANDS.stopCluster));
    assert.match(actionsFor(cloud(null)).find(({ command }) => command === COMMANDS.stopCluster)?.description ?? "", /^asks first/);
    for (const state of [off, online(), cloud(), initialState(remote)]) assert.ok(commandsOf(state).includes(COMMANDS.startCloudCluster));
  });

  it("says what it is about", () => {
    assert.equal(actionsTitle(online()), "Burla: Local cluster (running)");
  });
});

describe("questions", () => {
  it("name the jobs that a stop would end", () => {
    const { detail, losesSomething } = stopQuestion(online(aStatus({ jobs: [aJob(), aJob({ name: "fold", detach: true })] })));
    assert.equal(losesSomething, true);
    assert.match(detail, /2 jobs will stop:\n• score: running 42%/);
    assert.match(detail, /Detached jobs go on/);
    assert.equal(stopQuestion(online()).losesSomething, false);
  });

  it("of a cluster on Google Cloud says what goes, and asks when nothing is known", () => {
    assert.equal(stopQuestion(cloud()).losesSomething, false);
    assert.equal(stopQuestion(cloud()).message, "Stop the cluster trial on Google Cloud?");
    assert.match(stopQuestion(cloud(aStatus({ jobs: [aJob({ detach: true })] }))).detail, /1 job will stop:[^]*Detached jobs stop, too\.\nAll of its machines/);
    assert.equal(stopQuestion(cloud(null)).losesSomething, true);
    assert.match(stopQuestion(cloud(null)).detail, /whether jobs run is not known/);
  });

  it("name the job that would be cancelled, and how far it is", () => {
    assert.equal(cancelQuestion(aJob()).message, "Cancel score?");
    assert.match(cancelQuestion(aJob()).detail, /^420 of 1,000/);
  });
});
