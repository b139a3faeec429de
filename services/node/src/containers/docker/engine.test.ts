/** An engine that dies at bad moments, played by a server of this file. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import type Docker from "dockerode";
import { createServer, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { waitForExit } from "./wait.ts";
import EngineClient from "./dockerode.ts";
import { Engine, engineMessage, reach, refusal, statusOf } from "./engine.ts";

const directory = mkdtempSync(join(tmpdir(), "burla-engine-test-"));
let servers = 0;
let server: Server;
let answer: (path: string, response: ServerResponse) => void;
let client: EngineClient;
beforeEach(async () => {
  // Connections that are kept belong to the server of another test.
  const socketPath = join(directory, `s${++servers}`);
  server = createServer((request, response) => answer(request.url ?? "", response));
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  client = new EngineClient({ socketPath });
});
afterEach(() => {
  server.closeAllConnections();
  return new Promise<void>((resolve) => server.close(() => resolve()));
});
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));

const info = (docker: Docker) => docker.info() as Promise<unknown>;
/** Looks and answers quickly, so that a test does not take long. */
const QUICK = { patienceMs: 100, pingMs: 100, beatMs: 20 };

/** Half of an answer, and then nothing. */
function cut(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json", "content-length": 100 });
  response.write('{"NCPU": 2', () => response.destroy());
}

test("an answer that is cut is an error, and the request is made again", async () => {
  let asked = 0;
  answer = (path, response) => {
    if (path.endsWith("/_ping")) return void response.end("OK");
    if (++asked === 1) return cut(response);
    response.end('{"NCPU": 3}');
  };
  await assert.rejects(client.info(), { code: "ECONNRESET" });
  asked = 0;
  let losses = 0;
  const told = await new Engine(client).request(info, () => void losses++);
  assert.deepEqual([told, asked, losses], [{ NCPU: 3 }, 2, 1]);
});

test("a wait that is cut before the end of the container is told is one of a lost engine", async () => {
  const asked = new Promise<void>((resolve) => {
    answer = (_path, response) => {
      response.writeHead(200).flushHeaders();
      resolve();
    };
  });
  const waiting = assert.rejects(waitForExit(client, "c"), (error: NodeJS.ErrnoException) => /^(ECONNRESET|EPIPE)$/.test(error.code ?? ""));
  await asked;
  await new Promise((resolve) => setTimeout(resolve, 20));
  server.closeAllConnections();
  await waiting;
});

test("what the engine refuses has its status and its words", async () => {
  answer = (_path, response) => void response.writeHead(404, { "content-type": "application/json" }).end('{"message": "No such image: x"}');
  await assert.rejects(client.getImage("x").inspect(), (error) => statusOf(error) === 404 && engineMessage(error) === "No such image: x");
});

test("one that takes requests and answers none is given up as one that is not there", async () => {
  answer = (_path, response) => void response.destroy();
  await assert.rejects(new Engine(client, { patienceMs: 100 }).request(info), /no Docker Engine answers/);
});

test("one that stands still is given up as one that is not there", async () => {
  answer = () => undefined;
  await assert.rejects(new Engine(client, QUICK).request(info), /no Docker Engine answers: it stands still/);
  await assert.rejects(reach(client, QUICK.pingMs), /no Docker Engine answers: it has not answered within 100 ms/);
});

test("one that stands still and goes on is asked again", async () => {
  let isStill = true, pings = 0;
  answer = (path, response) => {
    if (path.endsWith("/_ping") && ++pings > 3) isStill = false;
    if (!isStill) response.end(path.endsWith("/_ping") ? "OK" : '{"NCPU": 3}');
  };
  const changes: boolean[] = [];
  const engine: Engine = new Engine(client, { ...QUICK, patienceMs: 10_000, onChange: () => void changes.push(engine.isLost) });
  assert.deepEqual(await engine.request(info), { NCPU: 3 });
  assert.deepEqual(changes, [true, false]);
});

test("what takes long is waited for while the engine answers at all", async () => {
  let pings = 0;
  let late: ServerResponse | undefined;
  answer = (path, response) => {
    if (!path.endsWith("/_ping")) return void (late = response);
    response.end("OK");
    if (++pings === 4) late?.end('{"NCPU": 3}');
  };
  let losses = 0;
  assert.deepEqual(await new Engine(client, { ...QUICK, pingMs: 10_000 }).request(info, () => void losses++), { NCPU: 3 });
  assert.deepEqual([losses, pings], [0, 4]);
});

test("one that misses a single beat is not lost", async () => {
  let pings = 0;
  let late: ServerResponse | undefined;
  answer = (path, response) => {
    if (!path.endsWith("/_ping")) return void (late = response);
    if (++pings !== 2) response.end("OK");
    if (pings === 3) late?.end('{"NCPU": 3}');
  };
  let losses = 0;
  await new Engine(client, { ...QUICK, pingMs: 1_000 }).request(info, () => void losses++);
  assert.equal(losses, 0);
});

test("an engine without room is said so, with what helps", async () => {
  answer = (_path, response) => void response.writeHead(500, { "content-type": "application/json" }).end('{"message": "write /x: no space left on device"}');
  const failure = await client.info().catch((error: unknown) => refusal(error));
  assert.match(String(failure), /the disk of the Docker Engine is full\n.*docker system prune/);
});
