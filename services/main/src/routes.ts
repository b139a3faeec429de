/** Control over HTTP with JSON, so that `curl` works. */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import {
  BurlaError, MAX_BUNDLE_BYTES, messageOf, newPersonSchema, NO_INPUT, originOf, ROUTES, WATCH_HEARTBEAT_MS, type JobFailures, type JobId, type JobSummary, type LogLineJson,
} from "@burla/protocol";
import type { Identity, PersonRole } from "./auth.ts";
import type { Cluster } from "./cluster.ts";
import type { Enrolment } from "./enrolment.ts";
import { deedOf, may, notYours } from "./rights.ts";
import { streamOf, withSignsOfLife } from "./ndjson.ts";
import type { People } from "./people.ts";
import type { BlobStore } from "./store/blobs.ts";
import type { LoggedLines } from "./store/line-log.ts";
import type { MainSummary } from "./summaries.ts";
import { eventsSeenBy, seenBy, sightOf, type Sight } from "./sight.ts";
import type { Board } from "./watch/board.ts";
import * as v from "valibot";

const MAX_SMALL_BYTES = 64 * 1024;

const BLOBS_PATH = ROUTES.blob.replace(":hash", "");

const STATUS_OF: Partial<Record<string, 403 | 404 | 429>> = { BURLA_NO_SUCH_JOB: 404, BURLA_UNAUTHORIZED: 403 };

/** What one request is answered by: how much whoever asks may see. */
export interface Bindings {
  Variables: { sight: Sight };
}

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
  /** People beside the owner. */
  readonly people?: People;
  /** Of a cluster whose nodes are VMs. */
  readonly vms?: { readonly enrolment: Enrolment; readonly programs: string };
}

/** What a viewer may ask for, and what a user may ask to be done. All else is the owner's. */
const USER_ROUTES = /^\/v1\/(jobs\/[^/]+\/cancel|blobs\/[^/]+)$/;
const OWNER_ROUTES = /^\/v1\/people/;

export function createRoutes({ cluster, blobs, board, keepsLargeValues, identify, describe, shutdown, handOver, people, vms }: RoutesOptions): Hono<Bindings> {
  const app = new Hono<Bindings>();
  app.get(ROUTES.health, (c) => c.json({ ok: true }));
  if (vms !== undefined) addVmRoutes(app, vms);
  app.use(async (c, next) => {
    const identity = identify(c.req.header("authorization"));
    const role = identity?.role;
    const mayKeep = keepsLargeValues && (role === "node" || role === "worker") && c.req.path.startsWith(BLOBS_PATH);
    if (mayKeep) return next();
    if (role !== "owner" && role !== "user" && role !== "viewer") return c.json({ error: "BURLA_UNAUTHORIZED" }, 401);
    if (!mayAsk(role, c.req.method, c.req.path)) return c.json({ error: "BURLA_UNAUTHORIZED", message: `a ${role} may not do that` }, 403);
    const asked = deedOf(c.req.method, c.req.path);
    const job = asked === null ? undefined : cluster.ownership(asked.jobId);
    if (identity !== null && asked !== null && job !== undefined && !may(identity, asked.deed, job)) throw notYours(identity, asked.jobId);
    c.set("sight", sightOf(identity));
    return next();
  });
  app.onError((error, c) => {
    const code = error instanceof BurlaError ? error.code : "BURLA_PROTOCOL";
    return c.json({ error: code, message: messageOf(error) }, STATUS_OF[code] ?? 400);
  });
  app.notFound((c) => c.json({ error: "BURLA_PROTOCOL", message: `there is no ${c.req.method} ${c.req.path}` }, 404));
  app.get(ROUTES.status, (c) => {
    const status = cluster.summaries.status(describe());
    return c.json({ ...status, jobs: status.jobs.map((job) => seenBy(c.get("sight"), job)) });
  });
  app.get(ROUTES.watch, (c) => {
    const abort = new AbortController();
    c.header("content-type", "application/x-ndjson");
    // Answered by this handler too, and nobody would read, or end, its stream.
    if (c.req.method === "HEAD") return c.body(null);
    const sight = c.get("sight");
    return c.body(streamOf(eventsSeenBy(sight, board.watch(abort.signal, sight.person)), abort));
  });
  app.get(ROUTES.jobs, (c) => c.json({ jobs: cluster.summaries.jobs().map((job) => seenBy(c.get("sight"), job)) }));
  app.get(ROUTES.job, (c) => c.json(seenBy(c.get("sight"), summaryOf(c.req.param("jobId")))));
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
    const content = blobs.find(hash);
    if (content === null) return c.json({ error: "BURLA_PROTOCOL", message: `there is no blob ${hash}` }, 404);
    return c.body(Buffer.from(content));
  });
  app.put(ROUTES.blob, bodyLimit({ maxSize: MAX_BUNDLE_BYTES, onError: (c) => c.json({ error: "BURLA_TOO_LARGE" }, 413) }), async (c) => {
    const hash = c.req.param("hash");
    blobs.put(hash, new Uint8Array(await c.req.arrayBuffer()));
    return c.json({ hash });
  });
  app.post(ROUTES.shutdown, (c) => {
    shutdown("asked to");
    return c.json({ ok: true });
  });
  app.post(ROUTES.handOver, (c) => c.json({ ended: handOver() }));
  if (people !== undefined) addPeopleRoutes(app, people);
  return app;

  function summaryOf(jobId: string): JobSummary {
    const found = cluster.summaries.job(jobId as JobId);
    if (found === undefined) throw noSuchJob(jobId);
    return found;
  }
}

