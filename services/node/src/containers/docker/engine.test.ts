/** An engine that dies at bad moments, played by a server of this file. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { waitForExit } from "./wait.ts";
import EngineClient from "./dockerode.ts";
import { Engine, engineMessage, statusOf } from "./engine.ts";

const directory = mkdtempSync(join(tmpdir(), "burla-engine-test-"));
const socketPath = join(directory, "s");
let server: Server;
let answer: (path: string, response: ServerResponse) => void;
let client: EngineClient;
beforeEach(async () => {
  server = createServer((request, response) => answer(request.url ?? "", response));
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  client = new EngineClient({ socketPath });
});
afterEach(() => {
  server.closeAllConnections();
  return new Promise<void>((resolve) => server.close(() => resolve()));
});
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));

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
  const info = await new Engine(client).request((docker) => docker.info() as Promise<unknown>, () => void losses++);
  assert.deepEqual([info, asked, losses], [{ NCPU: 3 }, 2, 1]);
});

test("a wait that is cut before the end of the container is told is one of a lost engine", async () => {
  answer = (_path, response) => void response.writeHead(200).flushHeaders();
  const waiting = assert.rejects(waitForExit(client, "c"), (error: NodeJS.ErrnoException) => /^(ECONNRESET|EPIPE)$/.test(error.code ?? ""));
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
  await assert.rejects(new Engine(client, () => undefined, 100).request((docker) => docker.info() as Promise<unknown>), /no Docker Engine answers/);
});
