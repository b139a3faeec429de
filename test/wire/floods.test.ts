/**
 * Messages that are announced and never end, from everybody who can dial main: what main holds of them is a part of what was
 * sent, whoever has nothing to do with them is served, and who has said nothing of use is hung up on.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { CHANNEL_CONTENT_TYPE, MAX_BUNDLE_BYTES, MAX_UNFINISHED_BYTES_OF_OTHERS, MAX_UNFINISHED_BYTES_OF_PERSON, MAX_WATCHERS_OF_OTHERS, MAX_WATCHERS_OF_PERSON, newJobId, openStream } from "@burla/protocol";
import { remoteParallelMap } from "../../client/src/index.ts";
import { startMain, type MainProcess } from "./main-process.ts";
import { frame, HELLO } from "./peers.ts";

const MIB = 1 << 20;
const CONNECTIONS = 8;
const SENT_BYTES = 240 * MIB;
/** One byte less than was announced: the message never ends. */
const ANNOUNCED = SENT_BYTES + 1;
const PIECE = Buffer.alloc(MIB, 7);
/** Time in which main, which takes no more from some, would have taken all. */
const STILL_MS = 2_000;
/** What is held comes in pieces with room to spare, and what was held is not given back to the system at once. */
const SLACK = 1.4;

let main: MainProcess;
let idleBytes: number;
/** What a flood leaves behind until memory is needed is not held against the next one. */
beforeEach(async () => {
  main = await startMain(1);
  process.env["BURLA_HOME"] = main.directory;
  await ownerIsServed();
  idleBytes = residentBytes();
});
afterEach(() => main.stop());

