import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { BundleId } from "@burla/protocol";
import { BundleStore } from "./bundles.ts";
import type { PackageLink } from "./packages/job-packages.ts";

const ID = "a".repeat(64) as BundleId;
let directory: string;
let store: BundleStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "burla-bundles-"));
  store = new BundleStore({ directory: join(directory, "bundles"), jobFolder: null });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function packageAt(name: string, value: string): string {
  const folder = join(directory, "user", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, type: "module", exports: "./index.js" }));
  writeFileSync(join(folder, "index.js"), `export default ${value};`);
  return folder;
}

async function pathIn(of: BundleStore, code: Uint8Array | null, packages: readonly PackageLink[]): Promise<string> {
  await of.keep(ID, code);
  return of.path(ID, packages);
}

async function load(path: string): Promise<unknown> {
  return ((await import(pathToFileURL(path).href)) as { default: unknown }).default;
}

test("a bundle finds the client and the packages left outside of it, scoped ones too", async () => {
  const externals = ["burla", "sharp", "@scope/native"].map((name) => ({ name, directory: packageAt(name, JSON.stringify(name)) }));
  const code = Buffer.from("import a from 'burla'; import b from 'sharp'; import c from '@scope/native'; export default [a, b, c];");
  assert.deepEqual(await load(await pathIn(store, code, externals)), ["burla", "sharp", "@scope/native"]);
});

test("asked for many times at once it is written once", async () => {
  const code = Buffer.from("export default 1;");
  const paths = await Promise.all(Array.from({ length: 20 }, (_, at) => pathIn(store, at % 2 === 0 || at > 5 ? code : null, [])));
  assert.equal(new Set(paths).size, 1);
  assert.equal(readFileSync(paths[0] ?? "", "utf8"), "export default 1;");
  assert.deepEqual(readdirSync(join(directory, "bundles", ID)).sort(), ["bundle.mjs", "node_modules"]);
});

test("code that was never sent is an error that names the bundle", async () => {
  await assert.rejects(pathIn(store, null, []), /never sent the bundle a{64}/);
  assert.ok(await pathIn(store, Buffer.from("export default 2;"), []));
});

test("one that could not be written is tried again", async () => {
  writeFileSync(join(directory, "bundles"), "a file in the way");
  const code = Buffer.from("export default 3;");
  await assert.rejects(pathIn(store, code, []));
  rmSync(join(directory, "bundles"));
  assert.equal(await load(await pathIn(store, code, [])), 3);
});

test("after a restart the one on disk is taken", async () => {
  const path = await pathIn(store, Buffer.from("export default 4;"), []);
  const again = new BundleStore({ directory: join(directory, "bundles"), jobFolder: null });
  assert.equal(await pathIn(again, Buffer.from("another text"), []), path);
  assert.equal(await load(path), 4);
  assert.ok(existsSync(path));
});

test("where workers see only the job's folder, it holds the bundle of the job and nothing of the one before", async () => {
  const jobFolder = join(directory, "job");
  mkdirSync(jobFolder);
  const shown = new BundleStore({ directory: join(directory, "bundles"), jobFolder });
  const path = await pathIn(shown, Buffer.from("export default 5;"), []);
  assert.ok(path.startsWith(jobFolder));
  assert.equal(await load(path), 5);
  await shown.clear();
  assert.deepEqual(readdirSync(jobFolder), []);
  assert.equal(await pathIn(shown, null, []), path, "the node still has it");
  const folders = readdirSync(jobFolder);
  assert.deepEqual(folders.map((name) => readdirSync(join(jobFolder, name)).sort()), [["bundle.mjs", "node_modules"]]);
  const other = await pathIn(shown, null, [{ name: "sharp", directory: packageAt("sharp", "1") }]);
  assert.notEqual(other, path, "with other packages it is in another folder");
});
