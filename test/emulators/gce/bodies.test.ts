import assert from "node:assert/strict";
import { test } from "node:test";
import { instanceResource, parseClusterSpec } from "@burla/protocol";
import { firewallRules } from "../../../client/src/gce/resources.ts";
import { checkBody, checkRequestId } from "./bodies.ts";

const vm = (isSpot: boolean, gpu: { type: string; count: number } | null) => instanceResource({
  name: "one", cluster: "test", role: "node", group: "small", zone: "us-central1-a", machineType: "e2-small", isSpot, gpu, diskGiB: 10, diskType: "pd-balanced", bootImage: "image",
  network: "default", subnetwork: null, hasExternalAddress: true, tag: "tag", serviceAccount: "a@b", metadata: { key: "value" },
});

test("what clusters are made of has no field and no value that Google does not know", () => {
  for (const isSpot of [true, false]) for (const gpu of [null, { type: "nvidia-tesla-t4", count: 1 }]) checkBody("Instance", vm(isSpot, gpu));
  for (const rule of firewallRules(parseClusterSpec({ name: "test", provider: "gce", groups: [{ name: "a", count: 1, machineType: "e2-small", zones: ["us-central1-a"] }] }))) checkBody("Firewall", rule);
});

test("unknown fields and values are refused, however deep; so are request ids that are no UUID", () => {
  const body = vm(true, null);
  assert.throws(() => checkBody("Instance", { ...body, colour: "red" }), /Unknown name "colour"/);
  assert.throws(() => checkBody("Instance", { ...body, disks: [{ initializeParams: { size: 1 } }] }), /Unknown name "size" at 'resource\.disks\.initializeParams'/);
  assert.throws(() => checkBody("Instance", { ...body, scheduling: { provisioningModel: "CHEAP" } }), /'CHEAP'/);
  assert.throws(() => checkBody("Instance", { ...body, scheduling: { preemptible: "true" } }), /a boolean is expected/);
  assert.throws(() => checkBody("Instance", { ...body, disks: {} }), /a list is expected/);
  checkRequestId(crypto.randomUUID());
  for (const id of ["1", "00000000-0000-0000-0000-000000000000"]) assert.throws(() => checkRequestId(id), /valid UUID/);
});
