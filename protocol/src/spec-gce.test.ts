import assert from "node:assert/strict";
import { test } from "node:test";
import { BurlaError } from "./errors.ts";
import { parseClusterSpec } from "./spec.ts";

const GROUP = { name: "cpu", count: 2, machineType: "e2-standard-4", zones: ["us-central1-a"] };
const spec = (changes: object = {}) => ({ name: "trial", provider: "gce", groups: [GROUP], ...changes });
const wrong = (json: unknown, pattern: RegExp) => assert.throws(() => parseClusterSpec(json), (error) => error instanceof BurlaError && error.code === "BURLA_SPEC" && pattern.test(error.message));

test("nodes are as large as their machines, less what the system needs", () => {
  const [group] = parseClusterSpec(spec()).groups;
  assert.deepEqual([group?.cpu, group?.ramMiB, group?.spot, group?.diskGiB], [4, 16_384 - 512, "never", 20]);
});

test("a machine type that is not known needs its size", () => {
  const groups = (changes: object) => spec({ groups: [{ ...GROUP, machineType: "z9-mega-4", ...changes }] });
  wrong(groups({}), /z9-mega-4 is not known[\s\S]*`cpu` and `ramMiB`/);
  assert.equal(parseClusterSpec(groups({ cpu: 4, ramMiB: 1000 })).groups[0]?.cpu, 4);
});

test("what cannot be is told with its place", () => {
  wrong(spec({ groups: [{ ...GROUP, zones: [] }] }), /groups: a group of a cluster on Compute Engine needs machineType and zones/);
  wrong(spec({ name: "local" }), /name: a cluster on Compute Engine needs a name of its own/);
  wrong({ groups: [{ name: "n", count: 1 }] }, /groups: a node of the local cluster needs cpu and ramMiB/);
  wrong(spec({ endsAt: "tomorrow" }), /endsAt: must be a time with its zone/);
  wrong(spec({ gce: { clientRanges: ["everywhere"] } }), /gce\.clientRanges/);
  wrong(spec({ budgetPerHour: -1 }), /budgetPerHour/);
  wrong(spec({ groups: [{ ...GROUP, spot: "always" }] }), /spot/);
});

test("a parsed spec is one again", () => {
  const parsed = parseClusterSpec(spec({ endsAt: "2030-01-31T18:00:00Z" }));
  assert.deepEqual(parseClusterSpec(JSON.parse(JSON.stringify(parsed))), parsed);
});
