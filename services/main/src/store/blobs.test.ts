import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { BlobStore } from "./blobs.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-blobs-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("content is kept under its hash, for its owner only, and nothing else is left", () => {
  const blobs = new BlobStore(join(directory, "b"));
  const content = Buffer.from("code");
  const hash = blobs.add(content);
  assert.equal(hash, createHash("sha256").update(content).digest("hex"));
  assert.ok(blobs.has(hash));
  assert.deepEqual(Buffer.from(blobs.get(hash)), content);
  assert.equal(blobs.add(content), hash);
  assert.deepEqual(readdirSync(join(directory, "b")), [hash]);
  assert.equal(statSync(join(directory, "b", hash)).mode & 0o777, 0o600);
  assert.equal(statSync(join(directory, "b")).mode & 0o777, 0o700);
});

test("a name that is no hash reaches no file", () => {
  const blobs = new BlobStore(join(directory, "b"));
  writeFileSync(join(directory, "secret"), "secret");
  for (const name of ["../secret", "..", ".", "", "a", "A".repeat(64), `${"a".repeat(64)}/../../secret`, `../${"a".repeat(61)}`, `${"a".repeat(63)}\n`, "a\0".repeat(32)]) {
    assert.throws(() => blobs.has(name), { code: "BURLA_PROTOCOL" }, name);
    assert.throws(() => blobs.get(name), { code: "BURLA_PROTOCOL" }, name);
    assert.throws(() => blobs.put(name, Buffer.from("x")), { code: "BURLA_PROTOCOL" }, name);
  }
});

test("a blob that is not there is said so", () => {
  assert.throws(() => new BlobStore(directory).get("0".repeat(64)), { code: "BURLA_PROTOCOL", message: /there is no blob/ });
});
