/** Who is connected: bounds for each and for all, and the end of those who may no longer. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { Hono } from "hono";
import { MAX_CONNECTIONS_OF_PERSON, MAX_UNFINISHED_BYTES_OF_OTHERS, MAX_UNFINISHED_BYTES_OF_PERSON, MAX_WATCHERS, MAX_WATCHERS_OF_OTHERS, MAX_WATCHERS_OF_PERSON, UPGRADE_PROTOCOL, type JobId } from "@burla/protocol";
import { identify, hashOf, type Identity } from "./auth.ts";
import { Guests } from "./guests.ts";
import { serve } from "./server.ts";
import { JOB_ID } from "./testing.ts";
import { Board } from "./watch/board.ts";
import { Changes } from "./watch/changes.ts";

const OWNER: Identity = { role: "owner", person: null };
const ann: Identity = { role: "user", person: "ann#1" };
const bob: Identity = { role: "viewer", person: "bob#2" };
const annsFunction: Identity = { role: "worker", jobId: JOB_ID };
const NOTHING = () => undefined;

function guests(over = new AbortController()): Guests {
  return new Guests({ personOf: (jobId: JobId) => (jobId === JOB_ID ? "ann#1" : null), over: () => over.signal });
}

test("one person has so many connections, and others have theirs all the same", () => {
  const all = guests();
  const visits = Array.from({ length: MAX_CONNECTIONS_OF_PERSON }, () => all.enter(ann, NOTHING));
  assert.ok(visits.every((visit) => visit !== null));
  assert.equal(all.enter(ann, NOTHING), null);
  for (const other of [bob, OWNER, annsFunction, { role: "node" } as const]) assert.ok(all.enter(other, NOTHING) !== null, other.role);
  visits[0]?.leave();
  visits[0]?.leave();
  assert.ok(all.enter(ann, NOTHING) !== null, "who leaves makes room, once");
  assert.equal(all.enter(ann, NOTHING), null);
});

test("unfinished messages are bounded for each person with the jobs of theirs, and the owner has room of one's own", () => {
  const all = guests();
  const [first, second, third, owner] = [all.enter(ann, NOTHING), all.enter(annsFunction, NOTHING), all.enter(bob, NOTHING), all.enter(OWNER, NOTHING)];
  assert.equal(first?.holds(MAX_UNFINISHED_BYTES_OF_PERSON - 10), true);
  assert.equal(second?.holds(11), false, "what a function of ann's sends is ann's");
  assert.equal(third?.holds(MAX_UNFINISHED_BYTES_OF_OTHERS), false);
  assert.equal(owner?.holds(MAX_UNFINISHED_BYTES_OF_PERSON), true);
  assert.equal(owner?.holds(MAX_UNFINISHED_BYTES_OF_PERSON + 1), false);
  first?.holds(0);
  assert.equal(second?.holds(11), true, "a message that is complete makes room");
  second?.leave();
  assert.equal(first?.holds(MAX_UNFINISHED_BYTES_OF_PERSON), true, "and so does one that goes");
});

test("what a person, a node or a job has open ends with its token", () => {
  const over = new AbortController();
  const all = guests(over);
  const ended: string[] = [];
  for (const [name, identity] of [["ann", ann], ["bob", bob], ["owner", OWNER], ["function", annsFunction], ["node", { role: "node", nodeId: "n-1" }]] as [string, Identity][]) all.enter(identity, () => void ended.push(name));
  const left = all.enter(ann, () => void ended.push("left"));
  left?.leave();
  all.end({ role: "viewer", person: "ann#1" });
  assert.deepEqual(ended, ["ann"], "whatever the role was");
  over.abort();
  assert.deepEqual(ended, ["ann", "function"]);
  all.end({ role: "node", nodeId: "n-1" as never });
  assert.deepEqual(ended, ["ann", "function", "node"]);
});

test("nobody holds all places to watch, and the owner always finds one", () => {
  const board = new Board({ status: () => ({ nodes: [], jobs: [] }) as never, cluster: () => ({}) as never, node: NOTHING, job: NOTHING, waiting: () => [] }, new Changes());
  const aborts: AbortController[] = [];
  const watch = (person: string | null) => {
    const abort = new AbortController();
    board.watch(abort.signal, person);
    aborts.push(abort);
  };
  for (let at = 0; at < MAX_WATCHERS_OF_PERSON; at++) watch("ann#1");
  assert.throws(() => watch("ann#1"), { code: "BURLA_TOO_LARGE" });
  for (let at = MAX_WATCHERS_OF_PERSON; at < MAX_WATCHERS_OF_OTHERS; at++) watch(`viewer ${at}`);
  assert.throws(() => watch("one more"), { code: "BURLA_TOO_LARGE" });
  for (let at = MAX_WATCHERS_OF_OTHERS; at < MAX_WATCHERS; at++) watch(null);
  assert.throws(() => watch(null), { code: "BURLA_TOO_LARGE" });
  aborts[0]?.abort();
  watch("ann#1");
  for (const abort of aborts) abort.abort();
  assert.equal(board.watchers, 0);
});

/** A door with ann behind it, and what her requests are answered by: nothing, for as long as she stays. */
async function door() {
  const all = guests();
  let isIn = true;
  const app = new Hono();
  app.get("/v1/endless", (c) => c.body(new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from("\n")) })));
  const { server, url } = await serve({
    app, guests: all, log: { error: NOTHING }, onChannel: NOTHING, onStream: (stream) => void stream.resume(),
    identify: (authorization) => identify(authorization, { owner: null, node: null, jobs: () => [], people: () => (isIn ? [{ role: "user", id: "ann#1", hash: hashOf("ann") }] : []) }),
  }, 0);
  const remove = () => {
    isIn = false;
    all.end(ann);
  };
  return { url, remove, close: () => void server.close().closeAllConnections() };
}