function mayAsk(role: PersonRole, method: string, path: string): boolean {
  if (role === "owner") return true;
  if (OWNER_ROUTES.test(path)) return false;
  return method === "GET" || method === "HEAD" || (role === "user" && USER_ROUTES.test(path));
}

function addPeopleRoutes(app: Hono<Bindings>, people: People): void {
  app.get(ROUTES.people, (c) => c.json({ people: people.list() }));
  app.post(ROUTES.people, bodyLimit({ maxSize: MAX_SMALL_BYTES }), async (c) => {
    const person = v.safeParse(newPersonSchema, await c.req.json().catch(() => null));
    if (!person.success) throw new BurlaError("BURLA_PROTOCOL", 'a person is { "name": ..., "role": "user" | "viewer" }');
    return c.json({ token: people.add(person.output) });
  });
  app.delete(ROUTES.person, (c) => c.json({ removed: people.remove(c.req.param("name")) }));
}

/** For VMs that have nothing yet but Google's word for which they are. */
function addVmRoutes(app: Hono<Bindings>, { enrolment, programs }: NonNullable<RoutesOptions["vms"]>): void {
  const nodeOf = async (authorization: string | undefined) => enrolment.nodeOf(/^Bearer ([\w.-]{1,8192})$/.exec(authorization ?? "")?.[1] ?? "");
  app.get(ROUTES.programs, async (c) => {
    if ((await nodeOf(c.req.header("authorization"))) === null) return c.json({ error: "BURLA_UNAUTHORIZED" }, 401);
    return c.body(Readable.toWeb(createReadStream(programs)) as ReadableStream<Uint8Array>);
  });
  app.post(ROUTES.enrol, async (c) => {
    const nodeId = await nodeOf(c.req.header("authorization"));
    return nodeId === null ? c.json({ error: "BURLA_UNAUTHORIZED" }, 401) : c.json(enrolment.issue(nodeId));
  });
}

async function* textOf(lines: AsyncGenerator<LoggedLines>): AsyncGenerator<string> {
  for await (const some of lines) yield linesText(some);
}

function linesText({ nodeId, droppedLines, entries }: LoggedLines): string {
  const lines: LogLineJson[] = entries.map(([index, stream, timeMs, text]) => ({ ...originOf(index), stream: stream === 1 ? "stdout" : "stderr", timeMs, nodeId, text }));
  const timeMs = lines.at(-1)?.timeMs ?? Date.now();
  if (droppedLines > 0) lines.push({ ...originOf(NO_INPUT), stream: "stderr", timeMs, nodeId, text: `… ${droppedLines} lines were dropped` });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function noSuchJob(jobId: string): BurlaError {
  return new BurlaError("BURLA_NO_SUCH_JOB", `this cluster knows no job ${jobId}`);
}
