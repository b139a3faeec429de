import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { makeSocketsFolder, removeSocketsFolder, socketsFolder } from "./sockets-folder.ts";

test("sockets are in the node's folder while their path is short enough for the system", () => {
  const at = (chars: number) => `/${"x".repeat(chars - 1)}`;
  const longest = 103 - "/sockets/workers.sock".length;
  assert.equal(socketsFolder(at(longest)), join(at(longest), "sockets"));
  const short = socketsFolder(at(longest + 1));
  assert.ok(short.startsWith(tmpdir()) && Buffer.byteLength(join(short, "workers.sock")) <= 103, short);
  assert.notEqual(socketsFolder(at(longest + 2)), short);
  assert.notEqual(socketsFolder(`/${"é".repeat(longest / 2)}`), join(`/${"é".repeat(longest / 2)}`, "sockets"), "bytes count, not characters");
});

test("the folder elsewhere is private, and goes with all that is in it", (t) => {
  const node = join(mkdtempSync(join(tmpdir(), "burla-test-")), "x".repeat(100));
  t.after(() => rmSync(dirname(node), { recursive: true }));
  makeSocketsFolder(node);
  const parent = dirname(socketsFolder(node));
  assert.equal(statSync(parent).mode & 0o777, 0o700);
  makeSocketsFolder(node);
  chmodSync(parent, 0o755);
  assert.throws(() => makeSocketsFolder(node), /open to other users/);
  removeSocketsFolder(node);
  assert.equal(existsSync(parent), false);
});