const AUTHORIZATION = { authorization: "Bearer ann" };

test("whoever is let out while connected is out at once: streams, framed connections and channels end, and no other begins", async () => {
  const { url, remove, close } = await door();
  try {
    const stream = request(new URL("/v1/endless", url), { headers: AUTHORIZATION, agent: false });
    stream.on("error", NOTHING).end();
    const [answer] = (await once(stream, "response")) as [IncomingMessage];
    answer.on("error", NOTHING).resume();
    const framed = request(new URL("/v1/connect", url), { headers: { ...AUTHORIZATION, connection: "upgrade", upgrade: UPGRADE_PROTOCOL }, agent: false });
    framed.on("error", NOTHING).end();
    const [, socket] = await once(framed, "upgrade");
    socket.on("error", NOTHING).resume();
    const channel = request(new URL(`/v1/jobs/${JOB_ID}/channel`, url), { method: "POST", headers: AUTHORIZATION, agent: false });
    channel.on("error", NOTHING).flushHeaders();
    const [talk] = (await once(channel, "response")) as [IncomingMessage];
    talk.on("error", NOTHING).resume();
    const gone = Promise.all([answer, socket, talk].map((open: NodeJS.EventEmitter) => new Promise((resolve) => open.once("close", resolve))));
    remove();
    await gone;
    const again = request(new URL("/v1/connect", url), { headers: { ...AUTHORIZATION, connection: "upgrade", upgrade: UPGRADE_PROTOCOL }, agent: false });
    again.on("error", NOTHING).end();
    assert.equal(((await once(again, "response")) as [IncomingMessage])[0].statusCode, 401);
  } finally {
    close();
  }
});

test("a connection that does not say what it is for is closed, however it takes its time", async () => {
  const { url, close } = await door();
  try {
    const { port } = new URL(url);
    const starts = ["", "G", "GET /v1/endless HTTP/1.1\r\nHost: x\r\n", "GET /v1/connect HTTP/1.1\r\nAuthorization: Bearer ann\r\nX-Slow: "];
    const sockets = starts.map((start) => connect(Number(port), "127.0.0.1", function (this: Socket) { this.write(start); }).on("error", NOTHING));
    const drips = sockets.slice(2).map((socket) => setInterval(() => socket.write("x"), 200));
    await Promise.all(sockets.map((socket) => once(socket.resume(), "close")));
    for (const drip of drips) clearInterval(drip);
  } finally {
    close();
  }
});
