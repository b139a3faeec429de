import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeId } from "@burla/protocol";
import { costPerHour } from "./fleet.ts";
import { deleted, groupOf, inserted, TestFleet, ZONES } from "./testing.ts";
import { troublesOf } from "./troubles.ts";

const place = ({ zone, isSpot }: { zone: string; isSpot: boolean }) => `${zone}${isSpot ? " spot" : ""}`;

test("nothing is made before what is there has been seen", () => {
  const fleet = new TestFleet({}, { isKnown: false });
  assert.deepEqual(fleet.after(1000), []);
  assert.equal(inserted(fleet.step({ type: "observed", instances: [], askedMs: fleet.nowMs })).length, 2);
});

test("VMs that an earlier main made are taken over, those whose node is there as joined", () => {
  const fleet = new TestFleet({}, { isKnown: false });
  fleet.step({ type: "joined", nodeId: "small-aaaaaa" as NodeId });
  const commands = fleet.step({
    type: "observed", askedMs: fleet.nowMs,
    instances: ["aaaaaa", "bbbbbb"].map((suffix) => ({ name: `burla-test-${suffix}`, group: "small", zone: ZONES[0]!, isSpot: false, status: "RUNNING" })),
  });
  assert.deepEqual(commands, []);
  assert.deepEqual(fleet.vms.map(({ nodeId, phase }) => [nodeId, phase]), [["small-aaaaaa", "joined"], ["small-bbbbbb", "booting"]]);
});

test("several groups all get their nodes", () => {
  const fleet = new TestFleet({ groups: [groupOf({ name: "a", count: 1 }), groupOf({ name: "b", count: 3 })] });
  assert.deepEqual(inserted(fleet.begin).map(({ group }) => group), ["a", "b", "b", "b"]);
});

test("a zone without machines is left for the next, and tried again later, ever later", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 1 })] });
  const [first] = inserted(fleet.begin);
  const [second] = inserted(fleet.refuse(first!, "stockout"));
  assert.deepEqual([first, second].map((vm) => vm!.zone), [ZONES[0], ZONES[1]]);
  const [third] = inserted(fleet.refuse(second!, "stockout"));
  assert.deepEqual(inserted(fleet.refuse(third!, "stockout")), []);
  assert.match(troublesOf(fleet.fleet, fleet.nowMs).join("\n"), /us-central1-a has no e2-standard-2 now \(asked again in 2 min\)/);
  const [again] = inserted(fleet.after(120_000));
  assert.equal(again?.zone, ZONES[0]);
  fleet.refuse(again!, "stockout");
  assert.equal(fleet.fleet.avoided.get("e2-standard-2 us-central1-a full")?.untilMs, fleet.nowMs + 240_000);
});

test("spot is tried in every zone before the full price, where it is preferred", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 1, spot: "preferred" })] });
  const places: string[] = [];
  for (let [vm] = inserted(fleet.begin); vm !== undefined; [vm] = inserted(fleet.refuse(vm, "stockout"))) places.push(place(vm));
  assert.deepEqual(places, [...ZONES.map((zone) => `${zone} spot`), ...ZONES]);
});

test("spot alone never pays the full price", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 1, spot: "only" })] });
  const places: string[] = [];
  for (let [vm] = inserted(fleet.begin); vm !== undefined; [vm] = inserted(fleet.refuse(vm, "stockout"))) places.push(place(vm));
  assert.deepEqual(places, ZONES.map((zone) => `${zone} spot`));
});

test("a quota that is reached closes its region, and is told in words", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 1 })] });
  const [first] = inserted(fleet.begin);
  const [second] = inserted(fleet.refuse(first!, "quota", "Quota 'CPUS' exceeded.  Limit: 8.0 in region us-central1."));
  assert.equal(second?.zone, "europe-west4-a");
  assert.deepEqual(troublesOf(fleet.fleet, fleet.nowMs), ["the quota of 8 CPUS in us-central1 is reached"]);
  assert.deepEqual(troublesOf(fleet.fleet, fleet.nowMs + 60_001), []);
});

for (const kind of ["transient", "rate-limit"] as const) {
  test(`after a failure that is ${kind} the very same request is sent again, ever later`, () => {
    const fleet = new TestFleet({ groups: [groupOf({ count: 1 })] });
    const [vm] = inserted(fleet.begin);
    const { name, requestId } = vm!;
    const delays: number[] = [];
    for (let tries = 0; tries < 4; tries++) {
      assert.deepEqual(fleet.refuse(vm!, kind), []);
      delays.push(vm!.retryAtMs! - fleet.nowMs);
      assert.deepEqual(fleet.after(vm!.retryAtMs! - fleet.nowMs - 1), []);
      const [again] = inserted(fleet.after(1));
      assert.deepEqual([again?.name, again?.requestId], [name, requestId]);
    }
    assert.deepEqual(delays, [1000, 2000, 4000, 8000]);
  });
}

