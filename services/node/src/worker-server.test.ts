import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Connection, encodeFrame, MAX_UNKNOWN_CONNECTIONS, nodeToWorker, PROTOCOL_VERSION, type NodeToWorker, type WorkerId, type WorkerToNode } from "@burla/protocol";
import { WorkerServer, type WorkerConnection } from "./worker-server.ts";

const WORKER = "w-1" as WorkerId;
let directory: string;
let server: WorkerServer;
let connected: WorkerConnection[];
let heard: WorkerToNode[];
let closed: () => void;
let onClosed: Promise<void>;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "burla-socket-"));
  const path = join(directory, "sockets", "s");
  mkdirSync(dirname(path));
  writeFileSync(path, "left behind by a node that was killed");
  server = new WorkerServer(path, () => mkdirSync(dirname(path), { recursive: true }));
  [connected, heard] = [[], []];
  onClosed = new Promise((resolve) => (closed = resolve));
  await server.listen();
  server.expect(WORKER, { token: "secret", connected: (connection) => connected.push(connection), message: (message) => heard.push(message), disconnected: () => closed() });
});
afterEach(() => {
  for (const connection of connected) connection.close();
  server.close();
  assert.ok(!existsSync(server.path));
  rmSync(directory, { recursive: true, force: true });
});

async function dial(): Promise<{ worker: Connection<NodeToWorker, WorkerToNode>; over: Promise<unknown>; orders: NodeToWorker[] }> {
  const socket = connect(server.path);
  await once(socket, "connect");
  const orders: NodeToWorker[] = [];
  const over = once(socket, "close");
  const worker = new Connection<NodeToWorker, WorkerToNode>(socket, { incoming: nodeToWorker, software: "t", silenceMs: 0, onMessage: (message) => orders.push(message), onClose: () => undefined });
  return { worker, over, orders };
}

const hello = (workerId: WorkerId, token: string): WorkerToNode => ({ type: "workerHello", workerId, token, pid: 1 });

test("a worker that shows its token is handed to who waits for it; its messages and its end follow", async () => {
  const { worker } = await dial();
  worker.send(hello(WORKER, "secret"));
  worker.send({ type: "loaded", ok: true });
  worker.close();
  await onClosed;
  assert.equal(connected.length, 1);
  assert.deepEqual(heard, [{ type: "loaded", ok: true }]);
});

test("a wrong token, an unknown worker, one that was forgotten, and one that does not introduce itself are hung up on", async () => {
  server.expect("w-2", { token: "other", connected: () => assert.fail("connected"), message: () => undefined, disconnected: () => undefined });
  server.forget("w-2");
  const attempts: WorkerToNode[] = [
    hello(WORKER, "wrong!"), hello(WORKER, ""), hello(WORKER, "secret and more"), hello("w-unknown" as WorkerId, "secret"), hello("w-2" as WorkerId, "other"),
    { type: "loaded", ok: true },
  ];
  for (const message of attempts) {
    const { worker, over } = await dial();
    worker.send(message);
    await over;
  }
  assert.deepEqual([connected, heard], [[], []]);
});

test("rubbish on the socket does no harm", async () => {
  for (const bytes of [Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.alloc(64, 0xff), Buffer.concat(encodeFrame({ type: "hello", protocolVersion: PROTOCOL_VERSION + 1, software: "x" }, []))]) {
    const socket = connect(server.path).on("error", () => undefined).resume();
    socket.write(bytes);
    await once(socket, "close");
  }
  const { worker } = await dial();
  worker.send(hello(WORKER, "secret"));
  worker.close();
  await onClosed;
  assert.equal(connected.length, 1);
});

test("a socket that somebody has taken away, with its folder or not, or put another in its place, is there again for the next worker", async () => {
  const { worker } = await dial();
  worker.send(hello(WORKER, "secret"));
  const spoil = [
    () => rmSync(dirname(server.path), { recursive: true }),
    () => rmSync(server.path),
    () => {
      rmSync(server.path);
      writeFileSync(server.path, "");
    },
  ];
  for (const [at, doIt] of spoil.entries()) {
    doIt();
    const later = `w-later-${at}` as WorkerId;
    const arrived = new Promise<WorkerConnection>((resolve) => server.expect(later, { token: "secret", connected: resolve, message: () => undefined, disconnected: () => undefined }));
    const { worker: next } = await dial();
    next.send(hello(later, "secret"));
    connected.push(await arrived);
  }
  worker.send({ type: "loaded", ok: true });
  worker.close();
  await onClosed;
  assert.deepEqual(heard, [{ type: "loaded", ok: true }], "those that are connected stay so");
});

/** Writes until the server hangs up. @returns how much it has taken. */
async function pour(first: Uint8Array): Promise<number> {
  const socket = connect(server.path).on("error", () => undefined).resume();
  await once(socket, "connect");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.write(first);
  const piece = Buffer.alloc(64 * 1024);
  let taken = 0;
  for (; !socket.destroyed && taken < LONG_BYTES; taken += piece.byteLength) {
    await Promise.race([closed, new Promise<void>((resolve) => socket.write(piece, () => resolve()))]);
  }
  await closed;
  return taken;
}

const LONG_BYTES = 64 * 1024 * 1024;
/** The beginning of a message that is as long as messages may be. */
function longMessage(): Buffer {
  const begun = Buffer.concat(encodeFrame({ type: "workerLogs", droppedLines: 0 }, []));
  begun.writeUInt32LE(begun.readUInt32LE(0) + LONG_BYTES, 0);
  return begun;
}

test("long messages of whoever has not said which worker it is are not kept: before a hello and after it", async () => {
  const greeting = Buffer.concat(encodeFrame({ type: "hello", protocolVersion: PROTOCOL_VERSION, software: "x" }, []));
  for (const first of [longMessage(), Buffer.concat([greeting, longMessage()])]) {
    const taken = await pour(first);
    assert.ok(taken < LONG_BYTES / 4, `${taken} bytes were taken`);
  }
});

test("a token lets in one connection: a function that dials with its worker's is hung up on, and its worker is not", async () => {
  const { worker } = await dial();
  worker.send(hello(WORKER, "secret"));
  const second = await dial();
  second.worker.send(hello(WORKER, "secret"));
  await second.over;
  worker.send({ type: "loaded", ok: true });
  worker.close();
  await onClosed;
  assert.equal(connected.length, 1);
  assert.deepEqual(heard, [{ type: "loaded", ok: true }]);
});

test("whoever dials and does not say which worker it is, is hung up on; of very many, those that have waited longest, at once", async () => {
  const { worker } = await dial();
  worker.send(hello(WORKER, "secret"));
  const silent = connect(server.path).on("error", () => undefined).resume();
  const greeted = await dial();
  const closed = [once(silent, "close"), greeted.over];
  const many = Array.from({ length: MAX_UNKNOWN_CONNECTIONS }, () => connect(server.path).on("error", () => undefined).resume());
  await Promise.all(closed);
  await Promise.all(many.filter((socket) => !socket.closed).map((socket) => once(socket, "close")));
  worker.send({ type: "loaded", ok: true });
  worker.close();
  await onClosed;
  assert.deepEqual(heard, [{ type: "loaded", ok: true }], "the one that did is not");
});
