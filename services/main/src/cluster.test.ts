/** The shell: a disk that fails, what is kept and for how long, and clients that do not heed credit. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { CLIENT_GRACE_MS, decodeEnvelopes, MAX_CHUNK_INPUTS, MAX_WINDOW_INPUTS, type MainToClient, type MainToNode, type NodeId, type NodeToMain, type Of } from "@burla/protocol";
import type { Cluster } from "./cluster.ts";
import type { NodeLine } from "./node-line.ts";
import type { JobRegistry } from "./registry.ts";
import { BlobStore } from "./store/blobs.ts";
import { Bundles } from "./store/bundles.ts";
import { JobLog } from "./store/job-log.ts";
import { OpenFiles } from "./store/open-files.ts";
import { clusterIn, CODE, JOB_ID, SPEC } from "./testing.ts";

let directory: string;
let registry: JobRegistry;
let cluster: Cluster;
let told: { message: MainToClient; body: Uint8Array }[];
let toNode: MainToNode[];
/** How jobs had ended, if they had, at the moments at which they were said to change. */
let changed: unknown[];

const reader = { unsentBytes: 0, send: (message: MainToClient, ...body: Uint8Array[]) => void told.push({ message, body: Buffer.concat(body) }) };
const nodeId = "n-1" as NodeId;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-cluster-"));
  const shell = clusterIn(directory);
  ({ registry, cluster } = shell);
  new Bundles(shell.blobs).put(SPEC, CODE);
  [told, toNode, changed] = [[], [], []];
  shell.changes.listen({ job: (jobId) => void changed.push(registry.get(jobId)?.endedSummary?.phase), node: () => undefined, waits: () => undefined, cluster: () => undefined });
});
afterEach(() => {
  cluster.shutdown("end of test");
  rmSync(directory, { recursive: true, force: true });
});

/** A node of one worker, ready. */
function addNode(): void {
  const hello: Of<NodeToMain, "nodeHello"> = { type: "nodeHello", nodeId, cpu: 1, ramMiB: 1024, maxCpu: 1, maxRamMiB: 1024, pid: 1, jobs: [], holding: [] };
  const link = { nodeId, hello, state: { state: "READY", reason: "", workers: [], preparing: [] }, hasBundle: () => true, noteBundle: () => undefined, send: (message: MainToNode) => void toNode.push(message), replaced: () => undefined };
  cluster.nodeConnected(link as unknown as NodeLine);
  cluster.handle({ type: "nodeReady", nodeId });
}

