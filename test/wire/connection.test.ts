import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { BurlaError, Connection, FrameDecoder, mainToClient, newJobId, type ClientToMain, type MainToClient } from "@burla/protocol";
import { duplexPair, frame, HELLO, listen, socketPair } from "./peers.ts";

const jobId = newJobId();
const LEAVE = { type: "leave", jobId } as const;

test("hello is the first frame, and what one turn of the event loop sends is one write", async () => {
  const { near, writes } = duplexPair();
  const { connection } = listen(near);
  for (let at = 0; at < 100; at++) connection.send({ type: "finished", jobId, outcome: "done", reason: "", inputs: at, failed: 0 }, Buffer.from([at]));
  assert.equal(writes.length, 0, "nothing leaves before the turn ends");
  await nextTurn();
  assert.equal(writes.length, 1);
  const frames = [...new FrameDecoder().push(writes[0] ?? Buffer.alloc(0))];
  assert.equal(frames.length, 101);
  assert.equal((frames[0]?.header as { type: string }).type, "hello");
  assert.deepEqual([...(frames[100]?.body ?? [])], [99]);
});

test("a flush sends at once what the turn has queued", async () => {
  const { near, writes } = duplexPair();
  const { connection } = listen(near);
  connection.flush();
  assert.equal(writes.length, 1);
  connection.flush();
  assert.equal(writes.length, 1);
  connection.send({ type: "finished", jobId, outcome: "done", reason: "", inputs: 0, failed: 0 });
  await connection.drained();
  assert.equal(writes.length, 2);
  assert.equal(connection.unsentBytes, 0);
});

test("messages arrive in order with their bodies, whatever the pieces", async () => {
  const { near, far } = duplexPair();
  const { heard } = listen(near);
  const bytes = Buffer.concat([frame(HELLO), frame({ type: "ping" }), frame({ ...LEAVE, type: "ack", seq: 1 }), frame(LEAVE, Buffer.from("bo"), Buffer.from("dy"))]);
  for (const byte of bytes) far.write(Buffer.from([byte]));
  await nextTurn();
  assert.deepEqual(heard.map(({ message }) => message.type), ["ack", "leave"]);
  assert.equal(Buffer.from(heard[1]?.body ?? []).toString(), "body");
});

const refusals: [string, Buffer, string, RegExp][] = [
  ["a message before hello", frame(LEAVE), "BURLA_PROTOCOL", /leave before hello/],
  ["another version", frame({ ...HELLO, protocolVersion: 99, software: "burla of tomorrow" }), "BURLA_VERSION", /burla of tomorrow speaks protocol 99/],
  ["a hello without a version", frame({ type: "hello", software: "x" }), "BURLA_PROTOCOL", /protocolVersion/],
  ["a message that does not exist", Buffer.concat([frame(HELLO), frame({ type: "dance" })]), "BURLA_PROTOCOL", /does not fit/],
  ["a message of the other direction", Buffer.concat([frame(HELLO), frame({ type: "stored", nodeSeq: 1 })]), "BURLA_PROTOCOL", /does not fit/],
  ["a header that is no map", Buffer.concat([frame(HELLO), frame([1, 2])]), "BURLA_PROTOCOL", /does not fit/],
  ["a field that is as long as a header may be", Buffer.concat([frame(HELLO), frame({ ...LEAVE, jobId: "x".repeat(500_000) })]), "BURLA_PROTOCOL", /does not fit/],
];
for (const [what, bytes, code, message] of refusals) {
  test(`${what} ends the connection with ${code}`, async () => {
    const { near, far, writes } = duplexPair();
    const { closed, connection, heard } = listen(near);
    far.write(bytes);
    const error = await closed;
    assert.equal(error?.code, code);
    assert.match(error.message, message);
    assert.ok(error.message.length < 600, "the reason is short enough for a log");
    assert.ok(connection.closed);
    assert.deepEqual(heard, []);
    await nextTurn();
    const said = [...new FrameDecoder().push(Buffer.concat(writes))].map(({ header }) => header as { type: string; code: string; message: string });
    assert.deepEqual(said.map(({ type }) => type), ["hello", "farewell"]);
    assert.equal(said[1]?.code, code, "the peer hears why");
    assert.match(said[1].message, message);
    far.end();
    if (!near.destroyed) await once(near, "close");
  });
}

