/** The same cases as in `kernel-bridge/python/tests/test_bundle_id.py`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bundleIdOf, type BundleKind } from "./bundle-id.ts";

const cases = JSON.parse(readFileSync(new URL("bundle-id.cases.json", import.meta.url), "utf8")) as (BundleKind & { code: string; id: string })[];

for (const { code, id, ...kind } of cases) {
  test(`${kind.runtime} with ${kind.externals.length} externals and ${code.length} bytes has one name in both languages`, () => {
    assert.equal(bundleIdOf(kind, Buffer.from(code)), id);
  });
}
