import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../vscode/paths.ts";
import { addonFor, platformOf } from "./addon.ts";
import { TARGETS } from "./targets.ts";

const build = join(root, "node_modules", "zeromq", "build");
const manifest = JSON.parse(readFileSync(join(build, "manifest.json"), "utf8")) as Record<string, string>;

test("every platform but 32-bit ARM has an addon, and the file is there", () => {
  for (const target of Object.keys(TARGETS)) {
    const addon = addonFor(manifest, platformOf(target));
    assert.equal(addon !== null, target !== "linux-armhf", target);
    if (addon !== null) assert.ok(existsSync(join(build, addon.file)), addon.file);
  }
});

test("the build for old systems is taken, else the oldest that a supported Node can load", () => {
  const key = (abi: number, libc = "glibc") => JSON.stringify({ os: "linux", arch: "x64", libc, abi });
  const files = { [key(147)]: "new", [key(115)]: "node20", [key(72)]: "ancient", [key(115, "musl")]: "alpine" };
  assert.equal(addonFor(files, platformOf("linux-x64"))?.file, "node20");
  assert.equal(addonFor({ ...files, [key(127)]: "portable" }, platformOf("linux-x64"))?.file, "portable");
  assert.equal(addonFor(files, platformOf("alpine-x64"))?.file, "alpine");
  assert.equal(addonFor(files, platformOf("darwin-x64")), null);
});
