import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { BurlaError, clientToMain, Connection, type ClientToMain, type JobId, type MainToClient } from "@burla/protocol";
import { connectionTo, type JobChannel } from "./cluster-connection.ts";
import type { ClusterTarget } from "./cluster.ts";

const address = () => ({ url: "", token: "" });
const jobId = "job-0000000000000000000" as JobId;

function reader(of: JobId): JobChannel {
  return { jobId: of, hasBegun: true, needsConnection: true, goesOnWithoutMain: false, connected: () => undefined, message: () => undefined, failed: () => undefined };
}

/** A main that takes connections. */
async function listen(t: TestContext): Promise<{ mains: Connection<ClientToMain, MainToClient>[]; open: () => Promise<Socket> }> {
  const mains: Connection<ClientToMain, MainToClient>[] = [];
  const server = createServer((socket) => {
    mains.push(new Connection<ClientToMain, MainToClient>(socket, { incoming: clientToMain, software: "main", onMessage: () => undefined, onClose: () => undefined }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  t.after(() => {
    for (const main of mains) main.close();
    server.close();
  });
  const open = async () => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  };
  return { mains, open };
}

test("a job that is left before its end is read again over another connection, until main has confirmed that", async (t) => {
  const { mains, open } = await listen(t);
  const target: ClusterTarget = { key: "left early", place: "elsewhere", isWaitedFor: false, label: "a test", open, address, file: null };

  const connection = connectionTo(target, jobId);
  const first = reader(jobId);
  const other = reader("job-0000000000000000001" as JobId);
  await new Promise<void>((resolve) => connection.add(Object.assign(first, { connected: resolve })));
  assert.notEqual(connectionTo(target, jobId), connection);
  connection.leave(first);
  assert.notEqual(connectionTo(target, jobId), connection);
  assert.equal(connectionTo(target, other.jobId), connection);

  const heard = new Promise<void>((resolve) => connection.add(Object.assign(other, { message: resolve })));
  mains[0]?.send({ type: "finished", jobId, outcome: "done", reason: "", inputs: 0, failed: 0 });
  mains[0]?.send({ type: "finished", jobId: other.jobId, outcome: "done", reason: "", inputs: 0, failed: 0 });
  await heard;
  assert.notEqual(connectionTo(target, jobId), connection, "what was sent before it left says nothing");

  const further = new Promise<void>((resolve) => Object.assign(other, { message: resolve }));
  mains[0]?.send({ type: "left", jobId });
  mains[0]?.send({ type: "finished", jobId: other.jobId, outcome: "done", reason: "", inputs: 0, failed: 0 });
  await further;
  assert.equal(connectionTo(target, jobId), connection);
  connection.leave(other);
});

/** What a job that has begun is told when its cluster was there and is dialled again, each time with the next outcome. */
async function toldOf(t: TestContext, outcomes: ("open" | "BURLA_CLUSTER_START" | "BURLA_UNREACHABLE" | "BURLA_VERSION")[]): Promise<unknown> {
  const { mains, open } = await listen(t);
  const next = async () => {
    const outcome = outcomes.shift() ?? "open";
    if (outcome === "open") return open();
    throw new BurlaError(outcome, "no cluster");
  };
  const connection = connectionTo({ key: t.name, place: "elsewhere", isWaitedFor: false, label: "a test", open: next, address, file: null }, jobId);
  const job = reader(jobId);
  let times = 0;
  return new Promise((resolve) => {
    const connected = () => (++times === 1 ? void setImmediate(() => mains[0]?.close()) : resolve("connected again"));
    connection.add(Object.assign(job, { connected, failed: (error: BurlaError) => resolve(error.code) }));
  }).finally(() => connection.leave(job));
}

test("a cluster that was there and does not start anew at once is waited for", async (t) => {
  assert.equal(await toldOf(t, ["open", "BURLA_UNREACHABLE", "BURLA_CLUSTER_START", "BURLA_CLUSTER_START", "open"]), "connected again");
});

test("that a cluster that was never there does not start is told at once", async (t) => {
  assert.equal(await toldOf(t, ["BURLA_CLUSTER_START"]), "BURLA_CLUSTER_START");
});

test("a cluster that comes back with another protocol is not waited for", async (t) => {
  assert.equal(await toldOf(t, ["open", "BURLA_CLUSTER_START", "BURLA_VERSION"]), "BURLA_VERSION");
});
