/** Control over HTTP with JSON, so that `curl` works. */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import {
  BurlaError, MAX_BUNDLE_BYTES, messageOf, ROUTES, WATCH_HEARTBEAT_MS, type JobFailures, type JobId, type JobSummary, type LogLineJson,
} from "@burla/protocol";
import type { Identity } from "./auth.ts";
import type { Cluster } from "./cluster.ts";
import { streamOf, withSignsOfLife } from "./ndjson.ts";
import type { BlobStore } from "./store/blobs.ts";
import type { LoggedLines } from "./store/line-log.ts";
import type { MainSummary } from "./summaries.ts";
import type { Board } from "./watch/board.ts";

const BLOBS_PATH = ROUTES.blob.replace(":hash", "");

export interface RoutesOptions {
  readonly cluster: Cluster;
  readonly blobs: BlobStore;
  readonly identify: (authorization: string | undefined) => Identity | null;
  readonly board: Board;
  /** Nodes, and functions that start jobs, keep large values among the blobs too: their queue is elsewhere. */
  readonly keepsLargeValues: boolean;
  readonly describe: () => MainSummary;
  readonly shutdown: (reason: string) => void;
  /** Ends the cluster unless it is in use. @returns whether it does. */
  readonly handOver: () => boolean;
}

export function createRoutes({ cluster, blobs, board, keepsLargeValues, identify, describe, shutdown, handOver }: RoutesOptions): Hono {
  const app = new Hono();
  app.get(ROUTES.health, (c) => c.json({ ok: true }));
  app.use(async (c, next) => {
    const role = identify(c.req.header("authorization"))?.role;
    const isForAll = keepsLargeValues && c.req.path.startsWith(BLOBS_PATH);
    if (role !== "owner" && (role === undefined || !isForAll)) return c.json({ error: "BURLA_UNAUTHORIZED" }, 401);
    return next();
  });
  app.onError((error, c) => {
    const code = error instanceof BurlaError ? error.code : "BURLA_PROTOCOL";
    return c.json({ error: code, message: messageOf(error) }, code === "BURLA_NO_SUCH_JOB" ? 404 : 400);
  });
  app.notFound((c) => c.json({ error: "BURLA_PROTOCOL", message: `there is no ${c.req.method} ${c.req.path}` }, 404));
  app.get(ROUTES.status, (c) => c.json(cluster.summaries.status(describe())));
  app.get(ROUTES.watch, (c) => {
    const abort = new AbortController();
    c.header("content-type", "application/x-ndjson");
    // Answered by this handler too, and nobody would read, or end, its stream.
    if (c.req.method === "HEAD") return c.body(null);
    return c.body(streamOf(board.watch(abort.signal), abort));
  });
  app.get(ROUTES.jobs, (c) => c.json({ jobs: cluster.summaries.jobs() }));
  app.get(ROUTES.job, (c) => c.json(summaryOf(c.req.param("jobId"))));
  app.get(ROUTES.jobFailures, (c) => {
    const jobId = c.req.param("jobId");
    const found: JobFailures = { failed: summaryOf(jobId).failed, failures: cluster.failures(jobId as JobId) };
    return c.json(found);
  });
  app.get(ROUTES.jobLogs, (c) => {
    const abort = new AbortController();
    const options = { follow: c.req.query("follow") === "1", signal: abort.signal };
    const lines = cluster.readLines(c.req.param("jobId") as JobId, options);
    if (lines === undefined) throw noSuchJob(c.req.param("jobId"));
    c.header("content-type", "application/x-ndjson");
    return c.body(streamOf(withSignsOfLife(textOf(lines), WATCH_HEARTBEAT_MS), abort));
  });
  app.post(ROUTES.cancelJob, (c) => {
    const jobId = c.req.param("jobId") as JobId;
    if (cluster.entry(jobId) === undefined) throw noSuchJob(jobId);
    cluster.handle({ type: "cancelRequested", jobId, reason: "cancelled by request" });
    return c.json({ ok: true });
  });
  app.get(ROUTES.blob, (c) => {
    const hash = c.req.param("hash");
    if (!blobs.has(hash)) return c.json({ error: "BURLA_PROTOCOL", message: `there is no blob ${hash}` }, 404);
    return c.body(Buffer.from(blobs.get(hash)));
  });
  app.put(ROUTES.blob, bodyLimit({ maxSize: MAX_BUNDLE_BYTES, onError: (c) => c.json({ error: "BURLA_TOO_LARGE" }, 413) }), async (c) =>
    c.json({ hash: blobs.add(new Uint8Array(await c.req.arrayBuffer())) }),
  );
  app.post(ROUTES.shutdown, (c) => {
    shutdown("asked to");
    return c.json({ ok: true });
  });
  app.post(ROUTES.handOver, (c) => c.json({ ended: handOver() }));
  return app;

  function summaryOf(jobId: string): JobSummary {
    const found = cluster.summaries.job(jobId as JobId);
    if (found === undefined) throw noSuchJob(jobId);
    return found;
  }
}

async function* textOf(lines: AsyncGenerator<LoggedLines>): AsyncGenerator<string> {
  for await (const some of lines) yield linesText(some);
}

function linesText({ nodeId, droppedLines, entries }: LoggedLines): string {
  const lines: LogLineJson[] = entries.map(([index, stream, timeMs, text]) => ({ index, stream: stream === 1 ? "stdout" : "stderr", timeMs, nodeId, text }));
  const timeMs = lines.at(-1)?.timeMs ?? Date.now();
  if (droppedLines > 0) lines.push({ index: -1, stream: "stderr", timeMs, nodeId, text: `… ${droppedLines} lines were dropped` });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function noSuchJob(jobId: string): BurlaError {
  return new BurlaError("BURLA_NO_SUCH_JOB", `this cluster knows no job ${jobId}`);
}
