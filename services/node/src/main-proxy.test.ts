import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { BurlaError, openStream, ROUTES, socketUrl } from "@burla/protocol";
import { MainProxy } from "./main-proxy.ts";

let home: string;
let main: Server;
let proxy: MainProxy;
let asked: (string | undefined)[];
let socket: string;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "burla-test-"));
  socket = join(home, "sockets", "main.sock");
  mkdirSync(dirname(socket), { mode: 0o700 });
  asked = [];
  main = createServer((incoming, response) => {
    asked.push(incoming.headers.authorization);
    response.end("main");
  });
  main.on("upgrade", (incoming, stream) => {
    asked.push(incoming.headers.authorization);
    stream.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: burla\r\n\r\nhello");
  });
  await new Promise<void>((resolve) => void main.listen(socket, resolve));
  proxy = new MainProxy({ path: join(home, "job", "main.sock"), main: () => ({ url: "http://127.0.0.1:1", certificate: null, socket }), isToken: (token) => token === "job" });
  await proxy.listen();
});

afterEach(() => {
  proxy.close();
  main.close();
  rmSync(home, { recursive: true, force: true });
});

function post(): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const path = ROUTES.jobChannel.replace(":jobId", "job-1");
    const dialled = request({ socketPath: join(home, "job", "main.sock"), path, method: "POST", headers: { authorization: "Bearer job" }, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    dialled.on("error", reject);
    dialled.end();
  });
}

const upgrade = () => openStream({ url: socketUrl(join(home, "job", "main.sock")), token: "job", role: "client", timeoutMs: 5_000 });

test("what functions in containers say goes to main's socket", async () => {
  const stream = await upgrade();
  assert.equal(String((await stream.toArray())[0]), "hello");
  assert.equal(await post(), 200);
  assert.deepEqual(asked, ["Bearer job", "Bearer job"]);
});

test("a socket that is not this user's alone, or is gone, is told nothing: the function is refused, and the node goes on", async () => {
  chmodSync(dirname(socket), 0o777);
  for (let round = 0; round < 2; round++) {
    assert.equal(await post(), 502);
    await assert.rejects(upgrade(), (error) => error instanceof BurlaError && error.code === "BURLA_UNREACHABLE");
    rmSync(dirname(socket), { recursive: true, force: true });
  }
  assert.deepEqual(asked, []);
});

test("whoever dials and does not say what for is hung up on, however slowly it speaks", async () => {
  const path = join(home, "job", "main.sock");
  const sockets = ["", "G", "POST /v1/x HTTP/1.1\r\nHost: x\r\nX-Slow: "].map((start) => connect(path, function (this: Socket) { this.write(start); }).on("error", () => undefined).resume());
  const drip = setInterval(() => sockets[2]?.write("x"), 200);
  await Promise.all(sockets.map((socket) => once(socket, "close")));
  clearInterval(drip);
});
