import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { bundleIdOf, type BundleKind } from "@burla/protocol";
import fc from "fast-check";
import { BundleStore, type AskedBundle } from "./bundles.ts";
import type { PackageLink } from "./packages/job-packages.ts";

const KIND: BundleKind = { runtime: "node", externals: [] };
/** Of code that this node has not. */
const asked = (code: Uint8Array, kind = KIND): AskedBundle => ({ runtime: kind.runtime, bundle: { id: bundleIdOf(kind, code), externals: [...kind.externals] } });
const nobody = () => Promise.reject(new Error("nobody has it any more"));
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

/** @param isSent it comes with the job; else it is here, or is had from nobody. */
async function pathIn(of: BundleStore, code: Uint8Array, packages: readonly PackageLink[], isSent = true): Promise<string> {
  const bundle = asked(code);
  await of.keep(bundle, { code: isSent ? code : null, fetch: nobody });
  return of.path(bundle.bundle.id, packages);
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
  const paths = await Promise.all(Array.from({ length: 20 }, (_, at) => pathIn(store, code, [], at % 2 === 0 || at > 5)));
  assert.equal(new Set(paths).size, 1);
  assert.equal(readFileSync(paths[0] ?? "", "utf8"), "export default 1;");
  assert.deepEqual(readdirSync(join(directory, "bundles", asked(code).bundle.id)).sort(), ["bundle.mjs", "node_modules"]);
});

test("code that is not here is asked for, and where nobody has it that is the error", async () => {
  const code = Buffer.from("export default 2;");
  await assert.rejects(pathIn(store, code, [], false), /nobody has it any more/);
  let asks = 0;
  await store.keep(asked(code), { code: null, fetch: () => Promise.resolve(((asks += 1), code)) });
  assert.equal(await load(await pathIn(store, code, [], false)), 2);
  assert.equal(asks, 1);
});

test("for any code and any other bytes, nothing is kept or run under the name of the other", async () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  const external = fc.record({ name: fc.string({ maxLength: 20 }), version: fc.string({ maxLength: 9 }), directory: fc.string({ maxLength: 20 }), needs: fc.array(fc.string({ maxLength: 9 }), { maxLength: 3 }) });
  const kind = fc.record({ runtime: fc.constantFrom("node" as const, "python" as const), externals: fc.array(external, { maxLength: 3 }) });
  await fc.assert(
    fc.asyncProperty(kind, bytes, kind, bytes, async (kindA, codeA, kindB, codeB) => {
      const isSame = JSON.stringify(kindA) === JSON.stringify(kindB) && Buffer.from(codeA).equals(codeB);
      const name = asked(codeA, kindA).bundle.id;
      assert.equal(name === bundleIdOf(kindB, codeB), isSame);
      const squatted = { runtime: kindB.runtime, bundle: { id: name, externals: kindB.externals } };
      for (const source of [{ code: codeB, fetch: nobody }, { code: null, fetch: () => Promise.resolve(codeB) }]) {
        if (isSame) await store.keep(squatted, source);
        else await assert.rejects(store.keep(squatted, source), { code: "BURLA_LOAD" });
      }
      if (!isSame) assert.equal(existsSync(join(directory, "bundles", name, "bundle.mjs")), false);
    }),
    { numRuns: 200 },
  );
});

test("what was damaged on the disk is had anew, however it was damaged", async () => {
  const code = Buffer.from("export default 'whole';");
  const path = await pathIn(store, code, []);
  const damages = [
    () => writeFileSync(path, ""), () => writeFileSync(path, code.subarray(0, 7)), () => writeFileSync(path, "export default 'other';"),
    () => writeFileSync(path, Buffer.concat([code, code])), () => rmSync(path, { force: true }), () => rmSync(join(directory, "bundles"), { recursive: true, force: true }),
  ];
  for (const damage of damages) {
    damage();
    await assert.rejects(pathIn(store, code, [], false), /nobody has it/);
    damage();
    const again = await pathIn(store, code, [{ name: "sharp", directory: packageAt("sharp", "1") }]);
    assert.equal(readFileSync(again, "utf8"), code.toString());
    assert.ok(existsSync(join(again, "..", "node_modules", "sharp", "index.js")), "its packages are beside it");
  }
});

test("a job whose workers see only its folder is shown the whole code, not the damaged one of a moment ago", async () => {
  const jobFolder = join(directory, "job");
  mkdirSync(jobFolder);
  const shown = new BundleStore({ directory: join(directory, "bundles"), jobFolder });
  const code = Buffer.from("export default 'whole';");
  const path = await pathIn(shown, code, []);
  writeFileSync(path, "");
  assert.equal(readFileSync(await pathIn(shown, code, []), "utf8"), code.toString());
  assert.deepEqual(readdirSync(join(path, "..")).sort(), ["bundle.mjs", "node_modules"]);
});

test("one that could not be written is tried again", async () => {
  writeFileSync(join(directory, "bundles"), "a file in the way");
  const code = Buffer.from("export default 3;");
  await assert.rejects(pathIn(store, code, []));
  rmSync(join(directory, "bundles"));
  assert.equal(await load(await pathIn(store, code, [])), 3);
});

test("after a restart the one on disk is taken", async () => {
  const code = Buffer.from("export default 4;");
  const path = await pathIn(store, code, []);
  const again = new BundleStore({ directory: join(directory, "bundles"), jobFolder: null });
  assert.equal(await pathIn(again, code, [], false), path);
  assert.equal(await load(path), 4);
  assert.ok(existsSync(path));
});

test("where workers see only the job's folder, it holds the bundle of the job and nothing of the one before", async () => {
  const jobFolder = join(directory, "job");
  mkdirSync(jobFolder);
  const shown = new BundleStore({ directory: join(directory, "bundles"), jobFolder });
  const code = Buffer.from("export default 5;");
  const path = await pathIn(shown, code, []);
  assert.ok(path.startsWith(jobFolder));
  assert.equal(await load(path), 5);
  await shown.clear();
  assert.deepEqual(readdirSync(jobFolder), []);
  assert.equal(await pathIn(shown, code, [], false), path, "the node still has it");
  const folders = readdirSync(jobFolder);
  assert.deepEqual(folders.map((name) => readdirSync(join(jobFolder, name)).sort()), [["bundle.mjs", "node_modules"]]);
  const other = await pathIn(shown, code, [{ name: "sharp", directory: packageAt("sharp", "1") }], false);
  assert.notEqual(other, path, "with other packages it is in another folder");
});
