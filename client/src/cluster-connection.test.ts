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
async function listen(t: TestContext, onMessage: (main: Connection<ClientToMain, MainToClient>, message: ClientToMain) => void = () => undefined): Promise<{ mains: Connection<ClientToMain, MainToClient>[]; open: () => Promise<Socket> }> {
  const mains: Connection<ClientToMain, MainToClient>[] = [];
  const server = createServer((socket) => {
    const main: Connection<ClientToMain, MainToClient> = new Connection(socket, { incoming: clientToMain, software: "main", onMessage: (message) => onMessage(main, message), onClose: () => undefined });
    mains.push(main);
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

/** Jobs that attach when they are connected; `told` is what each came to. */
function attaching(t: TestContext, open: () => Promise<Socket>, jobs: JobId[], onMessage: (message: MainToClient) => void = () => undefined) {
  const connection = connectionTo({ key: t.name, isWaitedFor: false, label: "a test", open, address, file: null, place: "elsewhere" });
  const connects = new Map<JobId, number>();
  const told = jobs.map((each) => new Promise<BurlaError>((resolve) => {
    const job = reader(each);
    connection.add(Object.assign(job, {
      connected: () => {
        connects.set(each, (connects.get(each) ?? 0) + 1);
        connection.send({ type: "attach", jobId: each, afterSeq: 0, push: false, linesAfter: null });
      },
      message: onMessage,
      failed: (error: BurlaError) => {
        connection.leave(job);
        resolve(error);
      },
    }));
  }));
  return { connection, connects, told };
}

const accepted = (of: JobId): MainToClient => ({ type: "accepted", jobId: of, name: "", chunksStored: 0, inputsEnded: false, queue: null });

test("a message that main fails on ends its job, with main's words; the other jobs of the program go on over a new connection", async (t) => {
  const [bad = jobId, good = jobId] = ["job-0000000000000000002" as JobId, "job-0000000000000000003" as JobId];
  const { open, mains } = await listen(t, (main, message) => {
    if (message.jobId === bad) throw new TypeError("a fault of main");
    main.send(accepted(message.jobId));
  });
  let resume: () => void = () => undefined;
  const resumed = new Promise<void>((resolve) => (resume = resolve));
  const { told } = attaching(t, open, [bad, good], () => resume());
  const error = await told[0];
  assert.equal(error?.code, "BURLA_PROTOCOL");
  assert.match(error.message, /a fault of main/);
  await resumed;
  assert.ok(mains.length >= 2, "over another connection");
});

test("what main refuses without naming a job is not said again", async (t) => {
  const { open, mains } = await listen(t, (main) => main.refuse(new BurlaError("BURLA_UNAUTHORIZED", "you were removed")));
  const ids = ["job-0000000000000000004" as JobId];
  const { told } = attaching(t, open, ids);
  const error = await told[0];
  assert.match(String(error?.message), /you were removed/);
  assert.equal(mains.length, 1);
});

test("a main that ends whenever it hears of a job is not dialled for ever, and ever more slowly", async (t) => {
  const waits: number[] = [];
  let lastMs = performance.now();
  const { open, mains } = await listen(t, (main, message) => {
    waits.push(performance.now() - lastMs);
    lastMs = performance.now();
    main.send(accepted(message.jobId));
    main.flush();
    // As one that is killed: without a word.
    main.abort(new BurlaError("BURLA_UNREACHABLE", "crashed"));
  });
  t.mock.method(Math, "random", () => 0);
  const { told } = attaching(t, open, ["job-0000000000000000005" as JobId]);
  const error = await told[0];
  assert.equal(error?.code, "BURLA_UNREACHABLE");
  assert.equal(mains.length, 20);
  assert.ok(waits.slice(-5).every((ms) => ms > 500), "the last pauses are long");
});

test("a message that a job cannot make sense of ends that job with an error, not this program, and not the other jobs", async (t) => {
  const [bad = jobId, good = jobId] = ["job-0000000000000000006" as JobId, "job-0000000000000000007" as JobId];
  const { open, mains } = await listen(t, (main, message) => main.send(accepted(message.jobId)));
  let both: () => void = () => undefined;
  const heard = new Promise<void>((resolve) => (both = resolve));
  const { told } = attaching(t, open, [bad, good], ({ jobId: of }) => {
    if (of === bad) throw new RangeError("no such schema");
    both();
  });
  const error = await told[0];
  await heard;
  assert.equal(error?.code, "BURLA_PROTOCOL");
  assert.match(error.message, /no such schema/);
  assert.equal(mains.length, 1, "the connection stands");
});

test("a message of another form ends the job that it names, and the others when it names none, with an error and not this program", async (t) => {
  const ids = ["job-0000000000000000008" as JobId, "job-0000000000000000009" as JobId, "job-000000000000000000a" as JobId];
  const [results = jobId, left = jobId, good = jobId] = ids;
  const { open, mains } = await listen(t, (main, { jobId: of }) => {
    if (of === results) main.send({ type: "results", jobId: of, seq: "one" } as never);
    else if (of === good) main.send(accepted(of));
  });
  let resume: () => void = () => undefined;
  const resumed = new Promise<void>((resolve) => (resume = resolve));
  const { told } = attaching(t, open, ids, () => resume());
  const error = await told[0];
  assert.equal(error?.code, "BURLA_PROTOCOL");
  assert.match(error.message, /a message does not fit the protocol/);
  await resumed;
  mains.at(-1)?.send({ type: "dance" } as never);
  for (const each of [left, good]) assert.equal((await told[ids.indexOf(each)])?.code, "BURLA_PROTOCOL");
});
