/**
 * Jobs belong to who started them, and to the owner of the cluster: for any two who use it, and every message and route that
 * names a job. What there is comes from the protocol, so that none can be forgotten.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { clientToMain, FrameDecoder, ROUTES, type JobId, type MainToClient } from "@burla/protocol";
import { ClientLink } from "../../services/main/src/client-link.ts";
import type { Identity } from "../../services/main/src/auth.ts";
import { createRoutes } from "../../services/main/src/routes.ts";
import { Bundles } from "../../services/main/src/store/bundles.ts";
import { clusterIn, CODE, SPEC } from "../../services/main/src/testing.ts";
import { Board } from "../../services/main/src/watch/board.ts";
import { messagesOf, valuesOf } from "./arbitrary.ts";
import { duplexPair, frame, HELLO } from "./peers.ts";

const directory = mkdtempSync(join(tmpdir(), "burla-rights-"));
const { cluster, blobs, registry, changes } = clusterIn(directory);
after(() => {
  cluster.shutdown("end of test");
  registry.close();
  rmSync(directory, { recursive: true, force: true });
});
const bundles = new Bundles(blobs);
bundles.put(SPEC, CODE);

const feeder = { unsentBytes: 0, send: () => undefined };
let made = 0;
/** A job that somebody feeds; with a parent, it was started by a function of that one. */
function jobOf(person: string | null, parent: JobId | null = null): JobId {
  const jobId = `job-${String(++made).padStart(19, "0")}` as JobId;
  cluster.submit(jobId, { ...SPEC, parent }, new Uint8Array(0), feeder, person);
  return jobId;
}

const PEOPLE = { ann: "ann#1", bob: "bob#2" };
interface Case {
  readonly who: string;
  readonly identity: Identity;
  readonly jobId: JobId;
  /** What they may: all of it; read; see that it is there; nothing. */
  readonly rights: "all" | "read" | "see" | "nothing";
}