function pushOne(): void {
  const entry = registry.get(JOB_ID);
  entry?.addChunk(0, 0, 1, Buffer.from("one"));
  cluster.handle({ type: "chunkPushed", jobId: JOB_ID, chunkId: 0, first: 0, count: 1, bytes: 3 });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const toldOf = <Type extends MainToClient["type"]>(type: Type) => told.filter(({ message }) => message.type === type);

function assertEndedByDisk(): void {
  const [finished, ...more] = toldOf("finished");
  assert.ok(finished !== undefined && more.length === 0, "the reader is told the end, once");
  assert.equal(finished.message.type === "finished" && finished.message.outcome, "failed");
  const [envelope] = decodeEnvelopes(finished.body);
  assert.equal(envelope?.kind === "burla" && envelope.code, "BURLA_STORAGE");
  assert.equal(changed.at(-1), "failed", "watchers are told of it when it has failed");
  const { failures, phase } = cluster.summaries.job(JOB_ID) ?? assert.fail();
  assert.deepEqual([phase, failures.map(({ index, name }) => [index, name])], ["failed", [[-1, "BURLA_STORAGE"]]]);
}

test("results that cannot be stored end the job with an error, and are not counted as delivered", async () => {
  addNode();
  cluster.submit(JOB_ID, SPEC, new Uint8Array(0), reader, null);
  pushOne();
  await turn();
  const grant = toNode.find((message) => message.type === "grant");
  assert.ok(grant?.type === "grant");
  registry.get(JOB_ID)?.log.close();
  const message: Of<NodeToMain, "nodeResults"> = { type: "nodeResults", nodeSeq: 1, jobId: JOB_ID, grantId: grant.grantId, first: 0, count: 1, indices: null, failed: [], final: [], valuesBytes: 0, runMs: 1 };
  cluster.handle({ type: "resultsArrived", nodeId, jobId: JOB_ID, grantId: grant.grantId, batch: message, bytes: 0, runMs: 1 }, { message, body: new Uint8Array(0) });
  await turn();
  assertEndedByDisk();
  assert.equal(toldOf("results").length, 0);
  assert.ok(toNode.some(({ type }) => type === "stop"), "its node is freed");
  assert.equal(cluster.hasWork, false);
});

test("a grant that cannot be written down ends the job", async () => {
  cluster.submit(JOB_ID, SPEC, new Uint8Array(0), reader, null);
  pushOne();
  await turn();
  registry.get(JOB_ID)?.log.close();
  addNode();
  await turn();
  assertEndedByDisk();
});

test("a job that cannot be begun is refused, and leaves nothing", () => {
  mkdirSync(join(directory, "jobs", JOB_ID), { recursive: true });
  symlinkSync("/dev/full", join(directory, "jobs", JOB_ID, "job.log"));
  assert.throws(() => cluster.submit(JOB_ID, SPEC, new Uint8Array(0), reader, null), { code: "BURLA_STORAGE" });
  assert.deepEqual(readdirSync(join(directory, "jobs")), []);
  assert.equal(cluster.hasWork, false);
});

test("a bundle that the disk refuses is an error of storage", () => {
  const blobs = new BlobStore(join(directory, "other"));
  rmSync(join(directory, "other"), { recursive: true });
  assert.throws(() => blobs.add(Buffer.from("code")), { code: "BURLA_STORAGE" });
});

test("a reader whose results cannot be read is turned away; the job stays for others", async () => {
  cluster.submit(JOB_ID, { ...SPEC, detach: true }, new Uint8Array(0), reader, null);
  cluster.handle({ type: "inputsEnded", jobId: JOB_ID, total: 0 });
  await turn();
  const entry = registry.get(JOB_ID);
  assert.ok(entry !== undefined);
  entry.restore({ lastSeq: 3, chunksStored: 0, inputsStored: 0, inputsEnded: true }, entry.finished, new Uint8Array(0));
  const other = { unsentBytes: 0, send: (message: MainToClient) => void told.push({ message, body: new Uint8Array(0) }) };
  entry.attach(other, 0, null);
  const refused = toldOf("refused")[0]?.message;
  assert.equal(refused?.type === "refused" && refused.code, "BURLA_STORAGE");
});

test("an interrupted job is given up when nobody has taken it up for a week, and bundles that nobody uses go", async (t) => {
  const blobs = new BlobStore(join(directory, "blobs"));
  const [needed, unused, usedLately] = [SPEC.bundle.id, blobs.add(Buffer.from("unused")), blobs.add(Buffer.from("used lately"))];
  const longAgo = new Date(Date.now() - 8 * 24 * 60 * 60_000);
  for (const hash of [needed, unused]) utimesSync(join(directory, "blobs", hash), longAgo, longAgo);
  const log = new JobLog(join(directory, "jobs", JOB_ID), new OpenFiles());
  log.append({ type: "job", jobId: JOB_ID, spec: SPEC, rootId: JOB_ID, createdAt: Date.now(), token: "t", person: null });
  log.append({ type: "chunk", chunkId: 0, first: 0, count: 1 });
  log.close();
  utimesSync(join(directory, "jobs", JOB_ID, "job.log"), longAgo, longAgo);
  cluster.restore();
  cluster.prune();
  assert.equal(blobs.has(unused), false);
  assert.ok(blobs.has(needed), "a job needs it");
  assert.ok(blobs.has(usedLately));
  assert.equal(cluster.summaries.jobs()[0]?.phase, "waiting", "its program may still come back");
  let nowMs = performance.now();
  t.mock.method(performance, "now", () => nowMs);
  // A longer step would be a stall of main, in which it could not hear the program.
  for (const untilMs = nowMs + CLIENT_GRACE_MS; nowMs <= untilMs; ) {
    nowMs += 1000;
    cluster.handle({ type: "tick" });
  }
  await turn();
  assert.equal(cluster.summaries.jobs()[0]?.phase, "interrupted");
  cluster.prune();
  assert.equal(cluster.summaries.jobs()[0]?.phase, "interrupted", "the week begins when it is interrupted");
  utimesSync(join(directory, "jobs", JOB_ID, "job.log"), longAgo, longAgo);
  cluster.prune();
  assert.equal(cluster.summaries.jobs()[0]?.phase, "cancelled");
});

test("a client that sends inputs without credit is told from one that may", () => {
  cluster.submit(JOB_ID, SPEC, new Uint8Array(0), reader, null);
  const push = (chunkId: number, count: number, bytes: number) => {
    const first = chunkId * count;
    registry.get(JOB_ID)?.addChunk(chunkId, first, count, new Uint8Array(0));
    cluster.handle({ type: "chunkPushed", jobId: JOB_ID, chunkId, first, count, bytes });
  };
  const chunks = MAX_WINDOW_INPUTS / MAX_CHUNK_INPUTS;
  for (let at = 0; at < chunks; at++) push(at, MAX_CHUNK_INPUTS, 1);
  assert.equal(cluster.isFlooded(JOB_ID), false, "one window");
  for (let at = chunks; at < 4 * chunks + 1; at++) push(at, MAX_CHUNK_INPUTS, 1);
  assert.equal(cluster.isFlooded(JOB_ID), true);
});

test("who waits for a node whose disk is full is told so at once", async () => {
  const reason = "cannot write to the folder of the node, /n-1: ENOSPC: no space left on device";
  cluster.submit(JOB_ID, SPEC, new Uint8Array(0), reader);
  const hello: Of<NodeToMain, "nodeHello"> = { type: "nodeHello", nodeId, cpu: 1, ramMiB: 1024, maxCpu: 1, maxRamMiB: 1024, pid: 1, jobs: [], holding: [] };
  const link = { nodeId, hello, state: { state: "FAILED", reason, workers: [], preparing: [] }, hasBundle: () => true, noteBundle: () => undefined, send: () => undefined, replaced: () => undefined };
  cluster.nodeConnected(link as unknown as NodeLine);
  await new Promise((resolve) => setTimeout(resolve, 500));
  told.length = 0;
  cluster.handle({ type: "nodeGone", nodeId });
  cluster.nodeStateChanged(nodeId, false);
  for (let turn = 0; turn < 100 && toldOf("progress").length === 0; turn++) await new Promise((resolve) => setTimeout(resolve, 20));
  const progress = toldOf("progress")[0]?.message;
  assert.ok(progress?.type === "progress" && progress.reason.includes("ENOSPC"), JSON.stringify(progress));
});