/** Main's end, which fails at `ack`, and a client on the other. */
function faulty(fault: unknown) {
  const { near, far } = duplexPair();
  const faults: unknown[] = [];
  const main = listen(near, {
    onMessage: ({ type }) => {
      if (type === "ack") throw fault;
    },
    onFault: (error) => faults.push(error),
  });
  let lost: (reason: { error: BurlaError | undefined; about: string | null }) => void = () => undefined;
  const told = new Promise<{ error: BurlaError | undefined; about: string | null }>((resolve) => (lost = resolve));
  const client = new Connection<MainToClient, ClientToMain>(far, { incoming: mainToClient, software: "t", silenceMs: 0, onMessage: () => undefined, onClose: (error, about) => lost({ error, about }) });
  return { main, faults, client, told };
}

test("a handler that fails ends its own connection, which the peer hears with the job that it was about", async () => {
  const { main, faults, client, told } = faulty(new TypeError("no such thing"));
  client.send(LEAVE);
  client.send({ type: "ack", jobId, seq: 1 });
  const { error, about } = await told;
  assert.equal(error?.code, "BURLA_PROTOCOL");
  assert.match(error.message, /ended the connection: a message could not be handled: no such thing/);
  assert.equal(about, jobId);
  assert.match(String((faults[0] as Error).stack), /TypeError: no such thing\n\s+at /);
  assert.equal((await main.closed)?.code, "BURLA_PROTOCOL");
});

test("so does one that refuses, with its own code", async () => {
  const { faults, client, told } = faulty(new BurlaError("BURLA_TOO_LARGE", "far too much"));
  client.send({ type: "ack", jobId, seq: 1 });
  const { error } = await told;
  assert.equal(error?.code, "BURLA_TOO_LARGE");
  assert.match(error.message, /far too much/);
  assert.deepEqual(faults, []);
});

test("a farewell is the last that is said: it is not answered by another", async () => {
  const { near, far, writes } = duplexPair();
  const { closed } = listen(near);
  far.write(Buffer.concat([frame(HELLO), frame({ type: "farewell", code: "BURLA_UNAUTHORIZED", message: "you were removed\n  Ask.", jobId: null }), frame(LEAVE)]));
  const error = await closed;
  assert.equal(error?.code, "BURLA_UNAUTHORIZED");
  assert.match(error.message, /you were removed\n/);
  await nextTurn();
  assert.ok(!Buffer.concat(writes).includes("farewell"));
});

test("a farewell with a code of another version is one of the protocol", async () => {
  const { near, far } = duplexPair();
  const { closed } = listen(near);
  far.write(Buffer.concat([frame(HELLO), frame({ type: "farewell", code: "BURLA_OF_TOMORROW", message: "no", jobId: null })]));
  assert.equal((await closed)?.code, "BURLA_PROTOCOL");
});

test("the messages before the one that ends the connection are heard, those behind it are not", async () => {
  const { near, far } = duplexPair();
  const { heard, closed } = listen(near);
  far.write(Buffer.concat([frame(HELLO), frame(LEAVE), frame({ type: "dance" }), frame(LEAVE)]));
  assert.equal((await closed)?.code, "BURLA_PROTOCOL");
  assert.equal(heard.length, 1);
});

test("a listener that closes in the middle of a piece hears nothing more of it", async () => {
  const { near, far } = duplexPair();
  const listening = listen(near, { onMessage: () => { calls++; listening.connection.close(); } });
  let calls = 0;
  far.write(Buffer.concat([frame(HELLO), frame(LEAVE), frame(LEAVE)]));
  assert.equal(await listening.closed, undefined);
  assert.equal(calls, 1);
});

test("closing sends what is queued, and says so once, to both sides", async () => {
  const { near, far } = duplexPair();
  let closes = 0;
  const { connection } = listen(near, { onClose: () => void closes++ });
  const received: MainToClient[] = [];
  let reason: BurlaError | undefined;
  const other = new Connection<MainToClient, ClientToMain>(far, {
    incoming: mainToClient, software: "test client", silenceMs: 0,
    onMessage: (message) => received.push(message),
    onClose: (error) => { reason = error; },
  });
  connection.send({ type: "finished", jobId, outcome: "done", reason: "", inputs: 0, failed: 0 });
  connection.close();
  connection.close();
  connection.send({ type: "refused", jobId, code: "x", message: "too late" });
  await once(far, "close");
  assert.deepEqual(received.map(({ type }) => type), ["finished"]);
  assert.equal(reason?.code, "BURLA_UNREACHABLE");
  assert.ok(other.closed);
  assert.equal(closes, 1);
  await connection.drained();
});

