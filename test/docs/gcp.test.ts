/** `docs/gcp.md` and the roles beside it are compared with the code. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { clusterSpecSchema, gceSchema, parseClusterSpec } from "@burla/protocol";
import { USER_PERMISSIONS } from "../../client/src/gce/checks.ts";

const read = (path: string) => readFileSync(new URL(`../../docs/${path}`, import.meta.url), "utf8");
const page = read("gcp.md");

test("the role of who starts clusters has what burla up asks for, and no more", () => {
  const { includedPermissions } = JSON.parse(read("gcp/burla-user.json")) as { includedPermissions: string[] };
  assert.deepEqual(includedPermissions, [...USER_PERMISSIONS]);
});

test("the example of a spec is one", () => {
  const [, example = ""] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const spec = parseClusterSpec(JSON.parse(example));
  assert.equal(spec.provider, "gce");
  assert.deepEqual(spec.groups.map(({ cpu }) => cpu), [4, 4]);
});

test("the page names every part that only such a spec has", () => {
  for (const name of Object.keys(gceSchema.entries)) assert.ok(page.includes(`\`gce.${name}\``), `gce.${name}`);
  for (const name of ["budgetPerHour", "endsAt", "grow"]) assert.ok(name in clusterSpecSchema.entries && page.includes(`\`${name}\``), name);
});
