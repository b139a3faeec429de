import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ownTarget, TARGETS } from "./targets.ts";

test("the lock file pins esbuild's program for every platform, in the version of esbuild itself", () => {
  const { packages } = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as Lock;
  for (const [target, name] of Object.entries(TARGETS)) {
    const entry = packages[`node_modules/${name}`];
    assert.match(entry?.integrity ?? "", /^sha512-/, target);
    assert.equal(entry?.version, packages["node_modules/esbuild"]?.version, target);
  }
});

test("this machine's platform is one of them", () => {
  assert.ok(ownTarget() in TARGETS, ownTarget());
});

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity?: string }>>;
}
