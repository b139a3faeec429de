import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { promisify } from "node:util";
import * as v from "valibot";
import {
  encodeEnvelopes, jobFailuresSchema, jobListSchema, MAX_BUNDLE_BYTES, pack, statusSchema, watchEventSchema, type MainToClient, type NodeId,
} from "@burla/protocol";
import { identify } from "./auth.ts";
import type { Cluster } from "./cluster.ts";
import type { JobRegistry } from "./registry.ts";
import { createRoutes } from "./routes.ts";
import { serve } from "./server.ts";
import { clusterIn, JOB_ID, SPEC } from "./testing.ts";
import { Board } from "./watch/board.ts";

const TOKENS = { owner: "owner-token", node: "node-token" };
const OWNER = { authorization: `Bearer ${TOKENS.owner}` };

const MAIN = { cluster: "test", version: "1", pid: 1, startedAt: 5, idleDeadline: null, wantedNodes: 2, costPerHour: null, troubles: [], endsAt: null };

let directory: string;
let board: Board;
let registry: JobRegistry;
let cluster: Cluster;
let routes: ReturnType<typeof createRoutes>;
let shutdowns: string[];
let told: MainToClient[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-routes-"));
  const shell = clusterIn(directory);
  const { blobs, changes } = shell;
  ({ registry, cluster } = shell);
  const { summaries } = cluster;
  board = new Board(
    {
      status: () => summaries.status(MAIN),
      cluster: () => summaries.cluster(MAIN),
      node: (nodeId) => summaries.node(nodeId),
      job: (jobId) => summaries.job(jobId),
      waiting: () => summaries.waiting(),
    },
    changes,
  );
  shutdowns = [];
  told = [];
  routes = createRoutes({
    cluster, blobs, board, keepsLargeValues: false,
    identify: whoAsks,
    describe: () => MAIN,
    shutdown: (reason) => void shutdowns.push(reason),
    handOver: () => false,
  });
  blobs.add(Buffer.from("content"));
  cluster.submit(JOB_ID, SPEC, new Uint8Array(0), { unsentBytes: 0, send: (message) => void told.push(message) }, null);
});
afterEach(() => {
  cluster.shutdown("end of test");
  registry.close();
  rmSync(directory, { recursive: true, force: true });
});

function whoAsks(authorization: string | undefined) {
  return identify(authorization, { ...TOKENS, jobs: () => registry.entries });
}

const HASH = createHash("sha256").update("content").digest("hex");
const ROUTES = [
  ["GET", "/v1/status", 200], ["GET", "/v1/jobs", 200], ["GET", `/v1/jobs/${JOB_ID}`, 200], ["GET", `/v1/jobs/${JOB_ID}/logs`, 200], ["GET", `/v1/jobs/${JOB_ID}/failures`, 200],
  ["POST", `/v1/jobs/${JOB_ID}/cancel`, 200], ["GET", `/v1/blobs/${HASH}`, 200], ["PUT", `/v1/blobs/${HASH}`, 200], ["POST", "/v1/shutdown", 200], ["POST", "/v1/hand-over", 200],
  ["GET", "/v1/jobs/job-0000000000000000000", 404], ["GET", "/v1/jobs/job-0000000000000000000/logs", 404], ["GET", "/v1/jobs/job-0000000000000000000/failures", 404], ["POST", "/v1/jobs/job-0000000000000000000/cancel", 404],
  ["GET", `/v1/blobs/${"b".repeat(64)}`, 404], ["GET", "/v1/blobs/..%2f..%2fcluster.json", 400], ["GET", "/v1/nowhere", 404], ["DELETE", "/v1/jobs", 404],
] as const;

for (const [method, path, status] of ROUTES) {
  const request = (headers: Record<string, string>) => routes.request(path, { method, headers, ...(method === "PUT" ? { body: "content" } : {}) });

  test(`${method} ${path} answers ${status} to the owner, and 401 to all others`, async () => {
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: TOKENS.owner }, { authorization: `Bearer ${TOKENS.node}` }, { authorization: `Bearer ${registry.get(JOB_ID)?.token ?? ""}` }]) {
      const refused = await request(headers);
      assert.equal(refused.status, 401);
      assert.deepEqual(await refused.json(), { error: "BURLA_UNAUTHORIZED" });
    }
    const answer = await request(OWNER);
    assert.equal(answer.status, status);
    if (status === 200) return;
    const problem = (await answer.json()) as { error: string; message: string };
    assert.match(problem.error, /^BURLA_/);
    assert.ok(problem.message.length > 0);
  });
}

test("a watch needs the owner's token, tells the status and then each change, and is over when its reader goes", async () => {
  for (const headers of [{}, { authorization: `Bearer ${TOKENS.node}` }]) assert.equal((await routes.request("/v1/watch", { headers })).status, 401);
  const answer = await routes.request("/v1/watch", { headers: OWNER });
  assert.match(answer.headers.get("content-type") ?? "", /ndjson/);
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const event = async () => v.parse(watchEventSchema, JSON.parse(Buffer.from((await reader.read()).value ?? []).toString()));
  const first = await event();
  assert.deepEqual(first, { type: "snapshot", status: cluster.summaries.status(MAIN) });
  cluster.handle({ type: "cancelRequested", jobId: JOB_ID, reason: "enough" });
  const change = await event();
  assert.ok(change.type === "changes");
  assert.deepEqual(change.jobs.map(({ phase, reason }) => [phase, reason]), [["cancelled", "enough"]]);
  await reader.cancel();
  assert.equal(board.watchers, 0);
  assert.equal((await routes.request("/v1/watch", { method: "HEAD", headers: OWNER })).status, 200);
  assert.equal(board.watchers, 0);
});

