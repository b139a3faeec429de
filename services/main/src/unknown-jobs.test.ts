/** Main without what a node works for: its logs were lost, or the job ended while nobody could tell the node. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { BundleId, JobId, MainToNode, NodeId, NodeToMain, Of } from "@burla/protocol";
import type { Cluster } from "./cluster.ts";
import type { NodeLine } from "./node-line.ts";
import { Bundles } from "./store/bundles.ts";
import { clusterIn, CODE, JOB_ID, SPEC } from "./testing.ts";

const nodeId = "n-1" as NodeId;
const nameOf = (at: number) => `job-${String(at).padStart(19, "0")}` as JobId;
const place = { kind: "firestore", project: "p", database: "d", prefix: "x", bucket: null, emulator: null } as unknown as NonNullable<typeof SPEC.queue>;

/** A node as main sees it: it does what it is told, and is ready again when nothing is left. */
class TestNode implements NodeLine {
  readonly nodeId = nodeId;
  readonly jobs: Set<JobId>;
  readonly granted = new Set<JobId>();
  readonly #cluster: Cluster;
  readonly state: Of<NodeToMain, "nodeState"> = { type: "nodeState", state: "RUNNING", reason: "", workers: [], preparing: [] };
  readonly hello: Of<NodeToMain, "nodeHello">;

  constructor(cluster: Cluster, jobs: readonly JobId[], holding: Of<NodeToMain, "nodeHello">["holding"]) {
    this.#cluster = cluster;
    this.jobs = new Set(jobs);
    this.hello = { type: "nodeHello", nodeId, cpu: 1, ramMiB: 1024, maxCpu: 1, maxRamMiB: 1024, pid: 1, jobs: [...jobs], holding };
  }

  hasBundle(_id: BundleId): boolean {
    return true;
  }

  noteBundle(): void {}

  replaced(): void {}

  send(message: MainToNode): void {
    if (message.type === "assign") this.jobs.add(message.jobId);
    if (message.type === "grant") this.granted.add(message.jobId);
    if (message.type !== "stop" || !this.jobs.delete(message.jobId) || this.jobs.size > 0) return;
    setImmediate(() => this.#cluster.handle({ type: "nodeReady", nodeId }));
  }

  renew(): void {
    this.#cluster.handle({ type: "renewed", nodeId, jobs: [...this.jobs] });
  }
}

const about = fc.record({ job: fc.nat(3), grantId: fc.constantFrom(0, 1, 7, 2 ** 40), what: fc.constantFrom("results" as const, "lines" as const, "lost" as const, "given back" as const, "load" as const, "held" as const) });

function say(cluster: Cluster, jobId: JobId, { grantId, what }: { grantId: number; what: string }): void {
  switch (what) {
    case "results": {
      const message: Of<NodeToMain, "nodeResults"> = { type: "nodeResults", nodeSeq: 1, jobId, grantId, first: 0, count: 2, indices: null, failed: [], final: [], valuesBytes: 0, runMs: 1 };
      return cluster.handle({ type: "resultsArrived", nodeId, jobId, grantId, batch: message, bytes: 0, runMs: 1 }, { message, body: new Uint8Array(0) });
    }
    case "lines":
      return cluster.lines(jobId, { nodeId, sender: "n-1 1", nodeSeq: 1, droppedLines: 1 }, new Uint8Array(0));
    case "lost":
      return cluster.handle({ type: "grantEnded", nodeId, jobId, grantId, cause: "worker-exited", detail: "", lostWorkers: 1, unfinished: [0] });
    case "given back":
      return cluster.handle({ type: "grantEnded", nodeId, jobId, grantId, cause: "released", detail: "", lostWorkers: 0, unfinished: [0, 1] });
    case "load":
      return cluster.loadFailed(nodeId, jobId, new Uint8Array(0));
    default:
      return cluster.heldArrived({ type: "queueHeld", nodeId, jobId, held: 1, answered: 1, failed: 0, duplicates: 0, lostWorkers: 0, runMs: 1 });
  }
}

const turns = async () => {
  for (let at = 0; at < 4; at++) await new Promise((resolve) => setImmediate(resolve));
};

test("what a node does for jobs that main does not know is ended, whatever it says of them, and the node works for the next job", async () => {
  const schedule = fc.record({
    /** Jobs that the node works for when it dials, or is found to work for later. */
    jobs: fc.uniqueArray(fc.nat(3), { minLength: 1 }),
    /** Main knows a job whose parent, or child, it does not know; null: none. */
    known: fc.option(fc.constantFrom("detached" as const, "child" as const, "elsewhere" as const)),
    when: fc.constantFrom("hello" as const, "renew" as const, "after a freeze" as const),
    said: fc.array(about, { maxLength: 12 }),
  });
  await fc.assert(fc.asyncProperty(schedule, async ({ jobs, known, when, said }) => {
    const directory = mkdtempSync(join(tmpdir(), "burla-unknown-"));
    const { cluster, blobs } = clusterIn(directory);
    try {
      new Bundles(blobs).put(SPEC, CODE);
      const unknown = jobs.map(nameOf);
      const reader = { unsentBytes: 0, send: () => undefined };
      if (known !== null) {
        const spec = { ...SPEC, detach: true, parent: known === "child" ? nameOf(jobs[0] ?? 0) : null, queue: known === "elsewhere" ? place : null };
        cluster.submit(nameOf(9), spec, new Uint8Array(0), reader);
        unknown.push(nameOf(9));
      }
      const node = new TestNode(cluster, when === "hello" ? unknown : [], unknown.map((jobId) => ({ jobId, grantId: 7 })));
      cluster.nodeConnected(node);
      if (when !== "hello") for (const jobId of unknown) node.jobs.add(jobId);
      if (when === "after a freeze") cluster.handle({ type: "nodeGone", nodeId });
      if (when === "after a freeze") cluster.nodeConnected(node);
      await turns();
      for (const each of said) say(cluster, nameOf(each.job), each);
      node.renew();
      await turns();
      const left = [...node.jobs].filter((jobId) => cluster.entry(jobId) === undefined);
      assert.deepEqual(left, [], "nothing is done for a job that main does not know");
      if (known !== null) cluster.handle({ type: "cancelRequested", jobId: nameOf(9), reason: "enough" });
      node.renew();
      await turns();
      assert.deepEqual([...node.jobs], []);
      const entry = cluster.submit(JOB_ID, SPEC, new Uint8Array(0), reader);
      entry.addChunk(0, 0, 1, Buffer.from("one"));
      cluster.handle({ type: "chunkPushed", jobId: JOB_ID, chunkId: 0, first: 0, count: 1, bytes: 3 });
      await turns();
      assert.ok(node.granted.has(JOB_ID), "the next job runs there");
    } finally {
      cluster.shutdown("end of test");
      rmSync(directory, { recursive: true, force: true });
    }
  }), { numRuns: 150 });
});
