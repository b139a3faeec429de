import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lockedVersion, lockFileOf } from "./lock-files.ts";
import { Packages } from "./packages.ts";

/** A project with that lock file, in which `name` is installed in `version`. */
function project(lock: Record<string, string>, name: string, version: string, nested = ""): string {
  const root = mkdtempSync(join(tmpdir(), "burla-lock-"));
  const directory = join(root, nested, "node_modules", name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), JSON.stringify({ name, version }));
  for (const [file, text] of Object.entries(lock)) writeFileSync(join(root, file), text);
  return directory;
}

const npm = (packages: object) => JSON.stringify({ lockfileVersion: 3, packages });
const cases: [string, Record<string, string>, string, string, string][] = [
  ["npm", { "package-lock.json": npm({ "node_modules/sharp": { version: "0.33.5" } }) }, "sharp", "0.33.9", "0.33.5"],
  ["npm with a scope", { "package-lock.json": npm({ "node_modules/@a/b": { version: "2.0.0" } }) }, "@a/b", "1.0.0", "2.0.0"],
  ["npm's first lock file", { "package-lock.json": JSON.stringify({ dependencies: { sharp: { version: "0.30.0" } } }) }, "sharp", "0.33.9", "0.30.0"],
  ["a shrinkwrap before a lock file", { "package-lock.json": npm({ "node_modules/x": { version: "2.0.0" } }), "npm-shrinkwrap.json": npm({ "node_modules/x": { version: "3.0.0" } }) }, "x", "1.0.0", "3.0.0"],
  ["yarn 1", { "yarn.lock": '# yarn lockfile v1\n\n\nother@^1.0.0:\n  version "9.9.9"\n\nsharp@^0.33.0, sharp@^0.33.2:\n  version "0.33.5"\n  resolved "x"\n' }, "sharp", "0.33.9", "0.33.5"],
  ["yarn 1 with a scope", { "yarn.lock": '"@a/b@^1.0.0", "@a/b@^1.1.0":\n  version "1.2.3"\n' }, "@a/b", "1.0.0", "1.2.3"],
  ["yarn of today", { "yarn.lock": '"sharp@npm:^0.33.0":\n  version: 0.33.5\n  resolution: "sharp@npm:0.33.5"\n' }, "sharp", "0.33.9", "0.33.5"],
  ["pnpm", { "pnpm-lock.yaml": "lockfileVersion: '9.0'\n\npackages:\n\n  sharp@0.33.5:\n    resolution: {integrity: x}\n" }, "sharp", "0.33.9", "0.33.5"],
  ["pnpm with a scope and peers", { "pnpm-lock.yaml": "packages:\n\n  '@a/b@1.2.3(react@18.0.0)':\n    resolution: {integrity: x}\n" }, "@a/b", "1.0.0", "1.2.3"],
  ["older pnpm", { "pnpm-lock.yaml": "packages:\n\n  /sharp/0.30.1:\n    resolution: {integrity: x}\n" }, "sharp", "0.33.9", "0.30.1"],
  ["bun", { "bun.lock": '{ "packages": { "sharp": ["sharp@0.33.5", "", {}, "sha512-x"], } }' }, "sharp", "0.33.9", "0.33.5"],
  ["of several versions the installed one", { "yarn.lock": 'x@^1.0.0:\n  version "1.0.1"\n\nx@^2.0.0:\n  version "2.0.1"\n' }, "x", "2.0.1", "2.0.1"],
  ["installed, where several are locked and it is none of them", { "yarn.lock": 'x@^1.0.0:\n  version "1.0.1"\n\nx@^2.0.0:\n  version "2.0.1"\n' }, "x", "3.0.0", "3.0.0"],
  ["installed, where the file does not have the package", { "package-lock.json": npm({}) }, "x", "3.0.0", "3.0.0"],
  ["installed, where the file is damaged", { "package-lock.json": "{" }, "x", "3.0.0", "3.0.0"],
  ["installed, without a lock file", {}, "x", "3.0.0", "3.0.0"],
];
for (const [title, lock, name, installed, expected] of cases) {
  test(`the version of an external package: ${title}`, () => {
    assert.equal(new Packages().describe(project(lock, name, installed)).version, expected);
  });
}

test("a package inside another, or in a workspace, has the version of its own place", () => {
  const lock = { "package-lock.json": npm({ "node_modules/x": { version: "1.0.0" }, "apps/web/node_modules/x": { version: "2.0.0" } }) };
  const directory = project(lock, "x", "9.0.0", "apps/web");
  assert.equal(new Packages().describe(directory).version, "2.0.0");
  const inner = project({ "package-lock.json": npm({ "node_modules/y/node_modules/x": { version: "4.0.0" } }) }, "x", "9.0.0", "node_modules/y");
  assert.equal(new Packages().describe(inner).version, "4.0.0");
});

test("a name that begins like another is another package", () => {
  const directory = project({ "yarn.lock": 'x-y@^1.0.0:\n  version "7.0.0"\n' }, "x", "1.0.0");
  assert.equal(lockedVersion(lockFileOf(directory) ?? "", directory, "x", "1.0.0"), undefined);
});