test("what was sent before closing arrives, although the peer's own words were never read", async () => {
  for (let round = 0; round < 20; round++) {
    const { near, far } = await socketPair();
    const main = listen(near);
    main.connection.send({ type: "refused", jobId, code: "x", message: "unread" });
    main.connection.flush();
    await nextTurn();
    const client = new Connection<MainToClient, ClientToMain>(far, { incoming: mainToClient, software: "t", silenceMs: 0, onMessage: () => assert.fail("heard after closing"), onClose: () => undefined });
    client.send(LEAVE);
    client.close();
    assert.equal((await main.closed)?.code, "BURLA_UNREACHABLE");
    assert.deepEqual(main.heard.map(({ message }) => message.type), ["leave"]);
    if (!far.destroyed) await once(far, "close");
  }
});

test("closing does not wait for ever for a peer that does not close", async () => {
  const { near, far } = await socketPair();
  far.pause();
  listen(near).connection.close();
  await once(near, "close");
  far.destroy();
});

test("a stream that breaks ends the connection with the cause", async () => {
  const { near } = duplexPair();
  const { closed } = listen(near);
  near.destroy(new Error("cable cut"));
  const error = await closed;
  assert.equal(error?.code, "BURLA_UNREACHABLE");
  assert.match(error.message, /cable cut/);
  assert.equal((error.cause as Error).message, "cable cut");
});

test("an abort tells its own reason", async () => {
  const { near } = duplexPair();
  const { connection, closed } = listen(near);
  connection.abort(new BurlaError("BURLA_UNAUTHORIZED", "who are you"));
  assert.equal((await closed)?.code, "BURLA_UNAUTHORIZED");
  assert.ok(near.destroyed);
});

test("a peer that falls silent is taken for dead; pings of both sides keep a quiet connection", async () => {
  const silent = await socketPair();
  const dead = await listen(silent.near, { silenceMs: 60 }).closed;
  assert.equal(dead?.code, "BURLA_UNREACHABLE");
  assert.match(dead.message, /silent/);
  silent.far.destroy();

  const quiet = await socketPair();
  const here = listen(quiet.near, { silenceMs: 600 });
  const other = new Connection<MainToClient, ClientToMain>(quiet.far, { incoming: mainToClient, software: "t", silenceMs: 600, onMessage: () => undefined, onClose: () => undefined });
  for (let heard = 0; heard < 6; heard++) await once(quiet.far, "data");
  assert.ok(!here.connection.closed && !other.closed, "a second of pings alone");
  here.connection.close();
  await once(quiet.far, "close");
});

test("a peer is not taken for dead because this process computed, again and again, and did not read", async () => {
  const { near, far } = await socketPair();
  const here = listen(near, { silenceMs: 150 });
  for (let round = 0; round < 5; round++) {
    far.write(frame({ type: "ping" }));
    const endMs = performance.now() + 400;
    while (performance.now() < endMs);
    await nextTurn();
    await nextTurn();
  }
  assert.ok(!here.connection.closed);
  assert.equal((await here.closed)?.code, "BURLA_UNREACHABLE", "it is when it really says nothing");
  far.destroy();
});

test("a side that never takes the other for dead pings all the same", async () => {
  const { near, far } = await socketPair();
  const here = listen(near, { silenceMs: 0, pingMs: 20 });
  for (let heard = 0; heard < 4; heard++) await once(far, "data");
  assert.ok(!here.connection.closed);
  here.connection.close();
  far.resume();
  await once(far, "close");
});

test("a ping counts before hello, so that a slow start is not a silence", async () => {
  const { near, far } = duplexPair();
  const { connection } = listen(near);
  far.write(frame({ type: "ping" }));
  await nextTurn();
  assert.ok(!connection.closed);
});

test("over a real socket: a large body in many pieces, both ways at once", async () => {
  const { near, far } = await socketPair();
  const body = Buffer.alloc(8 * 1024 * 1024, "0123456789");
  const bodies: Buffer[] = [];
  let arrived: () => void = () => undefined;
  const both = new Promise<void>((resolve) => { arrived = resolve; });
  const take = (part: Uint8Array) => {
    bodies.push(Buffer.from(part));
    if (bodies.length === 2) arrived();
  };
  const main = listen(near, { onMessage: (_message, part) => take(part) });
  const client = new Connection<MainToClient, ClientToMain>(far, { incoming: mainToClient, software: "t", silenceMs: 0, onMessage: (_message, part) => take(part), onClose: () => undefined });
  client.send(LEAVE, body.subarray(0, 5), body.subarray(5));
  main.connection.send({ type: "finished", jobId, outcome: "done", reason: "", inputs: 0, failed: 0 }, body);
  await both;
  assert.ok(bodies.every((part) => part.equals(body)));
  client.close();
  await main.closed;
});
