import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { clientToMain, Connection, type ClientToMain, type JobId, type MainToClient } from "@burla/protocol";
import { connectionTo, type JobChannel } from "./cluster-connection.ts";
import type { ClusterTarget } from "./cluster.ts";

const jobId = "job-0000000000000000000" as JobId;

function reader(of: JobId): JobChannel {
  return { jobId: of, hasBegun: true, needsConnection: true, goesOnWithoutMain: false, connected: () => undefined, message: () => undefined, failed: () => undefined };
}

test("a job that is left before its end is read again over another connection, until main has confirmed that", async (t) => {
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
  const target: ClusterTarget = { key: "left early", isWaitedFor: false, label: "a test", open, address: () => ({ url: "", token: "" }), file: null };

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