test("health needs no token, and tells nothing", async () => {
  const answer = await routes.request("/v1/health");
  assert.deepEqual([answer.status, await answer.json()], [200, { ok: true }]);
});

test("status and jobs fit their schemas, and hold no secret", async () => {
  const text = await (await routes.request("/v1/status", { headers: OWNER })).text();
  const status = v.parse(statusSchema, JSON.parse(text));
  assert.equal(status.jobs[0]?.jobId, JOB_ID);
  assert.equal(status.jobs[0]?.reason, "waits for the first node to start");
  const jobs = v.parse(jobListSchema, await (await routes.request("/v1/jobs", { headers: OWNER })).json());
  assert.equal(jobs.jobs.length, 1);
  for (const secret of [TOKENS.owner, TOKENS.node, registry.get(JOB_ID)?.token ?? "?"]) assert.ok(!text.includes(secret));
});

test("cancel ends the job, and tells its client", async () => {
  await routes.request(`/v1/jobs/${JOB_ID}/cancel`, { method: "POST", headers: OWNER });
  assert.ok(told.some((message) => message.type === "finished" && message.outcome === "cancelled"));
  const job = (await (await routes.request(`/v1/jobs/${JOB_ID}`, { headers: OWNER })).json()) as { phase: string; endedAt: number };
  assert.equal(job.phase, "cancelled");
  assert.ok(job.endedAt > 0);
});

test("logs are NDJSON, with what was dropped", async () => {
  const from = { nodeId: "n-1" as NodeId, sender: "n-1 1" };
  cluster.lines(JOB_ID, { ...from, nodeSeq: 1, droppedLines: 0 }, pack([[0, 1, 1000, "hello"], [-1, 2, 1001, "outside"], [-2, 1, 1002, "set up"]]));
  cluster.lines(JOB_ID, { ...from, nodeSeq: 2, droppedLines: 7 }, pack([]));
  const answer = await routes.request(`/v1/jobs/${JOB_ID}/logs`, { headers: OWNER });
  assert.match(answer.headers.get("content-type") ?? "", /ndjson/);
  const lines = (await answer.text()).trimEnd().split("\n").map((line) => JSON.parse(line) as { text: string; stream: string; index: number; origin: string });
  assert.deepEqual(lines.slice(0, 3).map(({ text, stream, index, origin }) => [text, stream, index, origin]), [
    ["hello", "stdout", 0, "call"], ["outside", "stderr", -1, "other"], ["set up", "stdout", -1, "setup"],
  ]);
  assert.match(lines[3]?.text ?? "", /7 lines were dropped/);
});

test("a blob comes back by its hash; one that is too large is refused before it is read", async () => {
  const put = await routes.request(`/v1/blobs/${HASH}`, { method: "PUT", headers: OWNER, body: "content" });
  const { hash } = (await put.json()) as { hash: string };
  assert.equal(await (await routes.request(`/v1/blobs/${hash}`, { headers: OWNER })).text(), "content");
  const large = await routes.request(`/v1/blobs/${HASH}`, { method: "PUT", headers: { ...OWNER, "content-length": String(MAX_BUNDLE_BYTES + 1) }, body: "x" });
  assert.equal(large.status, 413);
});

test("shutdown is passed on", async () => {
  await routes.request("/v1/shutdown", { method: "POST", headers: OWNER });
  assert.equal(shutdowns.length, 1);
});

test("a job that could not be loaded ends with its error, which is told as the whole job's", async () => {
  cluster.loadFailed("n-1" as never, JOB_ID, encodeEnvelopes([{ kind: "burla", code: "BURLA_LOAD", message: "no" }]));
  assert.equal(registry.get(JOB_ID)?.endedSummary?.phase, "failed");
  const answer = await routes.request(`/v1/jobs/${JOB_ID}/failures`, { headers: OWNER });
  const failures = [{ index: -1, name: "BURLA_LOAD", message: "no", stack: "" }];
  assert.deepEqual(v.parse(jobFailuresSchema, await answer.json()), { failed: 0, failures });
  assert.deepEqual(cluster.summaries.job(JOB_ID)?.failures.map(({ index, name }) => [index, name]), [[-1, "BURLA_LOAD"]]);
});

test("curl works, on loopback only", async () => {
  const { server, url } = await serve({ app: routes, identify: whoAsks, guests: null, onStream: (stream) => void stream.destroy(), onChannel: (stream) => void stream.destroy(), log: { error: () => undefined } }, 0);
  try {
    assert.equal((server.address() as AddressInfo).address, "127.0.0.1");
    const curl = async (...args: string[]) => (await promisify(execFile)("curl", ["-sS", ...args])).stdout;
    assert.deepEqual(JSON.parse(await curl(`${url}/v1/health`)), { ok: true });
    assert.equal(await curl("-o", "/dev/null", "-w", "%{http_code}", `${url}/v1/status`), "401");
    const status = v.parse(statusSchema, JSON.parse(await curl("-H", `Authorization: Bearer ${TOKENS.owner}`, `${url}/v1/status`)));
    assert.equal(status.cluster, "test");
    assert.deepEqual(JSON.parse(await curl("-X", "POST", "-H", `Authorization: Bearer ${TOKENS.owner}`, `${url}/v1/shutdown`)), { ok: true });
    const other = await serve({ app: routes, identify: whoAsks, guests: null, onStream: () => undefined, onChannel: () => undefined, log: { error: () => undefined } }, Number(new URL(url).port));
    assert.notEqual(other.url, url, "a port in use is replaced by another");
    other.server.close();
  } finally {
    server.close();
  }
});
