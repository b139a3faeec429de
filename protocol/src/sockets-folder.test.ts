import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
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
  assert.throws(() => makeSocketsFolder(node), /open to others/);
  removeSocketsFolder(node);
  assert.equal(existsSync(parent), false);
});

/** What somebody else may put where the folder would be. */
const squatters: [string, (parent: string, elsewhere: string) => void][] = [
  ["a folder of another user", (parent) => {
    mkdirSync(parent, { mode: 0o700 });
    writeFileSync(join(parent, "precious"), "theirs");
  }],
  ["a link to a folder", (parent, elsewhere) => {
    writeFileSync(join(elsewhere, "precious"), "theirs");
    symlinkSync(elsewhere, parent);
  }],
  ["a link that leads nowhere", (parent, elsewhere) => symlinkSync(join(elsewhere, "nothing"), parent)],
  ["a file", (parent) => writeFileSync(parent, "theirs")],
];
for (const [what, squat] of squatters) {
  test(`${what} under the name of the folder elsewhere is neither used nor removed`, (t) => {
    const elsewhere = mkdtempSync(join(tmpdir(), "burla-test-"));
    const node = join(elsewhere, "y".repeat(100));
    const parent = dirname(socketsFolder(node));
    t.after(() => {
      for (const path of [parent, elsewhere]) rmSync(path, { recursive: true, force: true });
    });
    squat(parent, elsewhere);
    if (what.includes("another user")) t.mock.method(process as { getuid(): number }, "getuid", () => lstatSync(parent).uid + 1);
    assert.throws(() => makeSocketsFolder(node), /remove it/);
    removeSocketsFolder(node);
    assert.ok(lstatSync(parent, { throwIfNoEntry: false }) !== undefined, "it is left alone");
    assert.ok(!existsSync(join(elsewhere, "nothing")), "nothing was made behind the link");
    if (what.includes("link to a folder")) assert.ok(existsSync(join(elsewhere, "precious")));
  });
}

test("in the node's own folder, what has the name of the sockets' and is none is not used", (t) => {
  const node = mkdtempSync(join(tmpdir(), "burla-test-"));
  const elsewhere = mkdtempSync(join(tmpdir(), "burla-test-"));
  t.after(() => {
    for (const path of [node, elsewhere]) rmSync(path, { recursive: true, force: true });
  });
  writeFileSync(join(elsewhere, "precious"), "theirs");
  symlinkSync(elsewhere, socketsFolder(node));
  assert.throws(() => makeSocketsFolder(node), /is no folder/);
  removeSocketsFolder(node);
  assert.ok(existsSync(join(elsewhere, "precious")));
  makeSocketsFolder(node);
  removeSocketsFolder(node);
});
