import assert from "node:assert/strict";
import { test } from "node:test";
import { machinePrice, machineSize, PRICES, type PricedMachine } from "./prices.ts";

const MACHINE: PricedMachine = { machineType: "e2-standard-4", isSpot: false, gpu: null, diskGiB: 0, diskType: "pd-balanced" };

test("sizes are those of the machine type", () => {
  assert.deepEqual(machineSize("e2-standard-4"), { cpu: 4, ramMiB: 16_384 });
  assert.deepEqual(machineSize("n1-standard-1"), { cpu: 1, ramMiB: 3840 });
  assert.deepEqual(machineSize("e2-small")?.cpu, 2);
  assert.equal(machineSize("z9-mega-4"), null);
  assert.equal(machineSize("constructor"), null);
});

test("a price grows with the machine, its disk and its cards, has an address in it, and is lower for spot", () => {
  const price = (changes: Partial<PricedMachine> = {}) => machinePrice({ ...MACHINE, ...changes })!;
  const address = 0.005;
  assert.ok(Math.abs(price() - address - 0.134) < 0.001);
  assert.ok(Math.abs(price({ machineType: "e2-standard-8" }) - address - 2 * (price() - address)) < 1e-9);
  assert.ok(Math.abs(price({ isSpot: true }) - 0.0025 - 0.4 * (price() - address)) < 1e-9);
  assert.ok(price({ isSpot: true }) < price() / 2);
  assert.ok(price({ diskGiB: 100 }) > price());
  const card = { type: "nvidia-tesla-t4", count: 1 };
  assert.ok(Math.abs(price({ gpu: { ...card, count: 2 } }) - price() - 2 * (price({ gpu: card }) - price())) < 1e-9);
});

test("what the list does not know has no price, and is not free", () => {
  assert.equal(machinePrice({ ...MACHINE, machineType: "z9-mega-4" }), null);
  assert.equal(machinePrice({ ...MACHINE, gpu: { type: "new-card", count: 1 } }), null);
  assert.equal(machinePrice({ ...MACHINE, diskType: "new-disk" }), null);
});

test("the list says of when and from where it is", () => {
  assert.match(PRICES.date, /^\d{4}-\d{2}-\d{2}$/);
  assert.ok(PRICES.source.length > 20);
});
