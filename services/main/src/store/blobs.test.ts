import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import fc from "fast-check";
import { bundleIdOf, newToken } from "@burla/protocol";
import { specOf } from "../testing.ts";
import { BlobStore } from "./blobs.ts";
import { Bundles } from "./bundles.ts";

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

test("for any content and any other, nothing is kept under the name of the other", () => {
  const blobs = new BlobStore(join(directory, "b"));
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      const name = createHash("sha256").update(one).digest("hex");
      if (Buffer.from(one).equals(other)) return;
      assert.throws(() => blobs.put(name, other), { code: "BURLA_PROTOCOL" });
      assert.equal(blobs.find(name), null);
      blobs.put(name, one);
      assert.throws(() => blobs.put(name, other), { code: "BURLA_PROTOCOL" }, "nor when it is there");
      assert.deepEqual(Buffer.from(blobs.get(name)), Buffer.from(one));
      rmSync(join(directory, "b", name));
    }),
  );
  assert.deepEqual(readdirSync(join(directory, "b")).filter((name) => !/^[0-9a-f]{64}$/.test(name)), []);
});

test("a blob that was damaged on the disk is none, and may be sent again", () => {
  const blobs = new BlobStore(join(directory, "b"));
  const content = Buffer.from("some content");
  const hash = blobs.add(content);
  const path = join(directory, "b", hash);
  for (const damaged of ["", "some", "some content and more", "SOME CONTENT"]) {
    writeFileSync(path, damaged);
    assert.equal(blobs.has(hash), false, `${damaged} passes for the content`);
    assert.throws(() => blobs.get(hash), { code: "BURLA_PROTOCOL" });
    writeFileSync(path, damaged);
    blobs.put(hash, content);
    assert.deepEqual(Buffer.from(blobs.get(hash)), content);
  }
});

test("a part of a blob that was left by a main that died is no blob, and is in nobody's way", () => {
  const content = Buffer.from("whole");
  const hash = createHash("sha256").update(content).digest("hex");
  const blobs = new BlobStore(directory);
  writeFileSync(join(directory, `${hash}.${process.pid}`), "who");
  assert.equal(blobs.has(hash), false);
  blobs.put(hash, content);
  assert.deepEqual(readdirSync(directory), [hash]);
});

test("nobody puts other code, or other packages, under the name of a bundle, whoever is first", () => {
  const bundles = new Bundles(new BlobStore(join(directory, "b")));
  const external = { name: "sharp", version: "1.0.0", directory: "/home/ann/node_modules/sharp", needs: ["color@4.0.0"] };
  const good = Buffer.from("export default 'good'");
  const bad = Buffer.from("export default 'bad'");
  for (const externals of [[], [external], [external, { ...external, name: "canvas" }]]) {
    const ann = specOf(good, { bundle: { id: specOf(good).bundle.id, externals } });
    assert.throws(() => bundles.put(ann, bad), { code: "BURLA_PROTOCOL" });
    const others = [
      { ...ann, runtime: "python" as const }, { ...ann, bundle: { ...ann.bundle, externals: [...externals, { ...external, name: "more" }] } },
      ...externals.flatMap((one, at) => [
        { version: "1.0.1" }, { name: "sharp2" }, { directory: "/home/mallory/sharp" }, { needs: [] }, { needs: ["color@4.0.0", "x@1.0.0"] }, { needs: ["evil@4.0.0"] },
      ].map((change) => ({ ...ann, bundle: { ...ann.bundle, externals: externals.with(at, { ...one, ...change }) } }))),
    ];
    for (const other of others) assert.throws(() => bundles.put(other, good), { code: "BURLA_PROTOCOL" });
    assert.equal(bundles.find(ann), null);
    bundles.put(ann, good);
    assert.equal(Buffer.from(bundles.find(ann) ?? []).toString(), good.toString());
    for (const other of others) assert.throws(() => bundles.find(other), { code: "BURLA_PROTOCOL" }, "nor takes it with them");
  }
});

test("the same name comes from the same code only: nothing moves between the code and what is beside it", () => {
  const named = (name: string, version: string) => ({ name, version, directory: "", needs: [] });
  const names = new Set([
    bundleIdOf({ runtime: "node", externals: [] }, Buffer.from("xa@1")), bundleIdOf({ runtime: "node", externals: [named("a", "1")] }, Buffer.from("x")),
    bundleIdOf({ runtime: "node", externals: [named("a@1", "")] }, Buffer.from("x")), bundleIdOf({ runtime: "node", externals: [named("", "a1")] }, Buffer.from("x")),
    bundleIdOf({ runtime: "node", externals: [named("a", "1"), named("b", "2")] }, Buffer.from("")), bundleIdOf({ runtime: "node", externals: [named("b", "2"), named("a", "1")] }, Buffer.from("")),
    createHash("sha256").update(newToken()).digest("hex"),
  ]);
  assert.equal(names.size, 7);
});
