/** `docs/containers.md` and the schema beside it are compared with the cluster spec. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { toJsonSchema } from "@valibot/to-json-schema";
import { containersSchema, firestoreSchema, parseClusterSpec } from "@burla/protocol";
import { specSchemaText } from "../support/spec-schema.ts";

const read = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
const page = read("containers.md");

test("the schema for editors is the one of the code", () => {
  assert.equal(read("cluster-spec.schema.json"), specSchemaText(), "run `npm run spec-schema`");
});

test("the example on the page is a valid spec", () => {
  const [, text = ""] = /```json\n(.*?)```/s.exec(page) ?? [];
  assert.equal(parseClusterSpec(JSON.parse(text)).containers.runtime, "docker");
});

test("the table has every part of the spec with its default, and no other", () => {
  const rows = new Map([...page.matchAll(/^\| `([\w.[\]]+)` \| ([^|]*) \|/gm)].map(([, name = "", value = ""]) => [name, value.trim().replaceAll("`", "")]));
  const top = JSON.parse(specSchemaText()) as { properties: Record<string, { default?: unknown }> };
  const expected = Object.keys(top.properties).filter((name) => !["$schema", "containers", "firestore"].includes(name));
  expected.push(...Object.keys(firestoreSchema.entries).map((name) => `firestore.${name}`));
  const containers = toJsonSchema(containersSchema, { typeMode: "input" }) as unknown as { properties: Record<string, { default?: unknown; items?: { properties: object } }> };
  for (const [name, { default: value, items }] of Object.entries(containers.properties)) {
    expected.push(`containers.${name}`, ...Object.keys(items?.properties ?? {}).map((part) => `containers.${name}[].${part}`));
    if (typeof value !== "object") assert.equal(rows.get(`containers.${name}`), String(value));
  }
  assert.deepEqual([...rows.keys()].sort(), expected.sort());
});