function cases(): Case[] {
  const owners = jobOf(null);
  const anns = jobOf(PEOPLE.ann);
  const nested = jobOf(PEOPLE.ann, anns);
  const bobs = jobOf(PEOPLE.bob);
  const user = (person: string): Identity => ({ role: "user", person });
  const worker = (jobId: JobId): Identity => ({ role: "worker", jobId });
  return [
    ...[owners, anns, nested, bobs].map((jobId): Case => ({ who: "the owner", identity: { role: "owner", person: null }, jobId, rights: "all" })),
    ...[anns, nested].map((jobId): Case => ({ who: "ann", identity: user(PEOPLE.ann), jobId, rights: "all" })),
    ...[owners, anns, nested].map((jobId): Case => ({ who: "bob", identity: user(PEOPLE.bob), jobId, rights: "see" })),
    ...[owners, bobs].map((jobId): Case => ({ who: "ann of others", identity: user(PEOPLE.ann), jobId, rights: "see" })),
    ...[owners, anns, nested].map((jobId): Case => ({ who: "a viewer", identity: { role: "viewer", person: "eve#3" }, jobId, rights: "read" })),
    { who: "a viewer who was a user", identity: { role: "viewer", person: PEOPLE.ann }, jobId: anns, rights: "read" },
    { who: "a function of the job's parent", identity: worker(anns), jobId: nested, rights: "all" },
    ...[owners, anns, bobs].map((jobId): Case => ({ who: "a function of another job", identity: worker(nested), jobId, rights: "nothing" })),
    { who: "a function of the job itself", identity: worker(anns), jobId: anns, rights: "nothing" },
    { who: "bob's function", identity: worker(bobs), jobId: nested, rights: "nothing" },
    { who: "a node", identity: { role: "node" }, jobId: anns, rights: "nothing" },
  ];
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What main answers to a conversation of this one message. */
async function answersTo(identity: Identity, message: object): Promise<MainToClient[]> {
  const { near, far } = duplexPair();
  const link = new ClientLink(near, { cluster, bundles, identity, onlyJob: null, queueFor: () => null, mayHold: () => true, isLocal: true, log: { error: () => undefined }, onClosed: () => undefined });
  const decoder = new FrameDecoder();
  const heard: MainToClient[] = [];
  far.on("data", (piece: Buffer) => heard.push(...[...decoder.push(piece)].map(({ header }) => header as MainToClient)));
  far.write(frame(HELLO));
  far.write(frame(message, Buffer.from("body")));
  for (let at = 0; at < 4; at++) await turn();
  link.close();
  await turn();
  return heard.filter(({ type }) => (type as string) !== "hello");
}

/** What `Connection` hears by itself. */
const OF_CONNECTIONS = ["hello", "ping", "farewell"];
const aboutJobs = [...messagesOf(clientToMain)].filter(([type, schema]) => !OF_CONNECTIONS.includes(type) && "jobId" in (schema as unknown as { entries: object }).entries);

test("every message of a client names a job, or is looked at here", () => {
  assert.deepEqual([...messagesOf(clientToMain)].map(([type]) => type).filter((type) => !aboutJobs.some(([about]) => about === type)).sort(), [...OF_CONNECTIONS].sort());
  assert.ok(aboutJobs.length >= 8);
});

for (const [type, schema] of aboutJobs) {
  test(`whoever a job does not belong to is refused when they say ${type}, and changes nothing`, async () => {
    for (const { who, identity, jobId, rights } of cases()) {
      const [sample] = fc.sample(valuesOf(schema), { numRuns: 1, seed: 7 }) as [object];
      const message = { ...sample, jobId, ...(type === "submit" && { spec: SPEC, codeBytes: 0 }), ...(type === "attach" && { afterSeq: 0, push: true }) };
      const entry = registry.get(jobId);
      const before = { owner: entry?.owner, readers: entry?.readers, summary: cluster.summaries.job(jobId) };
      const answers = await answersTo(identity, message);
      const isRefused = answers.some((answer) => answer.type === "refused" && (answer.code === "BURLA_UNAUTHORIZED" || answer.code === "BURLA_NO_SUCH_JOB"));
      if (rights === "all") {
        assert.ok(!isRefused, `${who} is refused ${type}`);
        continue;
      }
      assert.deepEqual(answers.map((answer) => answer.type), ["refused"], `${who} says ${type}`);
      assert.ok(isRefused, `${who} says ${type}`);
      assert.deepEqual({ owner: entry?.owner, readers: entry?.readers, summary: cluster.summaries.job(jobId) }, before, `${who} says ${type}`);
    }
  });
}

/** What a route does to a job; a new one is only of whom it belongs to, until it is named here. */
const GENTLE: Record<string, "see" | "read"> = { [ROUTES.job]: "see", [ROUTES.jobLogs]: "read", [ROUTES.jobFailures]: "read" };
const LEVEL = { nothing: 0, see: 1, read: 2, all: 3 };

test("every route that names a job is only for whom it belongs to, or for those who may look", async () => {
  const routes = Object.values(ROUTES).filter((route) => route.includes(":jobId"));
  assert.ok(routes.length >= 5);
  for (const { who, identity, jobId, rights } of cases()) {
    const board = new Board({ status: () => assert.fail(), cluster: () => assert.fail(), node: () => undefined, job: () => undefined, waiting: () => [] }, changes);
    const app = createRoutes({ cluster, blobs, board, keepsLargeValues: true, identify: () => identity, describe: () => assert.fail(), shutdown: () => assert.fail(), handOver: () => false });
    for (const route of routes) {
      for (const method of ["GET", "POST", "PUT", "DELETE"]) {
        for (const path of [route.replace(":jobId", jobId), `${route.replace(":jobId", jobId)}/`]) {
          const { status } = await app.request(path, { method });
          const needed = method === "GET" ? LEVEL[GENTLE[route] ?? "all"] : LEVEL.all;
          const isRefused = status === 401 || status === 403;
          if (LEVEL[rights] < needed) assert.ok(isRefused, `${who}: ${method} ${path} answers ${status}`);
          else if (rights === "all" && identity.role !== "worker") assert.ok(!isRefused || (identity.role === "user" && method !== "GET"), `${who}: ${method} ${path} answers ${status}`);
          else if (identity.role !== "worker" && identity.role !== "node") assert.ok(!isRefused, `${who}: ${method} ${path} answers ${status}`);
        }
      }
    }
  }
});

test("rows of others tell their users that they are there, and not what their calls said", async () => {
  const jobId = jobOf(PEOPLE.ann);
  registry.get(jobId)?.failures.append([{ index: 0, name: "Error", message: "ann's secret", stack: "" }]);
  const seenBy = async (identity: Identity) => {
    const app = createRoutes({ cluster, blobs, board: {} as Board, keepsLargeValues: false, identify: () => identity, describe: () => assert.fail(), shutdown: () => assert.fail(), handOver: () => false });
    const answers = await Promise.all([app.request(ROUTES.jobs), app.request(ROUTES.job.replace(":jobId", jobId))]);
    return Promise.all(answers.map(async (answer) => [(await answer.clone().text()).includes(jobId), (await answer.text()).includes("secret")]));
  };
  assert.deepEqual(await seenBy({ role: "user", person: PEOPLE.bob }), [[true, false], [true, false]]);
  for (const identity of [{ role: "user", person: PEOPLE.ann }, { role: "owner", person: null }, { role: "viewer", person: "eve#3" }] as const) assert.deepEqual(await seenBy(identity), [[true, true], [true, true]]);
});

test("whose a job is, is known to the next main; of a job of an earlier build only the owner's", async () => {
  const anns = jobOf(PEOPLE.ann);
  const { cluster: restored } = clusterIn(directory);
  restored.restore();
  assert.equal(restored.ownership(anns)?.person, PEOPLE.ann);
  restored.shutdown("end of test");
});
