import assert from "node:assert/strict";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { requestMain } from "./http.ts";
import { checkOwnSocket } from "./own-socket.ts";
import { openStream } from "./upgrade.ts";

let home: string;
let path: string;
let heard: string;
let server: Server;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "burla-test-"));
  path = join(home, "sockets", "main.sock");
  mkdirSync(dirname(path), { mode: 0o700 });
  heard = "";
  server = createServer((socket) => socket.on("error", () => undefined).on("data", (piece) => {
    heard += piece.toString("latin1");
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  }));
  await new Promise<void>((resolve) => void server.listen(path, resolve));
});

afterEach(() => {
  server.close();
  rmSync(home, { recursive: true, force: true });
});

/** Both ways of speaking with main. */
async function dial(): Promise<void> {
  const main = { url: "http://127.0.0.1:1", socket: path, token: "secret" };
  await requestMain({ ...main, path: "/v1/status", method: "GET", signal: AbortSignal.timeout(5_000) });
}

const upgrade = () => openStream({ url: "http://127.0.0.1:1", socket: path, token: "secret", role: "node", timeoutMs: 5_000 });

test("a socket of one's own, in a folder of one's own, is dialled in place of the URL", async () => {
  await dial();
  assert.match(heard, /^GET \/v1\/status HTTP[^]*bearer secret/i);
  await assert.rejects(upgrade(), /answered 200/);
  assert.match(heard, /upgrade: burla/i);
});

const elsewhere = () => join(home, "elsewhere");
const strangers: [string, RegExp, () => void][] = [
  ["a folder that is open to others", /open to others/, () => chmodSync(dirname(path), 0o777)],
  ["a folder that is open to a group", /open to others/, () => chmodSync(dirname(path), 0o770)],
  ["a link to a folder", /is no folder/, () => {
    renameSync(dirname(path), elsewhere());
    symlinkSync(elsewhere(), dirname(path));
  }],
  ["a link to a socket", /is no socket/, () => {
    renameSync(path, elsewhere());
    symlinkSync(elsewhere(), path);
  }],
  ["a file in place of the socket", /is no socket/, () => {
    rmSync(path);
    writeFileSync(path, "");
  }],
  ["a folder that is gone, which anybody may make by now", /is not there/, () => rmSync(dirname(path), { recursive: true })],
  ["a socket that is gone", /is not there/, () => rmSync(path)],
];
for (const [what, reason, change] of strangers) {
  test(`${what} is not dialled: nothing is said`, async () => {
    change();
    await assert.rejects(dial(), (error: Error & { code?: string }) => error.code === "BURLA_UNREACHABLE" && reason.test(error.message));
    await assert.rejects(upgrade(), reason);
    assert.equal(heard, "");
  });
}

test("what belongs to another user is not dialled, be it the socket, its folder, or the folder of that", async (t) => {
  t.mock.method(process as { getuid(): number }, "getuid", () => lstatSync(path).uid + 1);
  await assert.rejects(dial(), /belongs to another user/);
  await assert.rejects(upgrade(), /belongs to another user/);
  assert.equal(heard, "");
});

test("where the system knows no users, no socket is anybody's own", (t) => {
  t.mock.method(process as { getuid(): unknown }, "getuid", () => undefined);
  assert.throws(() => checkOwnSocket(path), /belongs to another user/);
});
