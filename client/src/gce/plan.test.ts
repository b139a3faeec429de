import assert from "node:assert/strict";
import { test } from "node:test";
import { parseClusterSpec } from "@burla/protocol";
import { mainPrice, mainZones, priceLines, priceText, totalPerHour } from "./plan.ts";
import { estimateOf } from "./up.ts";

const spec = parseClusterSpec({
  name: "trial", provider: "gce",
  groups: [
    { name: "a", count: 3, machineType: "e2-standard-4", zones: ["us-central1-a", "us-central1-b"] },
    { name: "b", count: 2, machineType: "n2-standard-8", zones: ["europe-west4-a"], spot: "preferred" },
    { name: "own", count: 1, machineType: "z9-mega-4", cpu: 4, ramMiB: 1000, zones: ["us-central1-a"] },
  ],
});

test("the price has a line for each group, and says what it does not know", () => {
  const lines = priceLines(spec);
  assert.deepEqual(lines.map(({ perHour }) => perHour === null), [false, false, false, true]);
  assert.ok(Math.abs(totalPerHour(lines) - lines[0]!.perHour! - lines[1]!.perHour! - lines[2]!.perHour!) < 1e-9);
  assert.match(priceText(estimateOf(spec)), /1 × z9-mega-4, us-central1 \(own\)\s+unknown\nAbout \$\d.* per hour, \$\d.*, and what the list does not know, by a list of/);
});

test("each VM has its external address in its price; what Firestore costs is not known, and is not free", () => {
  const small = parseClusterSpec({ name: "trial", provider: "gce", queue: "firestore", gce: { main: { machineType: "e2-medium", diskGiB: 10 } }, groups: [{ name: "a", count: 3, machineType: "e2-small", zones: ["us-central1-a"], diskGiB: 10, diskType: "pd-standard" }] });
  const near = (price: number | null | undefined, wanted: number) => assert.ok(Math.abs((price ?? NaN) - wanted) < 1e-9, `${price} is not ${wanted}`);
  const [main, group, firestore] = priceLines(small);
  near(main?.perHour, 0.0335 + 10 * 0.000137 + 0.005);
  near(group?.perHour, 3 * (0.0168 + 10 * 0.000055 + 0.005));
  near(mainPrice(small), main!.perHour!);
  assert.equal(firestore?.perHour, null);
  assert.match(priceText(estimateOf(small)), /Firestore, by reads, writes and storage\s+unknown\nAbout \$0\.\d+ per hour, and what the list does not know/);
});

test("where a group may be, and the full price if there are no spot VMs", () => {
  const lines = priceLines(spec);
  assert.equal(lines[2]?.what, "2 × n2-standard-8 spot if there is any, europe-west4 (b)");
  assert.deepEqual(lines.map(({ perHour, maxPerHour }) => (maxPerHour ?? 0) > (perHour ?? 0)), [false, false, true, false]);
  assert.match(priceText(estimateOf(spec)), /About \$0\.\d+ per hour, \$1\.\d+ if there are no spot VMs, and what/);
  const full = parseClusterSpec({ ...spec, groups: spec.groups.slice(0, 1) });
  assert.doesNotMatch(priceText(estimateOf(full)), /spot/);
});

test("main is in the first zone that has room, the named one first", () => {
  assert.deepEqual(mainZones(spec), ["us-central1-a", "us-central1-b", "europe-west4-a"]);
  assert.deepEqual(mainZones({ ...spec, gce: { ...spec.gce, main: { ...spec.gce.main, zone: "us-central1-f" } } })[0], "us-central1-f");
});
