import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import * as v from "valibot";
import {
  MAX_WATCHERS, WATCH_EVERY_MS, WATCH_HEARTBEAT_MS, watchEventSchema, type ClusterSummary, type JobId, type JobSummary, type NodeId, type NodeSummary,
  type WatchEvent,
} from "@burla/protocol";
import { SUMMARY } from "../testing.ts";
import { Board } from "./board.ts";
import { Changes } from "./changes.ts";

const MAIN: ClusterSummary = { cluster: "test", version: "1", pid: 1, startedAt: 1, idleDeadline: null, wantedNodes: 1, costPerHour: null, troubles: [], endsAt: null, cpu: 0, cpuInUse: 0, duplicates: 0 };
const nodeId = (name: string) => name as NodeId;
const jobId = (name: string) => name as JobId;

function nodeRow(name: string, fields: Partial<NodeSummary> = {}): NodeSummary {
  return { nodeId: name, state: "READY", reason: "", provider: "local", machineType: "m", cpu: 1, cpuInUse: 0, ramMiB: 1, pid: 1, jobs: [], workers: [], ...fields };
}

/** What the rows are made of, and how often they were asked for. */
class Source {
  main = MAIN;
  nodes = new Map<string, NodeSummary>();
  jobs = new Map<string, JobSummary>();
  asked = 0;
  status = () => ({ ...this.main, nodes: [...this.nodes.values()], jobs: [...this.jobs.values()] });
  cluster = () => this.main;
  node = (id: NodeId) => this.nodes.get(id);
  job = (id: JobId) => {
    this.asked++;
    return this.jobs.get(id);
  };
  waiting = () => [...this.jobs.values()].filter(({ phase }) => phase === "waiting").map((job) => jobId(job.jobId));
}

let source: Source;
let changes: Changes;
let board: Board;
let abort: AbortController;