for (const kind of ["transient", "rate-limit"] as const) {
  test(`an operation that failed, ${kind}, is asked for with a new request and name; twice, and the zone is avoided`, () => {
    const fleet = new TestFleet({ groups: [groupOf({ count: 1 })] });
    const [first] = inserted(fleet.begin);
    const { name, requestId, nodeId } = first!;
    assert.deepEqual(fleet.refuse(first!, kind, "Internal error", true), []);
    assert.deepEqual(inserted(fleet.after(999)), []);
    const [second] = inserted(fleet.after(1));
    assert.equal(second?.zone, ZONES[0]);
    for (const [now, before] of [[second!.name, name], [second!.requestId, requestId], [second!.nodeId, nodeId]]) assert.notEqual(now, before);
    const [third] = inserted(fleet.refuse(second!, kind, "Internal error", true));
    assert.equal(third?.zone, ZONES[1]);
    assert.equal(fleet.vms.length, 1);
    assert.match(troublesOf(fleet.fleet, fleet.nowMs).join(), /^making e2-standard-2 in us-central1-a failed again and again: Internal error \(asked again in 60 s\)$/);
  });
}

test("operations that fail now and then, with VMs made in between, close no zone", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 2 })] });
  const [first, other] = inserted(fleet.begin);
  fleet.refuse(first!, "transient", "503", true);
  fleet.join(other!);
  const [second] = inserted(fleet.after(1_000));
  assert.deepEqual(fleet.refuse(second!, "transient", "503", true), []);
  assert.deepEqual(inserted(fleet.after(2_000)).map(({ zone }) => zone), [ZONES[0]]);
});

test("a deletion whose operation failed is a new request, one that was not answered the same", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 1 })] });
  const [vm] = inserted(fleet.begin);
  fleet.join(vm!);
  fleet.step({ type: "stop" });
  const ids = [false, true].map((isOfOperation) => {
    const { requestId } = vm!;
    fleet.step({ type: "deleteFailed", name: vm!.name, failure: { kind: "transient", message: "503", isOfOperation } });
    return vm!.requestId === requestId;
  });
  assert.deepEqual(ids, [true, false]);
});

test("a zone that lacks the machine type is left for the others, spot or not; the group is blocked when all lack it", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 1, spot: "preferred" })] });
  const places: string[] = [];
  for (let [vm] = inserted(fleet.begin); vm !== undefined; [vm] = inserted(fleet.refuse(vm, "unsupported", "no such type"))) {
    places.push(place(vm));
    if (places.length === 1) assert.deepEqual(troublesOf(fleet.fleet, fleet.nowMs), []);
  }
  assert.deepEqual(places, ZONES.map((zone) => `${zone} spot`));
  const troubles = troublesOf(fleet.fleet, fleet.nowMs);
  assert.ok(troubles.includes("us-central1-a never has e2-standard-2 (asked again in 30 min)"), troubles.join("\n"));
  assert.ok(troubles.includes("group small: Google refuses its VMs: none of its zones has e2-standard-2 (no such type)"), troubles.join("\n"));
  assert.equal(inserted(fleet.after(30 * 60_000)).length, 1);
});

test("what is refused as such is not asked again at once, and told", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 1 })] });
  const [vm] = inserted(fleet.begin);
  assert.deepEqual(fleet.refuse(vm!, "denied", "Required 'compute.instances.create' permission"), []);
  assert.deepEqual(troublesOf(fleet.fleet, fleet.nowMs), ["group small: Google refuses its VMs: Required 'compute.instances.create' permission"]);
  assert.deepEqual(fleet.after(60_000), []);
  assert.equal(inserted(fleet.after(60_001)).length, 1);
});

test("a VM that is gone, or off, is replaced, and what its node held goes back", () => {
  const fleet = new TestFleet();
  const [gone, off] = inserted(fleet.begin);
  fleet.join(gone!);
  fleet.join(off!);
  fleet.nowMs += 1000;
  const commands = fleet.step({ type: "observed", askedMs: fleet.nowMs, instances: [{ name: off!.name, group: "small", zone: off!.zone, isSpot: false, status: "TERMINATED" }] });
  assert.deepEqual(commands.filter(({ type }) => type === "gone").map((command) => "nodeId" in command && command.nodeId), [gone!.nodeId, off!.nodeId]);
  assert.deepEqual(deleted(commands), [off]);
  assert.equal(inserted(commands).length, 2);
});

test("a VM that is younger than the list need not be in it", () => {
  const fleet = new TestFleet();
  const askedMs = fleet.nowMs;
  fleet.nowMs += 1000;
  for (const vm of inserted(fleet.begin)) fleet.step({ type: "inserted", name: vm.name });
  assert.deepEqual(fleet.step({ type: "observed", askedMs, instances: [] }), []);
});

