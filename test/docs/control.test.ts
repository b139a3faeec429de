/** `docs/control.md` is compared with what `burla/control` exports. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as control from "../../client/src/control/index.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const page = read("docs/control.md");

test("the page has every function, and no other", () => {
  const told = [...page.matchAll(/^\| `(\w+)\(/gm)].map(([, name]) => name);
  const functions = Object.entries(control).filter(([name, value]) => typeof value === "function" && name !== "BurlaError").map(([name]) => name);
  assert.deepEqual(told.sort(), functions.sort());
});

test("the page has every phase of a state, in the order of the types", () => {
  const told = [...page.matchAll(/^\| `(\w+)` \| [^|]+ \| [^|]+ \|$/gm)].map(([, phase]) => phase).filter((phase) => phase !== "phase");
  const types = read("client/src/control/types.ts");
  const union = types.slice(types.indexOf("export type ClusterState"), types.indexOf("export interface ClusterEntry"));
  assert.deepEqual(told, [...union.matchAll(/readonly phase: "(\w+)"/g)].map(([, phase]) => phase));
});