function residentBytes(): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${main.child.pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

async function ownerIsServed(): Promise<void> {
  const { url, token } = main.file;
  assert.deepEqual(await remoteParallelMap((x: number) => x * 2, [1, 2, 3], { cluster: { url, token } }).toArray(), [2, 4, 6]);
}

const authorized = (token: string) => ({ headers: { authorization: `Bearer ${token}`, connection: "close" } });

/** Lets somebody in. @returns the token. */
async function personOf(name: string, role: "user" | "viewer"): Promise<string> {
  const answer = await fetch(new URL("/v1/people", main.file.url), { ...authorized(main.file.token), method: "POST", body: JSON.stringify({ name, role }) });
  return ((await answer.json()) as { token: string }).token;
}

/** The beginning of a frame, of which `SENT_BYTES` follow: as a message, or before a hello. */
function* unfinished(saysHello: boolean): Generator<Buffer> {
  if (saysHello) yield frame(HELLO);
  const whole = frame({ type: "inputs", jobId: newJobId(), chunkId: 0, first: 0, count: 1 });
  whole.writeUInt32LE(whole.readUInt32LE(0) + ANNOUNCED, 0);
  yield whole;
  for (let sent = 0; sent < SENT_BYTES; sent += PIECE.byteLength) yield PIECE;
}

/** Sends as fast as main takes it, until all is sent, or it is closed. @returns how many bytes main has taken. */
async function pour(stream: Duplex, pieces: Iterable<Buffer>): Promise<number> {
  let taken = 0;
  const closed = new Promise<void>((resolve) => stream.once("close", resolve));
  stream.on("error", () => undefined).resume();
  for (const piece of pieces) {
    if (stream.destroyed) break;
    const left = new Promise<void>((resolve) => stream.write(piece, () => resolve()));
    await Promise.race([left, closed]);
    if (!stream.destroyed) taken += piece.byteLength;
  }
  return taken;
}

const framed = (token: string, role: "client" | "node" = "client") => openStream({ url: main.file.url, token, role, timeoutMs: 30_000 });

/** The body of a request that never ends. */
function requestOf(method: string, path: string, token: string, contentType: string, length: string): Duplex {
  const socket = connect(Number(new URL(main.file.url).port), "127.0.0.1");
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: main\r\nAuthorization: Bearer ${token}\r\nContent-Type: ${contentType}\r\n${length}\r\n\r\n`);
  return socket;
}

/** Who sends what, and how much main may hold of it. */
interface Flood {
  readonly what: string;
  readonly connections: number;
  readonly boundBytes: number;
  dial(people: Tokens, at: number): Promise<Duplex> | Duplex;
  pieces(): Iterable<Buffer>;
}

function* bodies(bytes: number): Generator<Buffer> {
  for (let sent = 0; sent < bytes; sent += PIECE.byteLength) yield PIECE;
}
function bytesOf(pieces: Iterable<Buffer>): number {
  let bytes = 0;
  for (const { byteLength } of pieces) bytes += byteLength;
  return bytes;
}
/** As chunks of an HTTP body that are never the last. */
function* chunked(pieces: Iterable<Buffer>): Generator<Buffer> {
  for (const piece of pieces) yield Buffer.concat([Buffer.from(`${piece.byteLength.toString(16)}\r\n`), piece, Buffer.from("\r\n")]);
}
const channelOf = (token: string) => requestOf("POST", `/v1/jobs/${newJobId()}/channel`, token, CHANNEL_CONTENT_TYPE, "Transfer-Encoding: chunked");
const BLOB = `/v1/blobs/${"0".repeat(64)}`;
/** Of those whose messages main does not keep. */
const LITTLE_BYTES = 128 * MIB;

/** A token of each of them. */
type Tokens = readonly string[];
const ann = ([token = ""]: Tokens) => token;

const one = { connections: CONNECTIONS, boundBytes: MAX_UNFINISHED_BYTES_OF_PERSON, pieces: () => unfinished(true) };
const none = { ...one, boundBytes: LITTLE_BYTES };
const floods: Flood[] = [
  { ...one, what: "messages of one person", dial: (people) => framed(ann(people)) },
  { ...one, what: "messages of several people", connections: 3 * CONNECTIONS, boundBytes: MAX_UNFINISHED_BYTES_OF_OTHERS, dial: (people, at) => framed(people[at % people.length] ?? "") },
  { ...one, what: "messages of one person over HTTP", dial: (people) => channelOf(ann(people)), pieces: () => chunked(unfinished(true)) },
  { ...one, what: "bodies of one person", connections: 30, dial: (people) => requestOf("PUT", BLOB, ann(people), "application/octet-stream", `Content-Length: ${MAX_BUNDLE_BYTES}`), pieces: () => bodies(MAX_BUNDLE_BYTES - MIB) },
  { ...one, what: "bodies of one person that do not say how long they are", connections: 30, dial: (people) => requestOf("PUT", BLOB, ann(people), "application/octet-stream", "Transfer-Encoding: chunked"), pieces: () => chunked(bodies(MAX_BUNDLE_BYTES - MIB)) },
  { ...one, what: "messages of a program of the owner", dial: () => framed(main.file.token) },
  { ...none, what: "messages before a hello", dial: (people) => framed(ann(people)), pieces: () => unfinished(false) },
  { ...none, what: "messages of a node before a hello", dial: () => framed(main.file.nodeToken, "node"), pieces: () => unfinished(false) },
  { ...none, what: "messages of somebody unknown", dial: () => channelOf("nobody"), pieces: () => chunked(unfinished(true)) },
  { ...none, what: "bodies of somebody unknown", dial: () => requestOf("PUT", BLOB, "nobody", "application/octet-stream", `Content-Length: ${ANNOUNCED}`), pieces: () => bodies(SENT_BYTES) },
];

for (const flood of floods) {
  test(`${flood.what} that do not end: main holds a part of them, and serves others meanwhile`, async (t) => {
    const people = await Promise.all(["ann", "bob", "cid"].map((name) => personOf(name, "user")));
    const streams = await Promise.all(Array.from({ length: flood.connections }, async (_, at) => flood.dial(people, at)));
    let peakBytes = 0;
    const looking = setInterval(() => (peakBytes = Math.max(peakBytes, residentBytes())), 20);
    const pouring = Promise.all(streams.map((stream) => pour(stream, flood.pieces())));
    await ownerIsServed();
    const taken = await Promise.race([pouring, pause(STILL_MS).then(() => null)]);
    await ownerIsServed();
    clearInterval(looking);
    const growthBytes = peakBytes - idleBytes;
    t.diagnostic(`grew by ${Math.round(growthBytes / MIB)} MiB; taken ${String(taken?.map((n) => Math.round(n / MIB)))}`);
    assert.ok(growthBytes < SLACK * flood.boundBytes, `main grew by ${Math.round(growthBytes / MIB)} MiB`);
    assert.ok(2 * growthBytes < flood.connections * bytesOf(flood.pieces()), "that is most of what was sent");
    for (const stream of streams) stream.destroy();
    await ownerIsServed();
  });
}

test("connections that are opened and left half-way are closed, whoever they are; one that has said hello stays", async () => {
  const user = await personOf("ann", "user");
  const port = Number(new URL(main.file.url).port);
  const said = await framed(user);
  said.on("error", () => undefined).resume();
  said.write(frame(HELLO));
  const starts = ["", "G", "GET /v1/status HTTP/1.1\r\nHost: main\r\n", `GET /v1/connect HTTP/1.1\r\nAuthorization: Bearer ${user}\r\nX-Slow: `];
  const halfOpen: Duplex[] = [
    ...starts.map((start) => connect(port, "127.0.0.1", function (this: Duplex) { this.write(start); })),
    ...(await Promise.all([framed(user), framed(main.file.token), framed(main.file.nodeToken, "node")])),
    channelOf(user),
  ];
  const begun = await framed(user);
  begun.write(frame(HELLO).subarray(0, 10));
  halfOpen.push(begun);
  await Promise.all(halfOpen.map((stream) => new Promise((resolve) => void stream.on("error", () => undefined).once("close", resolve).resume())));
  assert.ok(!said.destroyed, "it was closed too");
  said.destroy();
  await ownerIsServed();
});

test("viewers that hold every place to watch take none of the owner's", async () => {
  const open: AbortController[] = [];
  const watch = async (token: string) => {
    const abort = new AbortController();
    open.push(abort);
    return (await fetch(new URL("/v1/watch", main.file.url), { ...authorized(token), signal: abort.signal })).status;
  };
  const statuses: number[] = [];
  for (const name of ["ann", "bob", "cid", "dan", "eve"]) {
    const token = await personOf(name, "viewer");
    for (let at = 0; at <= MAX_WATCHERS_OF_PERSON; at++) statuses.push(await watch(token));
  }
  assert.equal(statuses.filter((status) => status === 200).length, MAX_WATCHERS_OF_OTHERS);
  assert.equal(await watch(main.file.token), 200);
  await ownerIsServed();
  for (const abort of open) abort.abort();
});