test("a VM whose node joins before the request that makes it is answered is there, whatever a list from in between says", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 1 })] });
  const [vm] = inserted(fleet.begin);
  fleet.step({ type: "joined", nodeId: vm!.nodeId });
  fleet.after(1_000);
  assert.deepEqual(fleet.step({ type: "observed", instances: [], askedMs: fleet.nowMs }), []);
  const askedMs = fleet.nowMs;
  fleet.after(1_000);
  fleet.step({ type: "inserted", name: vm!.name });
  assert.deepEqual(fleet.step({ type: "observed", instances: [], askedMs }), []);
  assert.deepEqual(fleet.vms.map(({ name, phase }) => [name, phase]), [[vm!.name, "joined"]]);
});

test("a VM whose node never comes, or is silent for too long, is replaced", () => {
  const fleet = new TestFleet({ bootMs: 1000, silentMs: 500 });
  const [never, silent] = inserted(fleet.begin);
  fleet.step({ type: "inserted", name: never!.name });
  fleet.join(silent!);
  const late = fleet.after(1001);
  assert.deepEqual(deleted(late), [never]);
  fleet.step({ type: "lost", nodeId: silent!.nodeId });
  assert.deepEqual(deleted(fleet.after(500)), []);
  assert.deepEqual(deleted(fleet.after(1)), [silent]);
});

test("a node that comes back in time keeps its VM", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 1 })], silentMs: 500 });
  const [vm] = inserted(fleet.begin);
  fleet.join(vm!);
  fleet.step({ type: "lost", nodeId: vm!.nodeId });
  fleet.after(400);
  fleet.step({ type: "joined", nodeId: vm!.nodeId });
  assert.deepEqual(fleet.after(10_000), []);
});

test("no VM is made that the budget does not cover, which is told", () => {
  const group = groupOf({ count: 5, pricePerHour: 0.4 });
  const fleet = new TestFleet({ groups: [group], budgetPerHour: 1, mainPricePerHour: 0.1 });
  assert.equal(inserted(fleet.begin).length, 2);
  assert.ok(Math.abs(costPerHour(fleet.fleet) - 0.9) < 1e-9);
  assert.deepEqual(troublesOf(fleet.fleet, fleet.nowMs), ["the budget of $1 per hour is reached"]);
});

test("jobs add nodes as far as they may, and idle ones go again", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 1 })], growNodes: 3, growIdleMs: 1000 });
  fleet.join(inserted(fleet.begin)[0]!);
  const demand = { workers: 100, cpu: 1, ramMiB: 0, nodes: 2 };
  const grown = inserted(fleet.after(10, { demands: [demand] }));
  assert.equal(grown.length, 2, "the job's own limit");
  assert.equal(inserted(fleet.after(10, { demands: [demand, demand] })).length, 1, "the spec's limit");
  for (const vm of fleet.vms) if (vm.phase === "creating") fleet.join(vm);
  const busy = [grown[0]!.nodeId];
  assert.deepEqual(deleted(fleet.after(900, { busy, demands: [] })), []);
  assert.equal(deleted(fleet.after(200, { busy })).length, 3);
  assert.deepEqual(fleet.vms.filter(({ phase }) => phase !== "deleting").map(({ nodeId }) => nodeId), busy, "one stays, the one at work");
});

test("a demand that a node of the spec covers adds none", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 1 })], growNodes: 3 });
  assert.deepEqual(inserted(fleet.after(10, { demands: [{ workers: 2, cpu: 1, ramMiB: 0, nodes: 2 }] })), []);
});

test("when the cluster ends all go, also those that are just being made, and none is made", () => {
  const fleet = new TestFleet();
  const [making, joined] = inserted(fleet.begin);
  fleet.join(joined!);
  assert.deepEqual(deleted(fleet.step({ type: "stop" })), [joined]);
  assert.deepEqual(deleted(fleet.step({ type: "inserted", name: making!.name })), [making]);
  fleet.step({ type: "deleted", name: joined!.name });
  fleet.step({ type: "deleteFailed", name: making!.name, failure: { kind: "not-found", message: "" } });
  assert.deepEqual(fleet.vms, []);
});

test("a deletion that fails is asked for again", () => {
  const fleet = new TestFleet({ groups: [groupOf({ count: 1 })] });
  const [vm] = inserted(fleet.begin);
  fleet.join(vm!);
  fleet.step({ type: "stop" });
  fleet.step({ type: "deleteFailed", name: vm!.name, failure: { kind: "transient", message: "503" } });
  assert.deepEqual(deleted(fleet.after(1000)), [vm]);
});
