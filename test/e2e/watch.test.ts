/** What watchers of a real cluster see: of jobs that a script starts, of its death and its return, side by side, slowly. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "node:net";
import { cancelJob, jobFailures, jobLogs, listClusters, startCluster, stopCluster, watchCluster, type ClusterState, type JobSummary, type StartPhase } from "burla/control";
import { useCluster } from "../support/cluster.ts";
import { Proxy } from "../support/proxy.ts";
import { Script } from "../support/script.ts";
import { until, within } from "../support/until.ts";

const cluster = useCluster();
const PATIENCE_MS = 30_000;

/** Keeps the states that a watcher is told, and waits for one among them. */
class Watcher {
  readonly states: ClusterState[] = [];
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;
  #wake: () => void = () => undefined;

  constructor(target?: Parameters<typeof watchCluster>[0]) {
    this.#done = this.#run(target);
  }

  async #run(target?: Parameters<typeof watchCluster>[0]): Promise<void> {
    for await (const state of watchCluster(target, { signal: this.#abort.signal })) {
      this.states.push(state);
      this.#wake();
    }
  }

  /** The first state from now on, or from the one given, that fits. */
  async state(what: string, fits: (state: ClusterState) => boolean, from = 0): Promise<ClusterState> {
    const look = async () => {
      for (;;) {
        const found = this.states.slice(from).find(fits);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    };
    return within(PATIENCE_MS, what, look());
  }

  /** What it was told of a job, in order. */
  rowsOf(jobId: string): JobSummary[] {
    const rows = this.states.flatMap((state) => ("status" in state ? state.status.jobs.filter((job) => job.jobId === jobId) : []));
    return rows.filter((row, at) => row !== rows[at - 1]);
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }
}

function jobOf(state: ClusterState, jobId: string): JobSummary | undefined {
  return "status" in state ? state.status.jobs.find((job) => job.jobId === jobId) : undefined;
}

const isRunning = (state: ClusterState) => state.phase === "running";

test("a job that a script starts shows up, makes progress, fails in parts, and ends, for every watcher", async () => {
  const watchers = [new Watcher(), new Watcher("local"), new Watcher(cluster.address)];
  try {
    for (const watcher of watchers) await watcher.state("the cluster", isRunning);
    const script = Script.start(cluster, `
      const score = async (n) => { console.log("at", n); await new Promise((resolve) => setTimeout(resolve, 20)); if (n % 50 === 7) throw new RangeError("bad " + n); return n; };
      const stream = remoteParallelMap(score, Array.from({ length: 150 }, (_, n) => n), { onError: "continue" });
      console.log(stream.jobId);
      try { for await (const x of stream); } catch {}
    `);
    const jobId = await script.line(/^(job-\w+)$/);
    for (const watcher of watchers) {
      const ended = await watcher.state("its end", (state) => jobOf(state, jobId)?.endedAt != null);
      const rows = watcher.rowsOf(jobId);
      assert.ok(rows.some(({ phase, done, nodes, workers }) => phase === "running" && done > 0 && done < 147 && nodes > 0 && workers > 0), JSON.stringify(rows));
      for (const [at, row] of rows.entries()) assert.ok(row.done >= (rows[at - 1]?.done ?? 0), "it never goes back");
      const job = jobOf(ended, jobId);
      assert.deepEqual([job?.name, job?.phase, job?.done, job?.failed, job?.running, job?.inputs], ["score", "done", 147, 3, 0, 150]);
      assert.deepEqual(job?.failures.map(({ index, name, message }) => [index, name, message]).sort(), [[107, "RangeError", "bad 107"], [57, "RangeError", "bad 57"], [7, "RangeError", "bad 7"]]);
      assert.ok(job?.startedAt != null && job.startedAt >= job.createdAt && job.startedAt <= (job.endedAt ?? 0));
      const working = watcher.states.find((state) => "status" in state && state.status.nodes.some((node) => node.jobs.includes(jobId)));
      assert.ok(working !== undefined && "status" in working && working.status.cpuInUse > 0);
      const busy = watcher.states.some((state) => "status" in state && state.status.nodes.some(({ workers }) => workers.some((worker) => worker.state === "busy" && worker.jobId === jobId)));
      assert.ok(busy, "a container is seen at work");
    }
    await script.ended();
    const { failed, failures } = await jobFailures(jobId);
    assert.equal(failed, 3);
    assert.match(failures[0]?.stack ?? "", /^RangeError: bad \d+\n +at .*script-\d+\.mjs:\d+:\d+/);
    const lines = [];
    for await (const { text } of jobLogs(jobId)) lines.push(text);
    assert.equal(lines.length, 150);
  } finally {
    for (const watcher of watchers) await watcher.close();
  }
});

test("a killed main is unreachable, then back with what it knew; both watchers see it", async () => {
  const watchers = [new Watcher(), new Watcher()];
  try {
    for (const watcher of watchers) await watcher.state("the cluster", isRunning);
    const { pid } = cluster.main;
    process.kill(pid, "SIGKILL");
    for (const watcher of watchers) {
      const lost = await watcher.state("the loss", ({ phase }) => phase === "unreachable");
      assert.ok(lost.phase === "unreachable" && lost.reason !== "" && lost.last?.pid === pid);
    }
    await Script.run(cluster, `await remoteParallelMap((x) => x, [1]).toArray();`);
    for (const watcher of watchers) {
      const back = await watcher.state("its return", (state) => isRunning(state) && "status" in state && state.status.pid !== pid);
      assert.ok("status" in back && back.status.jobs.some(({ name, failed }) => name === "score" && failed === 3), "jobs of before are there");
    }
  } finally {
    for (const watcher of watchers) await watcher.close();
  }
});

test("connections that are cut are dialled again", async () => {
  const proxy = await Proxy.before(cluster);
  const watcher = new Watcher({ url: proxy.url, token: cluster.address.token });
  try {
    await watcher.state("the cluster", isRunning);
    const seen = watcher.states.length;
    proxy.cut();
    await watcher.state("the cut", ({ phase }) => phase === "unreachable", seen);
    await watcher.state("the cluster again", isRunning, watcher.states.findIndex(({ phase }) => phase === "unreachable"));
  } finally {
    await watcher.close();
    proxy.close();
  }
});

test("a wrong token is refused, and says what to do", async () => {
  const watcher = new Watcher({ url: cluster.address.url, token: "wrong" });
  try {
    const state = await watcher.state("the refusal", ({ phase }) => phase === "refused");
    assert.ok(state.phase === "refused" && state.error.code === "BURLA_UNAUTHORIZED" && state.error.cure !== "");
  } finally {
    await watcher.close();
  }
});

test("watchers that do not read keep nobody from working or watching", async () => {
  const { url, token } = cluster.address;
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: 5 }, () => {
    const socket = connect(Number(port), hostname);
    socket.write(`GET /v1/watch HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    return socket.pause();
  });
  const watcher = new Watcher();
  try {
    await watcher.state("the cluster", isRunning);
    const script = Script.start(cluster, `
      const stream = remoteParallelMap((x) => x, Array.from({ length: 100_000 }, (_, n) => n));
      console.log(stream.jobId);
      console.log((await stream.toArray()).length);
    `);
    const jobId = await script.line(/^(job-\w+)$/);
    await script.line(/^100000$/);
    await watcher.state("its end", (state) => jobOf(state, jobId)?.phase === "done");
  } finally {
    for (const socket of sockets) socket.destroy();
    await watcher.close();
  }
});

test("a job is cancelled, and the watcher hears why", async () => {
  const watcher = new Watcher();
  try {
    const script = Script.start(cluster, `
      const stream = remoteParallelMap((x) => new Promise((resolve) => setTimeout(resolve, 60_000, x)), [1, 2, 3]);
      console.log(stream.jobId);
      try { await stream.toArray(); } catch {}
    `);
    const jobId = await script.line(/^(job-\w+)$/);
    await watcher.state("its start", (state) => (jobOf(state, jobId)?.running ?? 0) > 0);
    assert.deepEqual(await cancelJob(jobId), { jobId, phase: "cancelled", wasOver: false });
    const ended = await watcher.state("its end", (state) => jobOf(state, jobId)?.endedAt != null);
    assert.deepEqual([jobOf(ended, jobId)?.phase, jobOf(ended, jobId)?.reason], ["cancelled", "cancelled by request"]);
    await script.ended();
  } finally {
    await watcher.close();
  }
});

test("the cluster ends and starts: off with the reason, starting, running, in one watch; phases of the start; a start that is cancelled", async () => {
  const watcher = new Watcher();
  try {
    await watcher.state("the cluster", isRunning);
    assert.deepEqual((await listClusters()).map(({ name, isRunning: runs, url }) => [name, runs, url]), [["local", true, cluster.address.url]]);
    await cluster.ready();
    const count = cluster.processes().length;
    assert.deepEqual(await stopCluster(), { processes: count });
    const off = await watcher.state("its end", ({ phase }) => phase === "off");
    assert.deepEqual(off, { phase: "off", reason: "asked to" });
    assert.deepEqual(cluster.processes(), []);
    assert.deepEqual((await listClusters()).map(({ isRunning: runs, url }) => [runs, url]), [[false, null]]);

    const abort = new AbortController();
    const cancelled = startCluster("local", { signal: abort.signal, onPhase: ({ phase }) => phase === "nodes" && abort.abort(new Error("changed my mind")) });
    await assert.rejects(cancelled, /changed my mind/);
    await until("nothing of it is left", () => cluster.processes().length === 0);

    const phases: StartPhase[] = [];
    const { started, status } = await startCluster("local", { onPhase: (phase) => phases.push(phase) });
    assert.deepEqual([started, status.nodes.length], [true, status.wantedNodes]);
    assert.deepEqual([phases[0], phases.at(-1)], [{ phase: "main" }, { phase: "ready" }]);
    assert.ok(phases.some((phase) => phase.phase === "nodes" && phase.wanted === status.wantedNodes));
    assert.equal((await startCluster()).started, false);
    await watcher.state("the new cluster", (state) => isRunning(state) && "status" in state && state.status.pid === status.pid);
    assert.ok(watcher.states.some((state) => state.phase === "starting" && state.ready < state.wanted));
  } finally {
    await watcher.close();
  }
});