beforeEach(() => {
  source = new Source();
  changes = new Changes();
  board = new Board(source, changes);
  abort = new AbortController();
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => {
  abort.abort();
  mock.timers.reset();
});

function watch(signal = abort.signal) {
  const lines = board.watch(signal);
  return async (): Promise<WatchEvent | null> => {
    const { done, value } = await lines.next();
    return done === true ? null : v.parse(v.pipe(v.string(), v.endsWith("\n"), v.parseJson(), watchEventSchema), value);
  };
}

/** Lets promises that are ready go on, then the clock. */
async function pass(ms: number): Promise<void> {
  await new Promise(setImmediate);
  mock.timers.tick(ms);
  await new Promise(setImmediate);
}

function setJob(name: string, fields: Partial<JobSummary>): void {
  source.jobs.set(name, { ...SUMMARY, jobId: name, ...fields });
  changes.job(jobId(name));
}

async function next(event: () => Promise<WatchEvent | null>): Promise<Extract<WatchEvent, { type: "changes" }>> {
  const told = event();
  await pass(WATCH_EVERY_MS);
  const value = await told;
  assert.ok(value?.type === "changes", JSON.stringify(value));
  return value;
}

test("first the whole status, then the rows that have changed", async () => {
  source.nodes.set("n-1", nodeRow("n-1"));
  const event = watch();
  assert.deepEqual(await event(), { type: "snapshot", status: source.status() });
  source.nodes.set("n-1", nodeRow("n-1", { state: "RUNNING", jobs: ["j"] }));
  changes.node(nodeId("n-1"));
  setJob("j", { phase: "running" });
  const { nodes, jobs, cluster, nodesGone, jobsGone } = await next(event);
  assert.deepEqual([nodes, jobs, cluster, nodesGone, jobsGone], [[source.nodes.get("n-1")], [source.jobs.get("j")], null, [], []]);
});

test("rows that went are named; the cluster as a whole is told when it changed", async () => {
  source.nodes.set("n-1", nodeRow("n-1"));
  setJob("j", {});
  const event = watch();
  await event();
  source.nodes.delete("n-1");
  source.jobs.delete("j");
  source.main = { ...MAIN, idleDeadline: 5 };
  changes.node(nodeId("n-1"));
  changes.job(jobId("j"));
  changes.cluster();
  assert.deepEqual(await next(event), { type: "changes", cluster: source.main, nodes: [], nodesGone: ["n-1"], jobs: [], jobsGone: ["j"] });
});

test("a burst is one event, made once for all watchers, and ends with the last state", async () => {
  const events = [watch(), watch(), watch()];
  for (const event of events) await event();
  source.asked = 0;
  for (let done = 1; done <= 1000; done++) setJob("j", { done });
  const told = events.map((event) => next(event));
  for (const { jobs } of await Promise.all(told)) assert.deepEqual(jobs.map(({ done }) => done), [1000]);
  assert.equal(source.asked, 1);
});

test("no more than ten events a second, however often things change", async () => {
  const event = watch();
  await event();
  let events = 0;
  void (async () => {
    while ((await event()) !== null) events++;
  })();
  for (let ms = 0; ms < 2000; ms += 10) {
    setJob("j", { done: ms });
    await pass(10);
  }
  assert.ok(events >= 2 && events <= 2000 / WATCH_EVERY_MS + 1, `${events} events`);
});

test("a watcher that does not read has no queue: it gets what is different when it reads on", async () => {
  const slow = watch();
  await slow();
  const fast = watch();
  await fast();
  for (let done = 1; done <= 50; done++) {
    setJob("j", { done });
    setJob(`short-${done}`, {});
    assert.equal((await next(fast)).jobs.length, 2);
    source.jobs.delete(`short-${done}`);
    changes.job(jobId(`short-${done}`));
  }
  await next(fast);
  const missed = await slow();
  assert.ok(missed?.type === "changes");
  assert.deepEqual(missed.jobs.map(({ done }) => done), [50]);
  assert.equal(missed.jobsGone.length, 50);
});

test("one that missed too much gets the whole status again", async () => {
  const slow = watch();
  await slow();
  for (let count = 0; count < 1500; count++) {
    setJob(`short-${count}`, {});
    await pass(WATCH_EVERY_MS);
    source.jobs.delete(`short-${count}`);
    changes.job(jobId(`short-${count}`));
    await pass(WATCH_EVERY_MS);
  }
  setJob("last", {});
  await pass(WATCH_EVERY_MS);
  assert.deepEqual(await slow(), { type: "snapshot", status: source.status() });
});

test("waiting jobs are looked at again when what they wait for has changed", async () => {
  setJob("j", { phase: "waiting", reason: "waits for the first node to start" });
  const event = watch();
  await event();
  source.jobs.set("j", { ...SUMMARY, jobId: "j", phase: "waiting", reason: "waits for a node: 1 of 1 nodes starting" });
  changes.waits();
  assert.deepEqual((await next(event)).jobs.map(({ reason }) => reason), ["waits for a node: 1 of 1 nodes starting"]);
});

test("while nothing is different there are heartbeats alone, also when somebody says so", async () => {
  setJob("j", {});
  const event = watch();
  await event();
  const told = event();
  for (let ms = 0; ms < WATCH_HEARTBEAT_MS; ms += WATCH_EVERY_MS) {
    changes.job(jobId("j"));
    await pass(WATCH_EVERY_MS);
  }
  assert.deepEqual(await told, { type: "heartbeat" });
  setJob("j", { done: 9 });
  assert.equal((await next(event)).jobs[0]?.done, 9);
});

test("at the end the last state, then the end and its reason, then nothing", async () => {
  const event = watch();
  await event();
  setJob("j", { phase: "cancelled" });
  board.close("asked to");
  const last = await event();
  assert.ok(last?.type === "changes" && last.jobs[0]?.phase === "cancelled");
  assert.deepEqual(await event(), { type: "shutdown", reason: "asked to" });
  assert.equal(await event(), null);
});

test("who goes is forgotten; without watchers nothing is looked at; there is room for so many", async () => {
  const aborts = Array.from({ length: MAX_WATCHERS }, () => new AbortController());
  const events = aborts.map(({ signal }) => watch(signal));
  for (const event of events) await event();
  assert.throws(() => board.watch(abort.signal), { code: "BURLA_TOO_LARGE" });
  const waiting = events.map((event) => event());
  for (const each of aborts) each.abort();
  assert.deepEqual(await Promise.all(waiting), events.map(() => null));
  assert.equal(board.watchers, 0);
  source.asked = 0;
  setJob("j", {});
  await pass(WATCH_EVERY_MS);
  assert.equal(source.asked, 0);
  const event = watch();
  assert.deepEqual(await event(), { type: "snapshot", status: source.status() });
});
